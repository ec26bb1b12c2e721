"""The change stream of an outbox collection in MongoDB or DocumentDB: a Stream."""

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo.change_stream import CollectionChangeStream
from pymongo.errors import OperationFailure, PyMongoError

from relay.ports import LostPosition
from runtime.errors import Misconfigured
from runtime.mongodb import Mongo
from runtime.outbox.mongodb_rows import RAW, row_of
from runtime.outbox.rows import Row

MAX_AWAIT_MILLISECONDS = 500
"""How long the server waits for a change before it says that there was none, and a stop waits."""


class ChangeStream:
    """A Stream. Any trouble with it means opening it again: there is no resume token to keep."""

    def __init__(
        self,
        mongo: Mongo,
        collection: str,
        *,
        max_await_milliseconds: int = MAX_AWAIT_MILLISECONDS,
    ) -> None:
        self._mongo, self._name = mongo, collection
        self._max_await_milliseconds = max_await_milliseconds
        self._changes: CollectionChangeStream[RawBSONDocument] | None = None
        self._held = ExitStack()

    def open(self) -> None:
        self.close()
        with ExitStack() as unless_opened, self._mongo.asking():
            unless_opened.enter_context(self._mongo.cursors.taking())
            collection = self._mongo.database[self._name].with_options(codec_options=RAW)
            self._changes = collection.watch(
                [{"$match": {"operationType": "insert"}}],
                max_await_time_ms=self._max_await_milliseconds,
            )
            self._held = unless_opened.pop_all()

    def read(self) -> Iterable[Row]:
        """Wait for one insertion, `max_await_milliseconds` at most.

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
        with self._held:
            if self._changes is not None:
                self._changes.close()
                self._changes = None


def find_outbox(mongo: Mongo, collection: str) -> None:
    """Raise Misconfigured without the collection, or Unavailable.

    A change stream that is off, as DocumentDB has it until `infra.documentdb` ran, is Unavailable
    when it is opened: to turn it on is not among this process's rights.
    """
    with mongo.asking():
        if collection not in mongo.database.list_collection_names():
            raise Misconfigured(
                f"the outbox collection {mongo.database.name}.{collection} does not exist:"
                " provision it first"
            )
