"""The ends of the system as one process has them: through its wires, as the code wants them."""

# ruff: noqa: N803 (the names are boto3's)

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Generic

from contracts.outbox import OutboxRecord
from relay.ports import LostPosition
from runtime.errors import Unavailable
from runtime.outbox.commit import A
from runtime.outbox.rows import EVER, Row
from runtime.verdicts import Family
from services.stock.inventory import Inventory, Shard
from services.stock.model import Stock
from tests.fakes import MemoryInventory, MemoryStock, MemoryStore, subscription_id_of
from tests.memory_buses import MemoryBuses
from tests.memory_custom_buses import MemoryCustomBuses
from tests.memory_feed import Position
from tests.memory_queues import MemorySqs
from tests.relay_fakes import MemoryOutbox
from tests.simulation.fates import Kind
from tests.simulation.feeds import Feed
from tests.simulation.scheduling import Bell
from tests.simulation.wires import ANY_CALL, BATCH, STREAM_READ, UNLISTED, WRITE, Wire, part

STORE_WRITE = (*WRITE, Kind.ODD)
STORE_READ = (*ANY_CALL, Kind.ODD)

POISON = "app.poison"
REFUSED = "NotAuthorizedForSourceException"
INTERNAL = "InternalFailure"
"""A source that no bus here takes, and what PutEvents says of an entry that failed."""


class WiredStore(Generic[A]):
    """A service's Store; `committed` is told of what is in the database from then on.

    What is `cursed` cannot be committed: the database answers with an error that is in no list.
    """

    def __init__(
        self,
        wire: Wire,
        store: MemoryStore[A],
        committed: Callable[[OutboxRecord], object],
        cursed: Collection[str],
    ) -> None:
        self._wire, self._store, self._committed = wire, store, committed
        self._cursed = cursed

    def get(self, aggregate_id: str) -> A | None:
        return self._wire.call("get", lambda: self._store.get(aggregate_id), STORE_READ)

    def commit(self, after: A, record: OutboxRecord | None, *, replaces: A | None) -> None:
        def effect() -> None:
            if subscription_id_of(after) in self._cursed:
                raise Unavailable(self._wire.service, UNLISTED, Family.UNKNOWN, call="commit")
            self._store.commit(after, record, replaces=replaces)
            if record is not None:
                self._committed(record)

        self._wire.call("commit", effect, STORE_WRITE)


class WiredStock(WiredStore[Stock]):
    """The stock service's, whose commits take from the inventory."""

    def __init__(self, wire: Wire, store: MemoryStock, *arguments: Any) -> None:
        super().__init__(wire, store, *arguments)
        self.inventory = WiredInventory(wire, store.inventory)


class WiredInventory:
    """What a consumer reads of an InventoryStore."""

    def __init__(self, wire: Wire, inventory: MemoryInventory) -> None:
        self._wire, self._inventory = wire, inventory

    def shard(self, item: str, number: int) -> Shard | None:
        return self._wire.call("shard", lambda: self._inventory.shard(item, number), STORE_READ)

    def read(self, item: str) -> Inventory:
        return self._wire.call("inventory", lambda: self._inventory.read(item), STORE_READ)


class WiredOutbox:
    """An Outbox; `leaving` is told of rows at the moment in which they are deleted."""

    def __init__(
        self, wire: Wire, outbox: MemoryOutbox, leaving: Callable[[Sequence[Row]], object]
    ) -> None:
        self._wire, self._outbox, self._leaving = wire, outbox, leaving
        self.max_deletes, self.stats = outbox.max_deletes, outbox.stats

    def scan(self, before: datetime = EVER) -> Iterator[Sequence[Row]]:
        pages = iter(self._wire.call("scan", lambda: self._outbox.scan(before), ANY_CALL))
        yield next(pages)
        for page in pages:
            self._wire.call("scan", lambda: None, ANY_CALL)
            yield page

    def delete(self, rows: Sequence[Row]) -> Sequence[Row]:
        def delete(gone: Sequence[Row], left: Sequence[Row] = ()) -> Sequence[Row]:
            if gone:
                self._leaving(gone)
                self._outbox.delete(gone)
            return left

        return self._wire.call(
            "delete rows",
            lambda: delete(rows),
            BATCH,
            half=lambda amount: delete(*part(list(rows), amount)),
        )


class WiredStream:
    """A ChangeFeed, whose reader goes on only once it has got what it read."""

    def __init__(self, wire: Wire, feed: Feed) -> None:
        self._wire, self._feed, self._position = wire, feed, Position(feed)

    def open(self) -> None:
        self._wire.call("open stream", self._position.open, ANY_CALL)

    def read(self) -> Sequence[Row]:
        self._feed.wait_beyond(self._position.at)
        rows = self._wire.call("read stream", self._position.look, STREAM_READ, half=self._lose)
        self._position.go_on(rows)
        return rows

    def _lose(self, _: float) -> Sequence[Row]:
        raise LostPosition("TrimmedDataAccessException")


