"""An outbox in a MongoDB or DocumentDB collection, and the change stream that tells of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bson.raw_bson import RawBSONDocument
from bson.regex import Regex
from pymongo.change_stream import CollectionChangeStream
from pymongo.collection import Collection
from pymongo.cursor import RawBatchCursor
from pymongo.errors import OperationFailure, PyMongoError

from contracts.timestamps import format_timestamp
from relay.adapters.bson_rows import (
    RAW,
    as_bson,
    filter_of,
    is_in_array,
    moment_of,
    row_of,
    rows_of,
)
from relay.backlog_gauges import LeftBehind
from relay.ports import AHEAD, EVER, LostPosition, Row, is_old
from runtime.errors import Misconfigured
from runtime.mongodb import Mongo, enable_change_streams

MAX_DELETES = 100
"""Documents that one delete names: a page of keys, far below the server's 16 MB a command."""

PAGE = 500
"""Documents that a sweep's cursor fetches at a time."""

MAX_AWAIT_MILLISECONDS = 500
"""How long the server waits for a change before it says that there was none, and a stop waits."""


_BY_AGE = [("occurredAt", 1), ("sequence", 1)]


_WIRE = Regex(
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9]{3}Z$"
)
"""The wire's own form, of which the order of texts is the order of times. Not as $regex: before
MongoDB 4.0.7, $not takes none."""

_NO_TEXTS: Mapping[str, Any] = {"occurredAt": {"$not": {"$type": "string"}}}
"""Dates, and all that is no time. All of the index is walked: it has no such range."""

# https://www.mongodb.com/docs/manual/reference/bson-types/: all that DocumentDB holds but texts,
# dates and arrays. Each is a range of the index.
_TIMELESS_TYPES = (1, 3, 5, 7, 8, 11, 16, 17, 18, 19, -1, 127)
_TIMELESS: Mapping[str, Any] = {
    "$or": [
        {"occurredAt": {"$in": [None, []]}},
        *({"occurredAt": {"$type": kind}} for kind in _TIMELESS_TYPES),
    ]
}

_TIME_ALONE = {"occurredAt": 1}


