"""Bugs that such systems are known for, to be planted: the simulation has to find each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count, takewhile
from typing import Any

from contracts.outbox import OutboxRecord
from relay.adapters.custom_event_bus import CustomEventBus
from relay.adapters.eventbridge import EventBus
from relay.pipeline import Pipeline
from relay.ports import Failure, RelayAdapters, Target
from relay.sweeper import Backlog
from runtime.errors import Unavailable
from runtime.outbox.ports import Outbox
from runtime.outbox.rows import EVER, Row
from runtime.retry import Decision
from runtime.sqs.messages import Messages
from services.stock.model import Stock
from tests.fakes import MemoryStock
from tests.simulation.relaying import Parts, RingingSweeper


class DeletesFirst(Pipeline):
    """Deletes rows, then publishes them: who is killed in between has lost them."""

    def __init__(self, adapters: RelayAdapters, **how: Any) -> None:
        super().__init__(adapters, **how)
        self._publisher._target = _DeletingTarget(self, adapters.target)


class _DeletingTarget:
    """A target that is only asked once the rows are gone."""

    def __init__(self, pipeline: Pipeline, target: Target) -> None:
        self._pipeline, self._target = pipeline, target
        self.limits, self.size_of = target.limits, target.size_of

    def publish(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None]:
        keys = [(record.aggregate_id, record.sequence) for record in records]
        self._pipeline._outbox.delete(
            [Row(*key, key, record) for key, record in zip(keys, records, strict=True)]
        )
        return self._target.publish(records)


class IgnoresFailedEntries(EventBus):
    """Takes HTTP 200 for success: FailedEntryCount and its entries are not looked at."""

    def publish(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None]:
        super().publish(records)
        return [None] * len(records)


class AllocatesUnconditionally(MemoryStock):
    """Puts the row whatever is there, as a PutItem without a ConditionExpression does."""

    def commit(self, after: Stock, record: OutboxRecord | None, *, replaces: Stock | None) -> None:
        super().commit(after, record, replaces=self._rows.get(after.subscription_id))


class TakesWithoutCondition(MemoryStock):
    """Takes what was planned, whatever is available by then."""

    def beside(self, after: Stock, before: Stock | None) -> Callable[[], object]:
        shards, held = self.inventory.shards, before.taken if before else {}

        def move() -> None:
            for number in {*held, *after.taken}:
                key = after.stock_id, number
                razors = after.taken.get(number, 0) - held.get(number, 0)
                shards[key] = shards[key].taking(razors)

        return move


class BuriesUnknownErrors(Messages):
    """Takes every error that is in no list for the message's own, as short lists did."""

    def decide(self, error: Exception, message: Any, attempt: int, *, strikes: int) -> Decision:
        if isinstance(error, Unavailable) and error.is_unknown:
            error = ValueError(str(error))
        return super().decide(error, message, attempt, strikes=strikes)


class HoldsUnknownErrors(Messages):
    """Holds a message for every such error, however many others pass."""

    def decide(self, error: Exception, message: Any, attempt: int, *, strikes: int) -> Decision:
        return super().decide(error, message, attempt, strikes=0)


class MakesNoRoom(Messages):
    """Keeps its thread while it holds a message that may be poison."""

    def settle(self, message: Any, make_room: object = None) -> bool:
        return super().settle(message)


class StopsAtEmptyPage(RingingSweeper):
    """Takes a page that holds nothing for the end, as if it had no key to go on from."""

    def __init__(self, backlog: Backlog, **how: Any) -> None:
        adapters = replace(backlog.adapters, outbox=_UntilEmpty(backlog.adapters.outbox))
        super().__init__(replace(backlog, adapters=adapters), **how)


class _UntilEmpty:
    """An outbox whose pages end with the first empty one."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.delete, self.stats = outbox.delete, outbox.stats
        self.max_deletes = outbox.max_deletes

    def scan(self, before: datetime = EVER) -> Iterator[Sequence[Row]]:
        return takewhile(len, self._outbox.scan(before))


class GroupsByEvent(CustomEventBus):
    """Makes each event a group of its own: none waits for an earlier one of its aggregate."""

    def _entry(self, record: OutboxRecord) -> dict[str, Any]:
        entry = super()._entry(record)
        return {
            **entry,
            "SystemMetadata": {**entry["SystemMetadata"], "EventGroupId": record.event_id},
        }


class DeduplicatesByTry(CustomEventBus):
    """Gives each try an id of its own: a copy is another event."""

    def __init__(self, events: Any, arn: str) -> None:
        super().__init__(events, arn)
        self._tries = count()

    def _entry(self, record: OutboxRecord) -> dict[str, Any]:
        entry = super()._entry(record)
        unique = f"{record.event_id}-{next(self._tries)}"
        return {**entry, "SystemMetadata": {**entry["SystemMetadata"], "DeduplicationId": unique}}


PLANTS: Mapping[str, Parts] = {
    "delete-before-publish": Parts(pipeline=DeletesFirst),
    "ignore-failed-entry-count": Parts(bus=IgnoresFailedEntries),
    "group-by-event": Parts(custom_bus=GroupsByEvent),
    "deduplicate-by-try": Parts(custom_bus=DeduplicatesByTry),
    "allocate-without-condition": Parts(stock=AllocatesUnconditionally),
    "take-without-condition": Parts(stock=TakesWithoutCondition),
    "bury-unknown-errors": Parts(messages=BuriesUnknownErrors),
    "hold-unknown-errors": Parts(messages=HoldsUnknownErrors),
    "make-no-room": Parts(messages=MakesNoRoom),
    "stop-at-empty-page": Parts(sweeper=StopsAtEmptyPage),
}
"""By the name that `python -m tests.simulation --plant` takes."""


def planted(plant: str | None) -> Parts:
    """The parts with that bug in them, or without any."""
    return PLANTS[plant] if plant else Parts()
