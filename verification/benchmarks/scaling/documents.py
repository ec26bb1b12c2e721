"""DocumentDB's way to a bus: one change stream, a relay, a FIFO queue, forwarders."""

from collections.abc import Callable, Sequence
from functools import partial

from verification.benchmarks.scaling import inputs, latency
from verification.benchmarks.scaling.events import Event
from verification.benchmarks.scaling.fifo import FifoQueue
from verification.benchmarks.scaling.servers import Servers
from verification.benchmarks.scaling.waiting import Inbox, Process, later
from verification.benchmarks.scaling.world import World


class DocumentOutbox:
    """One outbox collection: its relay reads one cursor, and sends with sixteen publishers.

    Its deletes take no time that anybody waits for.
    """

    def __init__(self, world: World, queue: FifoQueue) -> None:
        self._world, self._queue = world, queue
        self._stage = world.stage("change stream")
        self._changes: Inbox[Event] = Inbox(world.env)
        self._window: Inbox[Event] = Inbox(world.env)
        core = Servers(world.env, 1)
        world.env.process(self._read(core))
        for _ in range(int(inputs.PUBLISHERS.value)):
            world.env.process(self._send())

    def committed(self, event: Event) -> None:
        self._stage.enter()
        delay = latency.CHANGE.sample(self._world.random)
        later(self._world.env, delay, partial(self._changes.add, event))

    def _read(self, core: Servers) -> Process:
        """One change after the other: it is one sequence, and one process reads it."""
        seconds = inputs.CPU_DOCUMENT.value / self._world.knobs.core
        while True:
            yield from self._changes.filled()
            (event,) = self._changes.take(1)
            yield core.use(seconds)
            self._window.add(event)

    def _send(self) -> Process:
        while True:
            yield from self._window.filled()
            batch = self._window.take(int(inputs.SQS_BATCH.value))
            yield self._world.env.timeout(
                self._queue.sends.wait() + latency.CALL.sample(self._world.random)
            )
            for event in batch:
                self._stage.leave()
                self._queue.sent(event)


class Forward:
    """One forwarder: receives, publishes the heads of the groups it holds, deletes them."""

    def __init__(
        self, world: World, queue: FifoQueue, core: Servers, publish: Callable[[Event], None]
    ) -> None:
        self._world, self._queue, self._core, self._publish = world, queue, core, publish
        self._cpu = inputs.CPU_FORWARDED.value / world.knobs.core
        world.env.process(self._run())

    def _run(self) -> Process:
        while True:
            yield from self._queue.filled()
            held = self._queue.receive(int(inputs.SQS_BATCH.value))
            yield from self._call(self._queue.receives.wait())
            while held:
                heads = [group[0] for group in held]
                yield self._core.use(len(heads) * self._cpu)
                yield from self._call(self._world.put_events.wait())
                for event in heads:
                    self._publish(event)
                yield from self._call(self._queue.deletes.wait())
                self._queue.deleted(heads)
                held = [group[1:] for group in held if len(group) > 1]

    def _call(self, throttled: float) -> Process:
        yield self._world.env.timeout(throttled + latency.CALL.sample(self._world.random))


def payment_relay(world: World, publish: Callable[[Event], None]) -> Callable[[Event], None]:
    """Every outbox with its queue, and the forwarders that share them; returns what commits."""
    queues = [FifoQueue(world) for _ in range(world.knobs.outboxes)]
    outboxes = [DocumentOutbox(world, queue) for queue in queues]
    for task in range(world.knobs.forward_tasks):
        core = Servers(world.env, 1)
        for _ in range(int(inputs.FORWARDERS.value)):
            Forward(world, queues[task % len(queues)], core, publish)
    return partial(_commit, outboxes)


def _commit(outboxes: Sequence[DocumentOutbox], event: Event) -> None:
    outboxes[event.life.number % len(outboxes)].committed(event)
