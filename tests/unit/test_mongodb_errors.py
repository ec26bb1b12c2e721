"""What a failed call means, by the errors that pymongo raises."""

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DuplicateKeyError,
    EncryptionError,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)

from runtime.errors import Unavailable
from runtime.mongodb import asking, reaching


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
    OperationFailure("Authentication failed.", 18),
    OperationFailure("not authorized", 13),
    OperationFailure("write conflict", 112),
    OperationFailure("cursor id not found", 43),
    OperationFailure("out of disk", 14031),
    OperationFailure("who knows", 42424),
    OperationFailure("Cannot open a new cursor since too many cursors are already opened", 2),
    BulkWriteError({"writeErrors": [{"code": 91}]}),
    EncryptionError(ValueError("no key")),
    ConfigurationError("a DNS record is gone"),
    OSError("no route to host"),
    # Of a commit it may mean that it was applied: see design.md section 9.
    OperationFailure("no such transaction", 251),
    labelled(OperationFailure("any", 1), "TransientTransactionError"),
    labelled(OperationFailure("any", 1), "UnknownTransactionCommitResult"),
]


@pytest.mark.parametrize("error", OUTAGES, ids=lambda error: f"{type(error).__name__}-{error}")
def test_outages_failovers_and_unknown_outcomes_are_unavailable(error: Exception) -> None:
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


@pytest.mark.parametrize("code", [2, 42424, 112, 18])
def test_a_call_that_carries_no_document_says_nothing_against_one(code: int) -> None:
    """A scan that is refused, for whatever reason: the rows wait, and the process stays."""
    with pytest.raises(Unavailable, match=f"code {code}"), asking():
        raise OperationFailure("no", code)


def test_an_unknown_code_is_said_to_be_one() -> None:
    """With what was asked: others may get an answer to the same."""
    with pytest.raises(Unavailable) as raised, reaching("commitTransaction"):
        raise OperationFailure("who knows", 42424)
    assert raised.value.is_unknown
    assert (raised.value.call, raised.value.reason) == ("commitTransaction", "code 42424")
