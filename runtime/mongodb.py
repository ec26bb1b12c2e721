"""MongoDB and DocumentDB: a client that both accept, and what their errors mean."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

import structlog
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    DuplicateKeyError,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
)

from runtime.errors import Misconfigured, Unavailable
from runtime.mongodb_failures import LABELS, PYMONGO_FAMILIES, family_of_code, name_of_code
from runtime.passed import note
from runtime.settings import MongoSettings
from runtime.verdicts import Family, family_of_class, holds

log = structlog.get_logger(__name__)

Document = dict[str, Any]

CLOSED_AFTER = 60.0
"""Seconds that a client lives on whose credentials were replaced: a transaction has as long."""


LONGEST_WAIT = 3.0
"""Seconds that a call waits for a server, for a connection, or where as many transactions or
cursors are open as may be: then it is Unavailable."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many of each a process has open at the same time, at most."""

    transactions: int = 20
    cursors: int = 10
    connections: int = 50


class Bound:
    """What a process may have open `most` of at a time: `what` names them, in the plural.

    A transaction or a cursor whose end the server did not hear of stays open there for a while, and
    is not counted here.
    """

    def __init__(self, what: str, most: int, *, longest_wait: float = LONGEST_WAIT) -> None:
        self._what, self._most, self._longest_wait = what, most, longest_wait
        self._free = threading.Semaphore(most)

    @contextmanager
    def taking(self) -> Iterator[None]:
        """Hold one while the block runs.

        Raises Unavailable when none has become free in `longest_wait` seconds.
        """
        if not self._free.acquire(timeout=self._longest_wait):
            reason = f"open {self._what}: {self._most}, as many as this process may have"
            raise Unavailable("MongoDB", reason, Family.THROTTLED)
        try:
            yield
        finally:
            self._free.release()


class Mongo:
    """One database, by a client that gives way to another when the server refuses its credentials.

    A client's credentials are fixed. `renewed` makes another with those of now, or None while
    there are no others. Use `database` for one call or one transaction; do not keep it. Whoever
    starts a transaction takes one of `transactions` first, and who opens a cursor that more than
    one batch may be read from, one of `cursors`.
    """

    def __init__(
        self,
        database: Database[Document],
        renewed: Callable[[], Database[Document] | None] = lambda: None,
        *,
        bounds: Bounds = Bounds(),
    ) -> None:
        self.database, self._renewed = database, renewed
        self.transactions = Bound("transactions", bounds.transactions)
        self.cursors = Bound("cursors", bounds.cursors)
        self._lock = threading.Lock()
        self._is_refused = self._was_renewed = False

    @classmethod
    def of(cls, settings: MongoSettings) -> Self:
        return cls.at(
            settings.mongodb_uri,
            settings.mongodb_database,
            lambda: settings.mongodb_credentials,
            Bounds(
                transactions=settings.mongodb_max_transactions,
                cursors=settings.mongodb_max_cursors,
                connections=settings.mongodb_max_connections,
            ),
        )

    @classmethod
    def at(
        cls,
        uri: str,
        database: str,
        credentials: Callable[[], Mapping[str, Any]],
        bounds: Bounds = Bounds(),
    ) -> Self:
        """Connect when it is first used; raises Misconfigured for a URI the driver cannot use."""
        used = credentials()

        def connected() -> Database[Document]:
            return connect(uri, used, connections=bounds.connections)[database]

        def renewed() -> Database[Document] | None:
            nonlocal used
            before, used = used, credentials()
            return None if used == before else connected()

        return cls(connected(), renewed, bounds=bounds)

    def reaching(self, call: str = "") -> AbstractContextManager[None]:
        """Raise Unavailable as the function of this name does."""
        return self._using(reaching(call))

    def asking(self) -> AbstractContextManager[None]:
        """Likewise, as the function `asking` does."""
        return self._using(asking())

    @contextmanager
    def _using(self, translated: AbstractContextManager[None]) -> Iterator[None]:
        """After a refusal, look for other credentials before each use until one succeeds.

        For some seconds after it the driver says no more than that it finds no server.
        """
        if self._is_refused:
            self._renew(self.database)
        database = self.database
        try:
            with translated:
                yield
        except Unavailable as error:
            if refuses_credentials(error) and self.database is database:
                self._is_refused = True
            raise
        except InvalidOperation as error:
            if self._was_renewed:  # a cursor of the client before, which was closed
                raise Unavailable("MongoDB", "a client was replaced") from error
            raise
        self._is_refused = False

    def _renew(self, before: Database[Document]) -> None:
        with self._lock:
            if self.database is not before:  # another thread was first
                return
            try:
                database = self._renewed()
            except Misconfigured as error:  # a file that is being written
                log.warning("credentials stay as they are", reason=str(error))
                return
            if database is None:
                return
            self.database, self._is_refused, self._was_renewed = database, False, True
        log.info("connecting to MongoDB with other credentials")
        closing = threading.Timer(CLOSED_AFTER, _close, [before.client])
        closing.daemon = True
        closing.start()


