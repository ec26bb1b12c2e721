"""An outbox in a MongoDB or DocumentDB collection, and the change stream that tells of it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any

from pymongo.change_stream import CollectionChangeStream
from pymongo.collection import Collection
from pymongo.errors import OperationFailure, PyMongoError

from contracts.timestamps import format_timestamp, parse_timestamp
from relay.ages import LeftBehind
from relay.rows import NOT_A_TIME, LostPlace, Row, parse
from runtime.errors import Misconfigured
from runtime.mongodb import Document, Mongo, enable_change_streams

MAX_DELETES = 100
"""Documents that one delete names: a page of keys, far below the server's 16 MB a command."""

PAGE = 500
"""Documents that a sweep's cursor fetches at a time."""

MAX_AWAIT_MILLISECONDS = 500
"""How long the server waits for a change before it says that there was none, and a stop waits."""


_BY_AGE = [("occurredAt", 1), ("sequence", 1)]


class MongoOutbox:
    """An Outbox: `_id` is {aggregateId, sequence}."""

    max_deletes = MAX_DELETES

    def __init__(self, mongo: Mongo, collection: str) -> None:
        self._mongo, self._name = mongo, collection

    @property
    def _collection(self) -> Collection[Document]:
        return self._mongo.database[self._name]

    def older_than(self, moment: datetime) -> Iterator[Sequence[Row]]:
        """Walk the index on occurredAt and sequence: in that order an aggregate's events happened.

        The server forgets a cursor that is not read for ten minutes, as while the window is full
        in an outage: that is Unavailable too, and the next sweep starts anew.
        """
        old = {"occurredAt": {"$lt": format_timestamp(moment)}}
        unreadable = (
            {"occurredAt": {"$gte": NOT_A_TIME}},
            {"occurredAt": {"$not": {"$type": "string"}}},
        )
        for query in (old, *unreadable):
            with self._mongo.asking():
                cursor = self._collection.find(query).sort(_BY_AGE).batch_size(PAGE)
            page: list[Row] = []
            while True:
                with self._mongo.asking():
                    document = next(cursor, None)
                if document is not None:
                    page.append(row_of(document))
                if document is None or len(page) == PAGE:
                    yield page
                    page = []
                if document is None:
                    break

    def left_behind(self, before: datetime) -> Iterator[LeftBehind]:
        """Ask the index for the first; what stands behind it is not older, and is only counted.

        Passes over times that nobody can read: they may sort before all others.
        """
        old = {"occurredAt": {"$lt": format_timestamp(before)}}
        with (
            self._mongo.asking(),
            self._collection.find(old, {"occurredAt": 1, "_id": 0}).sort(_BY_AGE) as found,
        ):
            first = list(islice(found, 1))
            oldest = next(filter(None, map(_moment, chain(first, found))), None)
            count = self._collection.count_documents(old) if first else 0
        yield LeftBehind(count, oldest)

    def delete(self, rows: Sequence[Row]) -> Sequence[Row]:
        with self._mongo.asking():
            self._collection.delete_many({"_id": {"$in": [row.handle for row in rows]}})
        return []


class ChangeStream:
    """A Stream. Any trouble with it means opening it anew: there is no resume token to keep."""

    def __init__(self, mongo: Mongo, collection: str) -> None:
        self._mongo, self._name = mongo, collection
        self._changes: CollectionChangeStream[Document] | None = None

    def open(self) -> None:
        self.close()
        with self._mongo.asking():
            self._changes = self._mongo.database[self._name].watch(
                [{"$match": {"operationType": "insert"}}],
                max_await_time_ms=MAX_AWAIT_MILLISECONDS,
            )

    def read(self) -> Iterable[Row]:
        """Wait for one insertion, MAX_AWAIT_MILLISECONDS at most.

        The driver resumes by itself after a failover. What it cannot resume from (DocumentDB's
        136 and 9, MongoDB's 286 and 280, a dropped collection) is LostPlace, as is any other
        failure: opening and sweeping is always right.
        """
        if self._changes is None or not self._changes.alive:
            raise LostPlace("the change stream is closed")
        try:
            change: Any = self._changes.try_next()
        except OperationFailure as error:
            raise LostPlace(f"code {error.code}") from error
        except PyMongoError as error:
            raise LostPlace(type(error).__name__) from error
        if change is None:
            return []
        return [row_of(change["fullDocument"])]

    def close(self) -> None:
        if self._changes is not None:
            self._changes.close()
            self._changes = None


def row_of(document: Document) -> Row:
    """Read a document of an outbox collection, whatever its `_id` is."""
    key = document["_id"]
    known = (
        isinstance(key, dict)
        and isinstance(key.get("aggregateId"), str)
        and isinstance(key.get("sequence"), int)
    )
    fields = {name: value for name, value in document.items() if name != "_id"}
    return Row(
        aggregate_id=key["aggregateId"] if known else f"unknown-{key}",
        sequence=key["sequence"] if known else 0,
        handle=key,
        content=parse(fields),
    )


def _moment(document: Document) -> datetime | None:
    try:
        return parse_timestamp(document["occurredAt"])
    except ValueError:
        return None


def find_outbox(mongo: Mongo, collection: str) -> None:
    """Find the outbox and see to it that it has a change stream.

    Raises Misconfigured without the collection, Unavailable. DocumentDB has change streams off
    until this; MongoDB does not know the command and has them always.
    """
    with mongo.asking():
        if collection not in mongo.database.list_collection_names():
            raise Misconfigured(
                f"the outbox collection {mongo.database.name}.{collection} does not exist:"
                " provision it first"
            )
        enable_change_streams(mongo.database, collection)
