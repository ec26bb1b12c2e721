"""The relays' processes: daemons, functions behind a stream's mapping, and the forwarder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from typing import Any
from weakref import proxy

from infra.workloads import Workload
from relay.adapters.custom_event_bus import CustomEventBus
from relay.adapters.eventbridge import EventBus
from relay.adapters.sqs_fifo import DeadLetterQueue, FifoQueue
from relay.batch import BatchPublisher, StreamBatchHandler, TimeLeft
from relay.feed_reader import PART, FeedReader
from relay.forwarder import Forwarder
from relay.pipeline import Pipeline
from relay.ports import RelayAdapters, Target
from relay.sweeper import Backlog, Sweeper
from relay.window import Window
from runtime.congestion import CongestionControl
from runtime.eventbridge import PUT_EVENTS_LIMITS
from runtime.outbox.rows import Row
from runtime.process.health import Readiness
from runtime.sqs.messages import Messages
from runtime.sqs.queue import FIRST_ANSWER_WITHIN
from tests.fakes import MemoryStock
from tests.simulation.ledger import Ledger
from tests.simulation.places import Database, Places
from tests.simulation.plans import FIFO, Plan
from tests.simulation.scheduling import Bell, Scheduler, Signal, TaskPool, TaskStop
from tests.simulation.serving import QUEUES
from tests.simulation.simulated_processes import Errand, Process
from tests.simulation.uncounted import METRICS
from tests.simulation.wired import (
    WiredCustomBuses,
    WiredEvents,
    WiredOutbox,
    WiredSqs,
    WiredStream,
)
from tests.simulation.wires import Weather, Wire

MAX_BYTES = 16 * 1024 * 1024
MIN_AGE = INTERVAL = timedelta(seconds=30)
RETRY_HORIZON = timedelta(seconds=360)
"""The age of a row that the function which publishes has given up."""

SWEEP_EVERY = 240.0
"""Seconds between invocations of the function that sweeps."""

HAS_TIME_FOR, SWEEPS_FOR = 235.0, 65.0
"""Seconds in which all calls of an invocation are answered; and in which a sweep begins some."""


class Relays:
    """Puts relays together as relay/__main__.py and relay/aws_lambda.py do."""

    def __init__(
        self,
        weather: Weather,
        places: Places,
        plan: Plan,
        parts: "Parts",
    ) -> None:
        self._weather, self._places, self._scheduler = weather, places, weather.scheduler
        self._plan, self._parts = plan, parts

    def daemon(self, workload: Workload, database: Database, process: Process) -> None:
        """`relay dynamodb` and `relay change-stream`: feed reader, sweeper and pipeline."""
        wire = Wire(self._weather, process, database.service, aws=False)
        stop = TaskStop(self._scheduler)
        pipeline, sweeper = self._pipeline_of(process, workload, database, stop)
        reader = FeedReader(
            WiredStream(wire, database.feed),
            sweeper,
            pipeline.window,
            stop=stop,
            readiness=Readiness(PART),
            now=self._places.now,
        )
        process.spawn(reader.run)
        process.spawn(sweeper.run)

    def forwarder(self, workload: Workload, process: Process) -> None:
        """`relay forward`: forwarders side by side."""
        sqs, queue = self._sqs(process), QUEUES[FIFO]
        congestion = self._congestion(
            self._plan.workers, PUT_EVENTS_LIMITS.entries, first_timeout=FIRST_ANSWER_WITHIN
        )
        for _ in range(self._plan.workers):
            forwarder = Forwarder(
                sqs,
                queue,
                self._event_bus(process, workload),
                DeadLetterQueue(sqs, queue.dead_letter_queue),
                stop=TaskStop(self._scheduler),
                metrics=METRICS,
                readiness=Readiness(queue.name),
                wait_seconds=20,
                congestion=congestion,
                now=lambda: self._scheduler.now,
            )
            process.spawn(forwarder.run)

    def function(
        self, process: Process, workload: Workload, database: Database
    ) -> StreamBatchHandler:
        """What an execution environment of the function holds that publishes."""
        publisher = ObservedBatchPublisher(
            self._adapters(process, workload, database),
            METRICS,
            wait=self._scheduler.sleep,
            pool=TaskPool(self._scheduler, process.spawn),
            congestion=partial(self._congestion, longest_pause=0.0),
        )
        publisher.ledger = self._places.ledger
        return StreamBatchHandler(publisher, database.outbox_name)

    def sweep_once(self, process: Process, workload: Workload, database: Database) -> None:
        """The function that sweeps: one pass, and what it found leaves or stays."""
        stop = TaskStop(self._scheduler)
        pipeline, sweeper = self._pipeline_of(process, workload, database, stop)
        self._scheduler.after(SWEEPS_FOR, stop.request)
        self._scheduler.after(SWEEPS_FOR, pipeline.window.close)
        try:
            sweeper.sweep(before=self._places.now() - RETRY_HORIZON)
        finally:
            pipeline.window.wait_until_empty()

    def _pipeline_of(
        self,
        process: Process,
        workload: Workload,
        database: Database,
        stop: TaskStop,
    ) -> "tuple[Pipeline, RingingSweeper]":
        adapters = self._adapters(process, workload, database)
        window = ObservedWindow(self._scheduler, self._places.ledger, self._plan.window_rows)
        pipeline = self._parts.pipeline(
            adapters,
            stop=stop,
            metrics=METRICS,
            window=window,
            call_later=lambda seconds, act: self._call_later(process, seconds, act),
            congestion=self._congestion,
        )
        backlog = Backlog(
            adapters,
            window,
            stop=stop,
            metrics=METRICS,
            now=self._places.now,
            min_age=MIN_AGE,
            interval=INTERVAL,
        )
        sweeper = self._parts.sweeper(backlog, elapsed=self._places.seconds)
        sweeper.bell, sweeper.rows = Bell(self._scheduler), database.outbox.rows
        for _ in range(self._plan.workers):
            process.spawn(lambda: _repeat(pipeline.publish_next))
        # The pipeline holds the window that calls this: see World.end.
        weak = proxy(pipeline)
        window.settled = Errand(
            process,
            lambda: weak.has_published,
            lambda: weak.delete_next(),  # noqa: PLW0108 (its method would hold it)
        )
        return pipeline, sweeper

    def _congestion(self, calls: int, entries: int, **how: float) -> CongestionControl:
        """Congestion control whose waits are tasks'."""
        return CongestionControl(
            calls,
            entries,
            now=lambda: self._scheduler.now,
            condition=lambda _: Signal(self._scheduler),
            **how,
        )

    def _call_later(self, process: Process, seconds: float, act: Callable[[], object]) -> None:
        """Do something then, if the process still lives that life."""
        life = process.life

        def then() -> None:
            if process.is_up and process.life == life:
                act()

        self._scheduler.after(seconds, then)

    def _adapters(self, process: Process, workload: Workload, database: Database) -> RelayAdapters:
        target: Target
        if "FIFO_QUEUE" in workload.settings:
            target = FifoQueue(self._sqs(process), workload.settings["FIFO_QUEUE"])
        else:
            target = self._event_bus(process, workload)
        dead_letters = DeadLetterQueue(self._sqs(process), workload.settings["DEAD_LETTER_QUEUE"])
        return RelayAdapters(self._outbox(process, database), target, dead_letters)

    def _event_bus(self, process: Process, workload: Workload) -> Target:
        wire, custom = Wire(self._weather, process, "EventBridge", aws=True), self._places.custom
        if custom is not None:
            arn = custom.buses[workload.settings["EVENT_BUS"]].arn
            return self._parts.custom_bus(WiredCustomBuses(wire, custom.client), arn)
        client = WiredEvents(wire, self._places.buses)
        return self._parts.bus(client, workload.settings["EVENT_BUS"])

    def _outbox(self, process: Process, database: Database) -> WiredOutbox:
        wire = Wire(self._weather, process, database.service, aws=False)
        return WiredOutbox(
            wire, database.outbox, lambda rows: self._places.leave(process.name, rows)
        )

    def _sqs(self, process: Process) -> Any:
        wire = Wire(self._weather, process, "SQS", aws=True)
        places = self._places
        return WiredSqs(wire, places.sqs, places.bells, places.ledger.lose_receipt)