def _close(client: MongoClient[Document]) -> None:
    with suppress(InvalidOperation):  # it was closed before, with a cursor open
        client.close()


def connect(
    uri: str,
    credentials: Mapping[str, Any] | None = None,
    *,
    connections: int = Bounds().connections,
) -> MongoClient[Document]:
    """Make a client that gives up a call after seconds rather than minutes.

    DocumentDB takes no retryable writes; what is retried here is the whole use case. TLS, the CA
    bundle and the replica set's name are options of the URI. `credentials` are those of
    MongoSettings: a username and a password, as they are, where the URI has none.
    Raises Misconfigured for a URI that the driver cannot use, or a file in it that is not there.
    """
    with configuring():
        return MongoClient(
            uri,
            retryWrites=False,
            serverSelectionTimeoutMS=1000 * LONGEST_WAIT,
            waitQueueTimeoutMS=1000 * LONGEST_WAIT,
            connectTimeoutMS=2000,
            socketTimeoutMS=10_000,
            maxPoolSize=connections,
            appname="streamed-events",
            **(credentials or {}),
        )


@contextmanager
def configuring() -> Iterator[None]:
    """Raise Misconfigured for what makes a client impossible: to make one calls no server."""
    try:
        yield
    except (ConfigurationError, ValueError, OSError) as error:
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
    family = family_of_class(type(error), PYMONGO_FAMILIES)
    if family is not Family.UNKNOWN or not isinstance(error, OperationFailure):
        return family
    labels = [label for label in LABELS if error.has_error_label(label)]
    return family_of_code(_code_of(error), labels, str(error))


def _code_of(error: OperationFailure) -> int | None:
    """The code of a server's error; of a bulk write's, that of the first write that failed."""
    failed = error.details.get("writeErrors", ()) if isinstance(error, BulkWriteError) else ()
    return next((each["code"] for each in failed), error.code)


def _reason(error: Exception) -> str:
    """Name a driver's error, or the server's by its code; a refusal in the server's words too."""
    if not isinstance(error, OperationFailure) or error.code is None:
        return type(error).__name__
    named = f"code {error.code} {name_of_code(error.code)}".rstrip()
    said = (error.details or {}).get("errmsg", "") if refuses_credentials(error) else ""
    return f"{named}: {said}" if said else named


def refuses_credentials(error: BaseException) -> bool:
    """Whether the driver's error, or the Unavailable made of it, is for the credentials.

    Waiting helps: until the source has others, or the server knows these.
    """
    family = error.family if isinstance(error, Unavailable) else family_of(error)
    return family in {Family.CREDENTIALS, Family.EXPIRED, Family.RIGHTS}


def is_transient(error: PyMongoError) -> bool:
    """Whether the server says that the whole transaction may be tried again."""
    return error.has_error_label("TransientTransactionError") or error.has_error_label(
        "UnknownTransactionCommitResult"
    )
