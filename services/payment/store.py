"""Keeps payments: a document and its outbox document in one MongoDB transaction."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError, OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from contracts.outbox import OutboxRecord
from runtime.cursors import InvalidCursor, Page
from runtime.errors import Conflict, Unavailable
from runtime.mongodb import ANY_DOCUMENT, Document, Mongo, is_transient, outbox_document
from runtime.outbox import commit as stores
from runtime.outbox.stats import MOST_COUNTED, Backlog
from runtime.process.tracing import Attributes, Tracer, spanned
from services.payment.model import Happened, Payment, Status

PAYMENTS = "payments"
OUTBOX = "outbox"
BY_AGE = [("occurredAt", 1), ("sequence", 1)]

FIRST_TIMES = 10
"""Looked at, of which some may be none: a text need not be a time."""

_TEXTS: Mapping[str, Any] = {"occurredAt": {"$gte": "0", "$lt": ":"}}
_DATES: Mapping[str, Any] = {"occurredAt": {"$gte": datetime(1, 1, 1, tzinfo=UTC)}}

_WRITE_CONFLICT = 112
_COMMIT = "commitTransaction"


class Store(stores.Store[Payment], Protocol):
    def page(
        self, *, status: Status | None, limit: int, after: Mapping[str, str] | None
    ) -> Page[Payment]:
        """Read a page: of the payments with one status, or of all, by id."""
        ...


class MongoStore:
    """The Store on MongoDB or DocumentDB."""

    def __init__(self, mongo: Mongo, *, tracer: Tracer | None = None) -> None:
        self._mongo = mongo
        self._tracer = tracer
        # https://opentelemetry.io/docs/specs/semconv/database/mongodb/
        self._commit: Attributes = {
            "db.system.name": "mongodb",
            "db.namespace": mongo.database.name,
            "db.operation.name": _COMMIT,
            "db.collection.name": PAYMENTS,
        }

    @property
    def _payments(self) -> Collection[Document]:
        return self._mongo.database[PAYMENTS]

    @property
    def _outbox(self) -> Collection[Document]:
        return self._mongo.database[OUTBOX].with_options(codec_options=ANY_DOCUMENT)

    def check(self) -> None:
        """Raise Unavailable unless the primary lets us read. A ping needs no credentials."""
        with self._mongo.asking():
            self._payments.find_one({}, {"_id": 1})

    def backlog(self) -> Backlog:
        """Count what waits in the outbox, and read the oldest by its index. Raises Unavailable."""
        with self._mongo.asking():
            found = self._outbox.count_documents({}, limit=MOST_COUNTED + 1, maxTimeMS=5000)
            times = [*self._first_times(_TEXTS), *self._first_times(_DATES)]
        return Backlog.of(found, times)

    def _first_times(self, query: Mapping[str, Any]) -> Iterator[object]:
        """Read the first of the times that are texts, or dates: others stand before them."""
        first = self._outbox.find(query, {"occurredAt": 1, "_id": 0}).sort(BY_AGE)
        for document in first.limit(FIRST_TIMES).max_time_ms(5000):
            yield document["occurredAt"]

    def get(self, subscription_id: str) -> Payment | None:
        with self._mongo.reaching("find"):
            document = self._payments.find_one({"_id": subscription_id})
        return _from_document(document) if document else None

    def commit(self, after: Payment, record: OutboxRecord, *, replaces: Payment | None) -> None:
        """Write both documents in one transaction, majority committed.

        Who collides: another writer of the same payment. An insert meets the unique _id, a replace
        finds no document at the version it was decided on, and two transactions in flight meet in
        the server (112): Conflict each time. A transaction or a commit whose answer was lost is
        Unavailable: it may have been applied, and the next try decides on what it finds.
        """
        with spanned(self._tracer, f"{_COMMIT} {PAYMENTS}", "client", self._commit):
            self._transact(after, record, replaces)

    def _transact(self, after: Payment, record: OutboxRecord, replaces: Payment | None) -> None:
        try:
            with (
                self._mongo.reaching(_COMMIT),
                self._mongo.database.client.start_session(causal_consistency=False) as session,
            ):
                session.start_transaction(
                    read_concern=ReadConcern("snapshot"),
                    write_concern=WriteConcern("majority", wtimeout=5000),
                    max_commit_time_ms=5000,
                )
                self._write(after, record, replaces, session)
                session.commit_transaction()
        except DuplicateKeyError as error:
            raise Conflict(after.subscription_id) from error
        except Unavailable as error:
            if isinstance(error.__cause__, OperationFailure) and (
                error.__cause__.code == _WRITE_CONFLICT and is_transient(error.__cause__)
            ):
                raise Conflict(after.subscription_id) from error
            raise

    def _write(
        self,
        after: Payment,
        record: OutboxRecord,
        replaces: Payment | None,
        session: ClientSession,
    ) -> None:
        document = _to_document(after)
        database = session.client[self._mongo.database.name]  # a session is of one client
        if replaces is None:
            database[PAYMENTS].insert_one(document, session=session)
        else:
            unchanged = {"_id": after.subscription_id, "version": replaces.version}
            result = database[PAYMENTS].replace_one(unchanged, document, session=session)
            if result.matched_count == 0:
                raise Conflict(after.subscription_id)
        database[OUTBOX].insert_one(outbox_document(record), session=session)

    def page(
        self, *, status: Status | None, limit: int, after: Mapping[str, str] | None
    ) -> Page[Payment]:
        """Read from the index on status and _id, or on _id: at most one document past the page."""
        query: dict[str, Any] = {} if status is None else {"status": status}
        if after is not None:
            if set(after) != {"_id"}:
                raise InvalidCursor
            query["_id"] = {"$gt": after["_id"]}
        with self._mongo.reaching():
            documents = list(self._payments.find(query).sort("_id", 1).limit(limit + 1))
        payments = [_from_document(document) for document in documents[:limit]]
        more = len(documents) > limit
        return Page(payments, {"_id": payments[-1].subscription_id} if more else None)


def _to_document(payment: Payment) -> Document:
    return {
        "_id": payment.subscription_id,
        "accountNumber": payment.account_number,
        "status": payment.status,
        "created": payment.created,
        "updated": payment.updated,
        "version": payment.version,
        "event": payment.event,
    }


def _from_document(document: Document) -> Payment:
    return Payment(
        subscription_id=document["_id"],
        account_number=document["accountNumber"],
        status=Status(document["status"]),
        created=document["created"].replace(tzinfo=UTC),
        updated=document["updated"].replace(tzinfo=UTC),
        version=document["version"],
        event=Happened(document["event"]),
    )