class WiredEvents:
    """An EventBridge client. Entries of the source POISON are always refused, behind HTTP 200."""

    def __init__(self, wire: Wire, buses: MemoryBuses) -> None:
        self._wire, self._buses = wire, buses

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        return self._wire.call(
            "PutEvents",
            lambda: self._put(Entries, Entries),
            BATCH,
            half=lambda amount: self._put(Entries, part(Entries, amount)[0]),
        )

    def _put(self, entries: list[dict[str, Any]], passing: list[dict[str, Any]]) -> dict[str, Any]:
        answers = []
        for entry in entries:
            if entry["Source"] == POISON:
                answers.append({"ErrorCode": REFUSED, "ErrorMessage": "not this source"})
            elif any(entry is each for each in passing):
                answers += self._buses.put_events(Entries=[entry])["Entries"]
            else:
                answers.append({"ErrorCode": INTERNAL, "ErrorMessage": "by half"})
        failed = sum("ErrorCode" in answer for answer in answers)
        return {"FailedEntryCount": failed, "Entries": answers}


class WiredCustomBuses:
    """A client of Custom Event Buses; of a batch some entries may fail, and POISON always does."""

    def __init__(self, wire: Wire, buses: MemoryCustomBuses) -> None:
        self._wire, self._buses = wire, buses

    def put_events(self, *, EventBusArn: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        def put(passing: list[dict[str, Any]]) -> dict[str, Any]:
            answers = []
            for entry in Entries:
                if entry["Source"] == POISON:
                    answers.append({"ErrorCode": "InvalidInputException", "ErrorMessage": POISON})
                elif any(entry is each for each in passing):
                    taken = self._buses.put_events(EventBusArn=EventBusArn, Entries=[entry])
                    answers += taken["Entries"]
                else:
                    answers.append({"ErrorCode": "InternalException", "ErrorMessage": "by half"})
            failed = sum("ErrorCode" in answer for answer in answers)
            return {"FailedEntryCount": failed, "Entries": answers}

        return self._wire.call(
            "PutEvents",
            lambda: put(Entries),
            BATCH,
            half=lambda amount: put(part(Entries, amount)[0]),
        )


class WiredSqs:
    """An SQS client. A receive waits until there is a message, however long: polls cost turns."""

    exceptions = MemorySqs.exceptions

    def __init__(
        self,
        wire: Wire,
        sqs: MemorySqs,
        bells: dict[str, Bell],
        unseen: Callable[[str], object],
    ) -> None:
        self._wire, self._sqs, self._bells, self._unseen = wire, sqs, bells, unseen
        self.get_queue_url = sqs.get_queue_url
        self.get_queue_attributes = sqs.get_queue_attributes

    def receive_message(self, *, QueueUrl: str, WaitTimeSeconds: int, **request: Any) -> Any:
        """Receive; messages whose receipt nobody got to see are told to `unseen`."""
        received: list[Any] = []

        def receive() -> Any:
            answer = self._sqs.receive_message(QueueUrl=QueueUrl, **request)
            received.extend(answer.get("Messages", ()))
            return answer

        while True:
            if WaitTimeSeconds:
                self._wait_for_message(QueueUrl)
            try:
                answer = self._wire.call(f"receive {QueueUrl}", receive)
            except Exception:
                for message in received:
                    self._unseen(message["MessageId"])
                raise
            if answer or not WaitTimeSeconds:
                return answer

    def _wait_for_message(self, name: str) -> None:
        messages, bell = self._sqs.queues[name].messages, self._bells[name]
        while not (messages and self._sqs.has_receivable(name)):
            bell.wait(self._sqs.next_shown_at(name) if messages else None)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        """Any other call goes through the wire; of a batch some entries may fail."""
        call = getattr(self._sqs, operation)
        if operation.endswith("_batch"):
            return partial(self._batch, operation, call)
        return lambda **request: self._wire.call(operation, lambda: call(**request))

    def _batch(
        self,
        operation: str,
        send: Callable[..., Any],
        *,
        QueueUrl: str,
        Entries: list[dict[str, Any]],
    ) -> Any:
        def half(amount: float) -> Any:
            passing, failing = part(Entries, amount)
            answer = send(QueueUrl=QueueUrl, Entries=passing) if passing else {"Successful": []}
            failed = [
                {"Id": each["Id"], "Code": "InternalError", "SenderFault": False}
                for each in failing
            ]
            return {**answer, "Failed": failed}

        return self._wire.call(
            operation, lambda: send(QueueUrl=QueueUrl, Entries=Entries), BATCH, half=half
        )
