"""An outbox in a MongoDB or DocumentDB collection, and the collection of aggregates beside it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Generic

from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.cursor import RawBatchCursor
from pymongo.errors import DuplicateKeyError, OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from contracts.outbox import OutboxRecord
from runtime.cursors import InvalidCursor, Page
from runtime.errors import Conflict, Unavailable
from runtime.mongodb import Document, Mongo, is_transient
from runtime.outbox.commit import A
from runtime.outbox.mongodb_queries import (
    BY_AGE,
    DATES,
    NO_TEXTS,
    TEXTS,
    TIME_ALONE,
    TIMELESS,
    WIRE,
    dates,
    early_odd_texts,
    odd_texts,
    old_texts,
)
from runtime.outbox.mongodb_rows import (
    RAW,
    as_bson,
    filter_of,
    is_in_array,
    moment_of,
    rows_of,
    to_document,
)
from runtime.outbox.ports import never
from runtime.outbox.rows import EVER, Row, is_old
from runtime.outbox.stats import OutboxStats
from runtime.process.tracing import Attributes, Tracer, spanned

MAX_DELETES = 100
"""Documents that one delete names: a page of keys, far below the server's 16 MB a command."""

PAGE = 500
"""Documents that a scan's cursor fetches at a time."""

FIRST_TIMES = 10
"""Looked at where not all are, of which some may be none: a text need not be a time."""

MAX_MILLISECONDS = 5000
"""How long the server works at a commit, or at an answer that a person waits for."""

_COMMIT = "commitTransaction"
_WRITE_CONFLICT = 112


class MongoOutbox:
    """An Outbox: `_id` is {aggregateId, sequence}."""

    max_deletes = MAX_DELETES

    def __init__(self, mongo: Mongo, collection: str, *, page: int = PAGE) -> None:
        self._mongo, self._name, self._page = mongo, collection, page

    @property
    def _collection(self) -> Collection[RawBSONDocument]:
        return self._mongo.database[self._name].with_options(codec_options=RAW)

    def scan(self, before: datetime = EVER) -> Iterator[Sequence[Row]]:
        """Walk the index on occurredAt and sequence: in that order an aggregate's events happened.

        The server forgets a cursor that is not read for ten minutes, as while the window is full
        in an outage: that is Unavailable too, and the next sweep starts again.
        """
        in_arrays: set[bytes] = set()
        for query in (old_texts(before), odd_texts(before), NO_TEXTS):
            with self._mongo.cursors.taking():
                with self._mongo.asking():
                    found = self._collection.find_raw_batches(
                        query, batch_size=self._page, sort=BY_AGE
                    )
                with closing(found):
                    yield from self._pages(found, before, in_arrays)

    def _pages(
        self, batches: RawBatchCursor[Any], before: datetime, in_arrays: set[bytes]
    ) -> Iterator[Sequence[Row]]:
        """Read batch by batch; a page may be empty.

        A query takes an array for each of its elements: what is `in_arrays` was read before.
        """
        while True:
            with self._mongo.asking():
                batch: Any = next(batches, None)
            if batch is None:
                return
            page: list[Row] = []
            for row, raw in rows_of(batch):
                if not is_old(row, before):
                    continue
                if row.occurred_at is not None or not is_in_array(raw):
                    page.append(row)
                elif (name := as_bson(row.handle)) not in in_arrays:
                    in_arrays.add(name)
                    page.append(row)
            yield page

    def stats(
        self,
        before: datetime = EVER,
        *,
        limit: int | None = None,
        stopped: Callable[[], bool] = never,
    ) -> OutboxStats:
        """Ask the index for the first text of the wire's form; those behind it are only counted.

        Texts of other forms sort anywhere, so each of them is read; with a limit, the first few of
        the index are. Of the rows before a moment, one whose time is an array may be counted more
        than once, and one whose time is JavaScript or of an obsolete type is not counted.
        """
        if limit is not None:
            return self._first(limit)
        found = self._wire_texts(before)
        for query in (early_odd_texts(before), odd_texts(before), dates(before)):
            if stopped():
                return replace(found, at_least=True)
            found += OutboxStats.of(self._times(query), before)
        with self._mongo.asking():
            others = self._collection.count_documents(TIMELESS)
            found += OutboxStats(others, undated=others)
            if before == EVER:
                return replace(found, depth=self._collection.count_documents({}))
        return found

    def _wire_texts(self, before: datetime) -> OutboxStats:
        """Those before a moment; what has the form and is no time may be first."""
        old = {"$and": [old_texts(before), {"occurredAt": WIRE}]}
        with self._mongo.cursors.taking(), self._mongo.asking():
            with self._collection.find(old, TIME_ALONE).sort(BY_AGE) as found:
                undated, oldest = 0, None
                for document in found:
                    oldest = moment_of(bytes(document.raw))
                    if oldest is not None:
                        break
                    undated += 1
            count = self._collection.count_documents(old) if undated or oldest else 0
        return OutboxStats(count, oldest=oldest, undated=undated)

    def _first(self, limit: int) -> OutboxStats:
        with self._mongo.asking():
            depth = self._collection.count_documents(
                {}, limit=limit + 1, maxTimeMS=MAX_MILLISECONDS
            )
        return OutboxStats(depth, oldest=self._oldest_of_the_first()).limited(limit)

    def _oldest_of_the_first(self) -> datetime | None:
        within = {"sort": BY_AGE, "limit": FIRST_TIMES, "max_time_ms": MAX_MILLISECONDS}
        times = [*self._times(TEXTS, **within), *self._times(DATES, **within)]
        return min(filter(None, times), default=None)

    def _times(self, query: Mapping[str, Any], **how: Any) -> list[datetime | None]:
        with (
            self._mongo.cursors.taking(),
            self._mongo.asking(),
            self._collection.find(query, TIME_ALONE, **how) as found,
        ):
            return [moment_of(bytes(each.raw)) for each in found]

    def delete(self, rows: Sequence[Row]) -> Sequence[Row]:
        with self._mongo.asking():
            self._collection.delete_many(filter_of(row.handle for row in rows))
        return []


