"""What competes in a drain: a floor as a process, and how fast each contender is.

A contender is paused until its work is there. An outbox is emptied onto a bus of its own.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Literal
from uuid import uuid4

from local.supervisor import START_PATIENCE
from operations.sources.depths import depth_of
from runtime.ids import utc_now
from runtime.sqs.queue import find_url
from verification.load.outboxes import BACKLOG, SAMPLED, LoadedOutbox, a_record
from verification.load.queues import tap
from verification.testkit.engines import Engines
from verification.testkit.launcher import (
    PYTHON,
    LaunchedProcess,
    ProcessNotReady,
    running,
)
from verification.testkit.waiting import eventually, wait_until

BENCH_BUS = "bench-event-bus"
"""A bus without rules, archive and log group: their cost to the emulator is not measured."""

ONE_IN = 25
"""Of that many events one is looked for on the bus: to deliver each would cost the emulator as much
as to take it, from every contender alike."""

DRAIN_PATIENCE = 120.0
"""Seconds that a drain may take."""

LONG_POLL = 1.0
"""Seconds that a floor waits for messages, the least there is. MiniStack gives messages to the long
poll of a process that has been killed, where they stay unseen for half a minute."""

SHORT_POLL = {"QUEUE_WAIT_SECONDS": f"{LONG_POLL:.0f}"}
"""The same for a process of the system, which at its stop waits for its last poll."""

FloorClient = Literal["lean", "boto3"]

Entry = Sequence[AbstractContextManager[LaunchedProcess]]
"""The processes of a contender, in the order in which work passes them."""


@contextmanager
def floor(
    engines: Engines,
    name: str,
    workload: str,
    settings: Mapping[str, str] | None = None,
    *,
    polls: bool = False,
    client: FloorClient = "lean",
    python: Path = PYTHON,
) -> Iterator[LaunchedProcess]:
    """One of `floors`, with the settings of the process that it stands beside; it is ready.

    It calls AWS through boto3 or, `lean`, without botocore. All but the smallest API serve no
    health, so nothing may be asked of them. Where it `polls` a queue, the block ends when its last
    poll is over.
    """
    env = {**engines.environment(workload), "FLOOR_CLIENT": client, **(settings or {})}
    try:
        with running(
            engines.folder,
            f"verification.benchmarks.floors.{name}",
            "",
            env,
            port_name="HEALTH_PORT",
            is_measured=False,
            python=python,
        ) as process:
            if not wait_until(lambda: "ready" in process.output.read_text(), within=START_PATIENCE):
                raise ProcessNotReady(f"{name} was not ready within {START_PATIENCE:g} s")
            yield process
    finally:
        if polls:
            time.sleep(LONG_POLL)


def rate(
    entry: Entry, amount: int, *, prepare: Callable[[], None], wait: Callable[[], None]
) -> float:
    """Pieces of work a second: `prepare` makes `amount` of them, `wait` returns when all are done.

    Starting the processes is not in the time.
    """
    with ExitStack() as stack:
        processes = [stack.enter_context(each) for each in entry]
        with ExitStack() as still:
            for process in processes:
                still.enter_context(process.paused())
            prepare()
            started = time.monotonic()
        wait()
        return amount / (time.monotonic() - started)


class BusDrain:
    """One outbox and one bus, drained by one contender after the other."""

    def __init__(
        self, engines: Engines, outbox: LoadedOutbox, is_empty: Callable[[], bool]
    ) -> None:
        self._outbox, self._is_empty = outbox, is_empty
        engines.aws.client("events").create_event_bus(Name=BENCH_BUS)
        self._sqs = engines.aws.client("sqs")
        self._sample = find_url(self._sqs, tap(engines.aws, BENCH_BUS, SAMPLED))

    def rate(self, entry: Entry, events: int) -> float:
        """Events a second: they are committed while it is paused, then it goes on.

        The time ends when all are on the bus and nothing is left before it.
        """

        def wait() -> None:
            self._wait_until_published(events)
            wait_for(self._is_empty, "an empty outbox")

        return self._rate(entry, events, wait)

    def publishing_rate(self, entry: Entry, events: int) -> float:
        """The same of a contender that deletes nothing: the time ends when all are on the bus."""
        return self._rate(entry, events, lambda: self._wait_until_published(events))

    def _rate(self, entry: Entry, events: int, wait: Callable[[], None]) -> float:
        found = rate(entry, events, prepare=lambda: fill(self._outbox, events), wait=wait)
        self._sqs.purge_queue(QueueUrl=self._sample)
        return found

    def _wait_until_published(self, events: int) -> None:
        sampled = len(range(0, events, ONE_IN))
        wait_for(
            lambda: depth_of(self._sqs, self._sample).visible >= sampled,
            f"{sampled} sampled events on the bus",
        )


def fill(outbox: LoadedOutbox, rows: int) -> None:
    """Commit rows, each of an aggregate of its own, that occur now."""
    kinds = [BACKLOG if number % ONE_IN else SAMPLED for number in range(rows)]
    outbox.write([a_record(outbox, str(uuid4()), 1, utc_now(), kind) for kind in kinds])


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Look often enough to time a drain; raises NotInTime."""
    eventually(condition, timeout=DRAIN_PATIENCE, what=what, every=0.02)