class ObservedWindow(Window):
    """A window whose waits are tasks' and of which the ledger knows what was taken beside what.

    `settled` is called when there may be something to delete.
    """

    settled: Callable[[], object]

    def __init__(self, scheduler: Scheduler, ledger: Ledger, max_rows: int) -> None:
        def condition(_: Lock) -> Signal:
            return Signal(scheduler)

        super().__init__(max_rows=max_rows, max_bytes=MAX_BYTES, condition=condition)
        self._ledger = ledger

    def take(self, target: Target, **how: Any) -> list[Row]:
        batch = super().take(target, **how)
        self._ledger.take_together(batch, self._held)
        return batch

    def settle(self, rows: Sequence[Row]) -> None:
        super().settle(rows)
        if rows:
            self.settled()


class RingingSweeper(Sweeper):
    """A sweeper that is woken on request, or when due, where a thread would poll.

    An empty outbox it does not read: nothing that befalls that can do harm.
    """

    bell: Bell
    rows: Mapping[tuple[str, int], Row]

    def request(self, *, before: datetime) -> None:
        super().request(before=before)
        self.bell.ring()

    def run(self) -> None:
        while True:
            while self._requested is None and self._elapsed() < self._due:
                self.bell.wait(self._due)
            self.sweep_if_due()

    def sweep(self, *, before: datetime) -> int:
        return super().sweep(before=before) if self.rows else 0


class ObservedBatchPublisher(BatchPublisher):
    """A publisher of which the ledger knows what came in one batch."""

    ledger: Ledger

    def publish(self, rows: Sequence[Row], time_left: TimeLeft) -> set[int]:
        self.ledger.take_together(rows, [row.key for row in rows])
        return super().publish(rows, time_left)


@dataclass(frozen=True)
class Parts:
    """What a history runs that a planted bug can take the place of."""

    bus: Callable[[Any, str], Target] = EventBus
    custom_bus: Callable[[Any, str], Target] = CustomEventBus
    pipeline: type[Pipeline] = Pipeline
    sweeper: type[RingingSweeper] = RingingSweeper
    stock: type[MemoryStock] = MemoryStock
    messages: type[Messages] = Messages


def _repeat(step: Callable[[], bool]) -> None:
    while step():
        pass
