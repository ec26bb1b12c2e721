"""The services' processes: APIs whose requests are tasks, and consumers as the code has them."""

from collections.abc import Mapping
from itertools import count, cycle
from typing import Any, cast

from infra.topology import TOPOLOGY
from infra.workloads import Consumes, Workload
from runtime.process.health import Readiness
from runtime.sqs.consumer import Slot
from runtime.sqs.deletions import Deletions
from runtime.sqs.handler import Handler
from runtime.sqs.messages import Messages
from runtime.sqs.queue import SourceQueue, find_queue
from tests.consuming import EVENT_HANDLERS, HANDLERS
from tests.fakes import sealed
from tests.memory_queues import MemorySqs
from tests.simulation.ledger import WORK_QUEUES, Ledger
from tests.simulation.places import Places
from tests.simulation.scheduling import Permits, Scheduler, TaskStop
from tests.simulation.simulated_processes import Errand, Process
from tests.simulation.uncounted import METRICS
from tests.simulation.wired import WiredSqs, WiredStock, WiredStore
from tests.simulation.wires import Weather, Wire

WAIT_SECONDS = 20
"""Of a long poll."""

MOST_HELD, MADE_ROOM = 3, 12
"""Messages that a consumer holds at a time, and those that have made room for others; a real one
holds 20 and 80, of far more."""


QUEUES: Mapping[str, SourceQueue] = {
    name: find_queue(cast("Any", MemorySqs(TOPOLOGY.queues, now=lambda: 0.0)), name)
    for name in WORK_QUEUES
}
"""As each process finds them when it starts."""


VERSIONED: Mapping[str, Any] = {"subscriptions": {"seal": sealed}, "payments": {}}
"""The domains whose events have two versions, and what else version 2 takes."""


class Services:
    """Puts the services' processes together as services/*/main.py do."""

    def __init__(self, weather: Weather, places: Places, messages: type[Messages]) -> None:
        self._weather, self._places, self._messages = weather, places, messages
        self._numbers, self._versions = count(1), cycle((1, 2))

    def handlers(self, process: Process, domain: str) -> Any:
        """A domain's handlers, on a wire from this process to its database.

        Events are of both versions, as in a rolling upgrade: each process that starts has the other
        one than that before.
        """
        database = self._places.databases[domain]
        wire = Wire(self._weather, process, database.service, aws=False)
        is_stock = domain == "stock"
        kind: type[WiredStore[Any]] = WiredStock if is_stock else WiredStore
        clock = {"monotonic": self._places.seconds} if is_stock else {}
        store = kind(
            wire,
            database.store,
            lambda record: self._places.commit(database, process.name, record),
            self._places.cursed[domain],
        )
        published: Any = {"event_version": next(self._versions)} if domain in VERSIONED else {}
        return HANDLERS[domain](
            store,
            **published,
            **VERSIONED.get(domain, {}),
            now=self._places.now,
            new_id=lambda: f"event-{next(self._numbers)}",
            wait=self._weather.scheduler.sleep,
            **clock,
        )

    def consume(self, workload: Workload, process: Process) -> None:
        """What a consumer process does when it starts."""
        scheduler, places = self._weather.scheduler, self._places
        handlers = self.handlers(process, workload.domain)
        wire = Wire(self._weather, process, "SQS", aws=True)
        sqs: Any = WiredSqs(wire, places.sqs, places.bells, places.ledger.lose_receipt)
        for name in (use.queue for use in workload.uses if isinstance(use, Consumes)):
            queue = QUEUES[name]
            handler = Observed(EVENT_HANDLERS[name](handlers), queue, places.ledger)
            Consuming(scheduler, process, sqs, queue, handler, messages=self._messages).start()


class Observed:
    """A handler of which the ledger knows what was handled."""

    def __init__(self, handler: Handler, queue: SourceQueue, ledger: Ledger) -> None:
        self._handler, self._queue, self._ledger = handler, queue, ledger
        self.is_permanent = handler.is_permanent

    def handle(self, body: str) -> None:
        self._handler.handle(body)
        event = self._ledger.event_of(body)
        if event is not None:
            self._ledger.handled[self._queue.name].add(event.detail)


class Consuming:
    """A runtime.sqs.consumer.Consumer's threads as tasks.

    One receives, each message has one, and one deletes while there is something to delete.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        process: Process,
        sqs: Any,
        queue: SourceQueue,
        handler: Handler,
        *,
        messages: type[Messages],
    ) -> None:
        self._process = process
        self._free, self._overflow = Permits(scheduler, MOST_HELD), Permits(scheduler, MADE_ROOM)
        self._messages = messages(
            sqs,
            queue,
            handler,
            stop=TaskStop(scheduler),
            metrics=METRICS,
            readiness=Readiness(queue.name),
            wait_seconds=WAIT_SECONDS,
        )
        self._deletions = deletions = Deletions(sqs, queue.url, wait=scheduler.sleep)
        self._delete = Errand(process, lambda: deletions.pending, deletions.delete_next)

    def start(self) -> None:
        self._process.spawn(self._receive)

    def _receive(self) -> None:
        while True:
            for message in self._messages.receive(self._free.wait()):
                self._free.acquire()
                self._process.spawn(lambda message=message: self._settle(message))  # type: ignore[misc]

    def _settle(self, message: Any) -> None:
        slot = Slot(self._free, self._overflow)
        if self._messages.settle(message, slot.make_room):
            self._deletions.add(message["ReceiptHandle"])
            self._delete()
        slot.leave()
