"""MongoDB and DocumentDB: a client that both accept, and what their errors mean."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
)

from contracts.outbox import OutboxRecord
from runtime.errors import Misconfigured, Unavailable
from runtime.mongodb_failures import LABELS, family_of_class, family_of_code, name_of_code
from runtime.passed import note
from runtime.verdicts import Family, holds

Document = dict[str, Any]

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
def reaching(call: str = "") -> Iterator[None]:
    """Raise Unavailable for every error that `runtime.verdicts` holds, and for unknown ones.

    `call` names what is asked of the database. What is a document's own fault, a duplicate key or a
    bug of this system comes through as it is; another lost race of the server's is Unavailable.
    """
    try:
        yield
    except DuplicateKeyError:
        raise
    except Exception as error:
        family = family_of(error)
        if family is not None and (holds(family) or family in _THE_SERVERS):
            raise Unavailable("MongoDB", _reason(error), family, call=call) from error
        raise
    note("MongoDB", call)


@contextmanager
def asking() -> Iterator[None]:
    """As `reaching`, for a call that carries no document: for a scan, a count, a look.

    No answer of the server's to it says anything against a row, so each is Unavailable.
    """
    try:
        with reaching():
            yield
    except PyMongoError as error:
        family = family_of(error) or Family.UNKNOWN
        raise Unavailable("MongoDB", _reason(error), family) from error


_THE_SERVERS = {Family.POSITION, Family.RACE}
"""Lost by what the server did to a cursor or a transaction: the same may pass again."""


def family_of(error: BaseException) -> Family | None:
    """The family of an error; None if it is neither the database's nor the way's to it."""
    family = family_of_class(type(error))
    if family is not Family.UNKNOWN or not isinstance(error, OperationFailure):
        return family
    code = error.code
    if isinstance(error, BulkWriteError):
        code = next((each["code"] for each in error.details.get("writeErrors", ())), code)
    return family_of_code(code, [label for label in LABELS if error.has_error_label(label)])


def _reason(error: Exception) -> str:
    if not isinstance(error, OperationFailure) or error.code is None:
        return type(error).__name__
    return f"code {error.code} {name_of_code(error.code)}".rstrip()


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
