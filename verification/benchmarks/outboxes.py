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
from verification.testkit.waiting import eventually

BENCH_BUS = "bench-event-bus"
"""A bus without rules, archive and log group: their cost to the emulator is not measured."""

ONE_IN = 25
"""Of that many events one is looked for on the bus: to deliver each would cost the emulator as much
as to take it, from every contender alike."""

DRAIN_PATIENCE = 120.0
"""Seconds that a drain may take."""


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
            sampled = len(range(0, events, ONE_IN))
            wait_for(lambda: self._seen() >= sampled, f"{sampled} sampled events on the bus")
            if deletes:
                wait_for(self._is_empty, "an empty outbox")

        found = rate(entry, events, prepare=lambda: fill(self._outbox, events), wait=wait)
        self._sqs.purge_queue(QueueUrl=self._sample)
        return found

    def _seen(self) -> int:
        answer: Any = self._sqs.get_queue_attributes(
            QueueUrl=self._sample, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def fill(outbox: LoadedOutbox, rows: int) -> None:
    """Commit rows, each of an aggregate of its own, that occur now."""
    kinds = [BACKLOG if number % ONE_IN else SAMPLED for number in range(rows)]
    outbox.write([a_record(outbox, str(uuid4()), 1, utc_now(), kind) for kind in kinds])


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Look often enough to time a drain; raises NotInTime."""
    eventually(condition, timeout=DRAIN_PATIENCE, what=what, every=0.02)
