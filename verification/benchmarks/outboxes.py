"""Outboxes that contenders empty onto a bus of their own, and how to tell that a drain is over."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from runtime.ids import utc_now
from runtime.sqs.queue import find_url
from verification.benchmarks.contenders import Entry, rate
from verification.load.outboxes import BACKLOG, SAMPLED, LoadedOutbox, a_record
from verification.load.taps import tap
from verification.testkit.engines import Engines
from verification.testkit.waiting import wait_until

BENCH_BUS = "bench-event-bus"
"""A bus without rules, archive and log group: their cost to the emulator is not measured."""

ONE_IN = 25
"""Of that many events one is looked for on the bus: to deliver each would cost the emulator as much
as to take it, from every contender alike."""

DRAIN_PATIENCE = 120.0
"""Seconds that a drain may take."""


class NotDrained(Exception):
    """A contender that did not bring everything to the bus."""


class BusDrain:
    """One outbox and one bus, drained by one contender after the other."""

    def __init__(
        self, engines: Engines, outbox: LoadedOutbox, is_empty: Callable[[], bool]
    ) -> None:
        self._outbox, self._is_empty = outbox, is_empty
        engines.aws.client("events").create_event_bus(Name=BENCH_BUS)
        self._sqs = engines.aws.client("sqs")
        self._sample = find_url(self._sqs, tap(engines.aws, BENCH_BUS, SAMPLED))

    def rate(self, entry: Entry, events: int, *, deletes: bool = True) -> float:
        """Events a second: they are committed while it is paused, then it goes on.

        The time ends when all are on the bus and, where it `deletes`, nothing is left before it.
        """

        def wait() -> None:
            self._wait_for_sample(len(range(0, events, ONE_IN)))
            if deletes:
                wait_until_empty(self._is_empty)

        found = rate(entry, events, prepare=lambda: fill(self._outbox, events), wait=wait)
        self._sqs.purge_queue(QueueUrl=self._sample)
        return found

    def _wait_for_sample(self, expected: int) -> None:
        if not wait_until(lambda: self._seen() >= expected, within=DRAIN_PATIENCE, every=0.02):
            raise NotDrained(f"{self._seen()} of {expected} sampled events came to the bus")

    def _seen(self) -> int:
        answer: Any = self._sqs.get_queue_attributes(
            QueueUrl=self._sample, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def fill(outbox: LoadedOutbox, rows: int) -> None:
    """Commit rows, each of an aggregate of its own, that occur now."""
    kinds = [BACKLOG if number % ONE_IN else SAMPLED for number in range(rows)]
    outbox.write([a_record(outbox, str(uuid4()), 1, utc_now(), kind) for kind in kinds])


def wait_until_empty(
    is_empty: Callable[[], bool], *, within: float = DRAIN_PATIENCE, every: float = 0.02
) -> None:
    """Poll `every` seconds; raises NotDrained if something stays."""
    if not wait_until(is_empty, within=within, every=every):
        raise NotDrained(f"not all was drained within {within:g} s")