class MongoOutbox:
    """An Outbox: `_id` is {aggregateId, sequence}."""

    max_deletes = MAX_DELETES

    def __init__(self, mongo: Mongo, collection: str) -> None:
        self._mongo, self._name = mongo, collection

    @property
    def _collection(self) -> Collection[RawBSONDocument]:
        return self._mongo.database[self._name].with_options(codec_options=RAW)

    def older_than(self, moment: datetime) -> Iterator[Sequence[Row]]:
        """Walk the index on occurredAt and sequence: in that order an aggregate's events happened.

        The server forgets a cursor that is not read for ten minutes, as while the window is full
        in an outage: that is Unavailable too, and the next sweep starts anew.
        """
        in_arrays: set[bytes] = set()
        for query in (_old_texts(moment), _odd_texts(moment), _NO_TEXTS):
            with self._mongo.asking():
                found = self._collection.find_raw_batches(query, batch_size=PAGE, sort=_BY_AGE)
            yield from self._pages(found, moment, in_arrays)

    def _pages(
        self, batches: RawBatchCursor[Any], moment: datetime, in_arrays: set[bytes]
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
                if not is_old(row, moment):
                    continue
                if row.occurred_at is not None or not is_in_array(raw):
                    page.append(row)
                elif (name := as_bson(row.handle)) not in in_arrays:
                    in_arrays.add(name)
                    page.append(row)
            yield page

    def left_behind(self, before: datetime) -> Iterator[LeftBehind]:
        """Ask the index for the first text of the wire's form; those behind it are only counted.

        Texts of other forms sort anywhere, so each of them is read. A row whose time is an array
        may be counted more than once; JavaScript and what is obsolete is not counted.
        """
        yield self._wire_texts(before)
        for query in (_early_odd_texts(before), _odd_texts(before), _dates(before)):
            with self._mongo.asking(), self._collection.find(query, _TIME_ALONE) as found:
                times = [moment_of(bytes(each.raw)) for each in found]
            known, timeless = [each for each in times if each and each < before], times.count(None)
            yield LeftBehind(len(known) + timeless, min(known, default=None), timeless)
        with self._mongo.asking():
            others = self._collection.count_documents(_TIMELESS)
        yield LeftBehind(others, None, others)

    def _wire_texts(self, before: datetime) -> LeftBehind:
        """Those before a moment; what has the form and is no time may be first."""
        old = {"$and": [_old_texts(before), {"occurredAt": _WIRE}]}
        with self._mongo.asking():
            with self._collection.find(old, _TIME_ALONE).sort(_BY_AGE) as found:
                timeless, oldest = 0, None
                for document in found:
                    oldest = moment_of(bytes(document.raw))
                    if oldest is not None:
                        break
                    timeless += 1
            count = self._collection.count_documents(old) if timeless or oldest else 0
        return LeftBehind(count, oldest, timeless)

    def delete(self, rows: Sequence[Row]) -> Sequence[Row]:
        with self._mongo.asking():
            self._collection.delete_many(filter_of(row.handle for row in rows))
        return []


class ChangeStream:
    """A Stream. Any trouble with it means opening it anew: there is no resume token to keep."""

    def __init__(self, mongo: Mongo, collection: str) -> None:
        self._mongo, self._name = mongo, collection
        self._changes: CollectionChangeStream[RawBSONDocument] | None = None

    def open(self) -> None:
        self.close()
        with self._mongo.asking():
            collection = self._mongo.database[self._name].with_options(codec_options=RAW)
            self._changes = collection.watch(
                [{"$match": {"operationType": "insert"}}],
                max_await_time_ms=MAX_AWAIT_MILLISECONDS,
            )

    def read(self) -> Iterable[Row]:
        """Wait for one insertion, MAX_AWAIT_MILLISECONDS at most.

        The driver resumes by itself after a failover. What it cannot resume from (DocumentDB's
        136 and 9, MongoDB's 286 and 280, a dropped collection) is LostPosition, as is any other
        failure: opening and sweeping is always right.
        """
        if self._changes is None or not self._changes.alive:
            raise LostPosition("the change stream is closed")
        try:
            change: Any = self._changes.try_next()
        except OperationFailure as error:
            raise LostPosition(f"code {error.code}") from error
        except PyMongoError as error:
            raise LostPosition(type(error).__name__) from error
        return [] if change is None else [row_of(change["fullDocument"].raw)]

    def close(self) -> None:
        if self._changes is not None:
            self._changes.close()
            self._changes = None


def _old_texts(moment: datetime) -> Mapping[str, Any]:
    return {"occurredAt": {"$lt": format_timestamp(moment)}}


def _early_odd_texts(moment: datetime) -> Mapping[str, Any]:
    """Texts of another form than the wire's that sort before a moment, in whatever order."""
    return {"occurredAt": {"$lt": format_timestamp(moment), "$not": _WIRE}}


def _odd_texts(moment: datetime) -> Mapping[str, Any]:
    """Texts that sort behind a moment and may still be older, or no times at all.

    A text of the wire's own form, not further AHEAD, is certainly young.
    """
    if moment == EVER:
        return {"occurredAt": {"$gte": format_timestamp(moment)}}
    ahead = min(moment, EVER - AHEAD) + AHEAD
    return {
        "$or": [
            {"occurredAt": {"$gte": format_timestamp(moment), "$not": _WIRE}},
            {"occurredAt": {"$gt": format_timestamp(ahead)}},
        ]
    }


def _dates(moment: datetime) -> Mapping[str, Any]:
    """BSON dates before a moment, and those so far AHEAD that they may be malformed."""
    ahead = min(moment, EVER - AHEAD) + AHEAD
    return {"$or": [{"occurredAt": {"$lt": moment}}, {"occurredAt": {"$gte": ahead}}]}


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
