"""What a failed call means, by the errors that pymongo raises."""

import pytest
from pymongo.errors import (
    AutoReconnect,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)

from runtime.errors import Unavailable
from runtime.mongodb import reaching


def labelled(error: PyMongoError, label: str) -> PyMongoError:
    error._add_error_label(label)
    return error


OUTAGES = [
    AutoReconnect("connection closed"),
    ConnectionFailure("refused"),
    NetworkTimeout("timed out"),
    NotPrimaryError("stepped down"),
    ServerSelectionTimeoutError("no primary"),
    WaitQueueTimeoutError("pool exhausted"),
    ExecutionTimeout("maxTimeMS", 50),
    OperationFailure("shutting down", 91),
    OperationFailure("stepped down", 189),
    OperationFailure("majority not reached", 64),
    # Of a commit it may mean that it was applied: see design.md section 9.
    OperationFailure("no such transaction", 251),
    labelled(OperationFailure("any", 1), "TransientTransactionError"),
    labelled(OperationFailure("any", 1), "UnknownTransactionCommitResult"),
]


@pytest.mark.parametrize("error", OUTAGES, ids=lambda error: f"{type(error).__name__}-{error}")
def test_outages_failovers_and_unknown_outcomes_are_unavailable(error: PyMongoError) -> None:
    """Each is one and the same to the caller: keep the work, and decide again on what stands."""
    with pytest.raises(Unavailable) as unavailable, reaching():
        raise error
    assert unavailable.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        DuplicateKeyError("taken", 11000),
        OperationFailure("failed validation", 121),
        OperationFailure("bad query", 2),
    ],
    ids=str,
)
def test_what_no_retry_can_mend_is_no_outage(error: PyMongoError) -> None:
    """A duplicate, a refused document and a bug come through as they are."""
    with pytest.raises(type(error)) as raised, reaching():
        raise error
    assert raised.value is error
