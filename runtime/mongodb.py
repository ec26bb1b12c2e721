"""MongoDB and DocumentDB: a client that both accept, and what their errors mean."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)

from contracts.outbox import OutboxRecord
from runtime.errors import Misconfigured, Unavailable

Document = dict[str, Any]

_AWAY = {
    11600,  # InterruptedAtShutdown
    11602,  # InterruptedDueToReplStateChange
    10107,  # NotWritablePrimary
    13435,  # NotPrimaryNoSecondaryOk
    13436,  # NotPrimaryOrSecondary
    189,  # PrimarySteppedDown
    91,  # ShutdownInProgress
    50,  # MaxTimeMSExpired
    89,  # NetworkTimeout
    64,  # WriteConcernFailed
    43,  # CursorNotFound: it was not read for ten minutes
    251,  # NoSuchTransaction: the server lost the transaction; a commit may have been applied
}

_COMMAND_NOT_FOUND = 59


def connect(
    uri: str, credentials: Mapping[str, Any] | None = None, *, connections: int = 50
) -> MongoClient[Document]:
    """Make a client that gives up a call after seconds rather than minutes.

    DocumentDB takes no retryable writes; what is retried here is the whole use case. TLS, the CA
    bundle and the replica set's name are options of the URI. `credentials` are those of
    MongoSettings: a username and a password, as they are, where the URI has none.
    Raises Misconfigured for a URI that the driver cannot use.
    """
    try:
        return MongoClient(
            uri,
            retryWrites=False,
            serverSelectionTimeoutMS=3000,
            connectTimeoutMS=2000,
            socketTimeoutMS=10_000,
            maxPoolSize=connections,
            appname="streamed-events",
            **(credentials or {}),
        )
    except (ConfigurationError, ValueError) as error:
        raise Misconfigured(f"MONGODB_URI: {error}") from error


@contextmanager
def reaching(dependency: str = "MongoDB") -> Iterator[None]:
    """Raise Unavailable for what an outage or a failover looks like through pymongo."""
    try:
        yield
    except (
        AutoReconnect,
        ConnectionFailure,
        ExecutionTimeout,
        ServerSelectionTimeoutError,
        WaitQueueTimeoutError,
    ) as error:
        raise Unavailable(dependency, type(error).__name__) from error
    except OperationFailure as error:
        if error.code in _AWAY or is_transient(error):
            raise Unavailable(dependency, f"code {error.code}") from error
        raise


def is_transient(error: PyMongoError) -> bool:
    """Whether the server says that the whole transaction may be tried again."""
    return error.has_error_label("TransientTransactionError") or error.has_error_label(
        "UnknownTransactionCommitResult"
    )


def enable_change_streams(database: Database[Document], collection: str) -> None:
    """Turn change streams on where they are off until this: on DocumentDB. Repeatable.

    MongoDB does not know the command and has them always.
    https://docs.aws.amazon.com/documentdb/latest/developerguide/change_streams.html
    """
    try:
        database.client.admin.command(
            {
                "modifyChangeStreams": 1,
                "database": database.name,
                "collection": collection,
                "enable": True,
            }
        )
    except OperationFailure as error:
        if error.code != _COMMAND_NOT_FOUND:
            raise


def outbox_document(record: OutboxRecord) -> Document:
    """An outbox record with the key that makes it unique: one per aggregate and sequence."""
    return {
        "_id": {"aggregateId": record.aggregate_id, "sequence": record.sequence},
        **record.to_document(),
    }
