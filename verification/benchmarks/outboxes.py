"""Rows for a drain, and how to tell that a drain is over."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from runtime.ids import utc_now
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


class BusSample:
    """Counts, on a bus, the events of a drain that are looked for."""

    def __init__(self, engines: Engines, bus: str) -> None:
        self._sqs: Any = engines.aws.client("sqs")
        queue = tap(engines.aws, bus, SAMPLED)
        self._url = self._sqs.get_queue_url(QueueName=queue)["QueueUrl"]

    def clear(self) -> None:
        self._sqs.purge_queue(QueueUrl=self._url)

    def count(self) -> int:
        attributes = self._sqs.get_queue_attributes(
            QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"]
        )["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"])

    def wait_for(self, rows: int) -> None:
        """Wait until the sample of these rows is on the bus; raises NotDrained."""
        expected = sampled(rows)
        if not wait_until(lambda: self.count() >= expected, within=DRAIN_PATIENCE, every=0.02):
            raise NotDrained(f"{self.count()} of {expected} sampled events came to the bus")


def fill(outbox: LoadedOutbox, rows: int) -> None:
    """Commit rows, each of an aggregate of its own, that occur now."""
    kinds = [BACKLOG if number % ONE_IN else SAMPLED for number in range(rows)]
    outbox.write([a_record(outbox, str(uuid4()), 1, utc_now(), kind) for kind in kinds])


def sampled(rows: int) -> int:
    return len(range(0, rows, ONE_IN))


def wait_until_empty(
    is_empty: Callable[[], bool], *, within: float = DRAIN_PATIENCE, every: float = 0.02
) -> None:
    """Poll `every` seconds; raises NotDrained if something stays."""
    if not wait_until(is_empty, within=within, every=every):
        raise NotDrained(f"not all was drained within {within:g} s")