class VersionedCollection(ABC, Generic[A]):
    """An AggregateStore: documents with a `version`, and the outbox that is written with them.

    A service says what its documents are: how an aggregate is written and read, its id as `_id`,
    and the field that a list is filtered by.
    """

    listed_by: str

    @abstractmethod
    def to_row(self, aggregate: A, /) -> Document: ...

    @abstractmethod
    def from_row(self, document: Document, /) -> A: ...

    def __init__(
        self, mongo: Mongo, *, collection: str, outbox: str, tracer: Tracer | None = None
    ) -> None:
        self._mongo, self._name, self._outbox, self._tracer = mongo, collection, outbox, tracer
        self.outbox = MongoOutbox(mongo, outbox)
        # https://opentelemetry.io/docs/specs/semconv/database/mongodb/
        self._commit: Attributes = {
            "db.system.name": "mongodb",
            "db.namespace": mongo.database.name,
            "db.operation.name": _COMMIT,
            "db.collection.name": collection,
        }

    @property
    def _collection(self) -> Collection[Document]:
        return self._mongo.database[self._name]

    def check(self) -> None:
        """Raise Unavailable unless the primary lets us read. A ping needs no credentials."""
        with self._mongo.asking():
            self._collection.find_one({}, {"_id": 1})

    def get(self, aggregate_id: str) -> A | None:
        with self._mongo.reaching("find"):
            document = self._collection.find_one({"_id": aggregate_id})
        return self.from_row(document) if document else None

    def commit(self, after: A, record: OutboxRecord | None, *, replaces: A | None) -> None:
        """Write the document and its outbox record, if there is one, in one transaction.

        It is majority committed.

        Who collides: another writer of the same document. `replaces` is what the decision was
        made on; None says that there was no document. An insert meets the unique _id,
        a replace finds no document at that version, and two transactions in flight meet in the
        server (112): Conflict each time. A transaction or a commit whose answer was lost is
        Unavailable: it may have been applied, and the caller's next try decides on what it finds.
        """
        document = self.to_row(after)
        with (
            spanned(self._tracer, f"{_COMMIT} {self._name}", "client", self._commit),
            _colliding(document["_id"]),
            self._mongo.transactions.taking(),
            self._mongo.reaching(_COMMIT),
            self._mongo.database.client.start_session(causal_consistency=False) as session,
        ):
            session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority", wtimeout=MAX_MILLISECONDS),
                max_commit_time_ms=MAX_MILLISECONDS,
            )
            database = session.client[self._mongo.database.name]  # a session is of one client
            if replaces is None:
                database[self._name].insert_one(document, session=session)
            else:
                unchanged = {"_id": document["_id"], "version": replaces.version}
                result = database[self._name].replace_one(unchanged, document, session=session)
                if result.matched_count == 0:
                    raise Conflict(document["_id"])
            if record is not None:
                database[self._outbox].insert_one(to_document(record), session=session)
            session.commit_transaction()

    def page(
        self, *, limit: int, after: Mapping[str, str] | None, where: str | None = None
    ) -> Page[A]:
        """Read one page by _id: of the documents that are listed by `where`, or of all.

        At most one document past the page is read, where an index begins with that field.
        Raises InvalidCursor for an `after` that cannot be a position in this list.
        """
        query: dict[str, Any] = {} if where is None else {self.listed_by: where}
        if after is not None:
            if after.keys() != {"_id"}:
                raise InvalidCursor
            query["_id"] = {"$gt": after["_id"]}
        with self._mongo.cursors.taking(), self._mongo.reaching():
            found = list(self._collection.find(query).sort("_id", 1).limit(limit + 1))
        items, more = found[:limit], len(found) > limit
        last = {"_id": items[-1]["_id"]} if more else None
        return Page([self.from_row(each) for each in items], last)


@contextmanager
def _colliding(aggregate_id: str) -> Iterator[None]:
    """Raise Conflict for each way in which two writers of one document meet."""
    try:
        yield
    except DuplicateKeyError as error:
        raise Conflict(aggregate_id) from error
    except Unavailable as error:
        if _is_write_conflict(error.__cause__):
            raise Conflict(aggregate_id) from error
        raise


def _is_write_conflict(error: BaseException | None) -> bool:
    return (
        isinstance(error, OperationFailure)
        and error.code == _WRITE_CONFLICT
        and is_transient(error)
    )
