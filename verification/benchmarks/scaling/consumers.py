"""A consumer's tasks: a receive loop and twenty threads a queue, and a share of a core for all."""

from collections.abc import Callable

from verification.benchmarks.scaling import inputs, latency
from verification.benchmarks.scaling.events import Event
from verification.benchmarks.scaling.servers import Servers
from verification.benchmarks.scaling.waiting import Inbox, Process, Stage, later
from verification.benchmarks.scaling.world import World

Handle = Callable[[Event], Process]
"""What a thread does with a message: calls to databases, and what follows from the commit."""


class Consumer:
    """Tasks of one service; `queue` makes the queues that each of them consumes."""

    def __init__(self, world: World, name: str, tasks: int) -> None:
        self._world = world
        self._stage = world.stage(name)
        self._cores = [Servers(world.env, 1) for _ in range(tasks)]

    def queue(self, handle: Handle) -> Callable[[Event], None]:
        """Consume a new queue; returns what delivers to it."""
        inbox: Inbox[Event] = Inbox(self._world.env)
        for core in self._cores:
            _Receiver(self._world, self._stage, inbox, core, handle)

        def deliver(event: Event) -> None:
            self._stage.enter()
            delay = latency.SQS.sample(self._world.random)
            later(self._world.env, delay, lambda: inbox.add(event))

        return deliver


class _Receiver:
    """One task at one queue: claims free threads, receives as many messages, ten at most.

    Where fewer than ten are free it waits for others, always as long as ours waits at most.
    """

    def __init__(
        self, world: World, stage: Stage, inbox: Inbox[Event], core: Servers, handle: Handle
    ) -> None:
        self._world, self._stage, self._inbox = world, stage, inbox
        self._core, self._handle = core, handle
        self._free = int(inputs.THREADS.value)
        self._freed = world.env.event()
        self._cpu = inputs.CPU_MESSAGE.value / world.knobs.core
        world.env.process(self._receive())

    def _receive(self) -> Process:
        env = self._world.env
        while True:
            if not self._free:
                self._freed = env.event()
                yield self._freed
            if self._free < inputs.SQS_BATCH.value:
                yield env.timeout(inputs.GATHERS.value)
            yield from self._inbox.filled()
            messages = self._inbox.take(min(self._free, int(inputs.SQS_BATCH.value)))
            self._free -= len(messages)
            yield env.timeout(latency.CALL.sample(self._world.random))
            for message in messages:
                env.process(self._settle(message))

    def _settle(self, event: Event) -> Process:
        """Work on it: then the thread is free for another. Its deletion is waited for by nobody."""
        yield self._core.use(self._cpu)
        yield from self._handle(event)
        self._stage.leave()
        self._free += 1
        if not self._freed.triggered:
            self._freed.succeed()
