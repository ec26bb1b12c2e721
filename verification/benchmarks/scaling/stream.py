"""A DynamoDB outbox: its partitions, its stream's shards, and the relay function behind them."""

from collections.abc import Callable, Sequence
from functools import partial
from math import ceil

from verification.benchmarks.scaling import inputs, latency
from verification.benchmarks.scaling.events import Event
from verification.benchmarks.scaling.waiting import Inbox, Process, later
from verification.benchmarks.scaling.world import World

Publish = Callable[[Event], None]

_POLL = inputs.STREAM_POLL.value
_ENTRIES = int(inputs.PUT_EVENTS_ENTRIES.value)


class StreamedOutbox:
    """Hands each committed event to `publish` when PutEvents has taken it.

    A shard has as many lanes as the parallelization factor says; an aggregate is always in the
    same one. A lane runs one batch at a time: it looks at its shard every 0.25 s, or at once after
    a batch that left something there.
    """

    def __init__(self, world: World, name: str, wcu: float, publish: Publish) -> None:
        self._world, self._publish, self._wcu = world, publish, wcu
        self._stage = world.stage(name)
        knobs, env = world.knobs, world.env
        self._writes = world.quota(knobs.shards * inputs.PARTITION_WCU.value)
        self._lanes: list[Inbox[Event]] = []
        for _ in range(knobs.shards):
            phase = world.random.uniform(0, _POLL)
            for _ in range(knobs.parallelization):
                lane: Inbox[Event] = Inbox(env)
                self._lanes.append(lane)
                env.process(self._run(lane, phase))

    def write(self) -> float:
        """Take a record's writes, those of its delete too; returns the seconds of throttling."""
        return self._writes.wait(self._wcu)

    def committed(self, event: Event) -> None:
        self._stage.enter()
        lane = self._lanes[event.life.number % len(self._lanes)]
        delay = latency.STREAM.sample(self._world.random)
        later(self._world.env, delay, partial(lane.add, event))

    def _run(self, lane: Inbox[Event], phase: float) -> Process:
        env, knobs = self._world.env, self._world.knobs
        most = int(inputs.BATCH_SIZE.value)
        while True:
            if not lane.items:
                yield from lane.filled()
                yield env.timeout((phase - env.now) % _POLL)
            if knobs.batching_window and len(lane.items) < most:
                yield env.timeout(knobs.batching_window)
            batch = lane.take(most)
            with self._world.executions.request() as execution:
                yield execution
                yield from self._invoke(batch)

    def _invoke(self, batch: Sequence[Event]) -> Process:
        """Read the batch, publish ten at a time side by side, then delete its rows."""
        world = self._world
        yield world.env.timeout(len(batch) * inputs.CPU_RECORD.value / world.knobs.lambda_core)
        longest = 0.0
        for start in range(0, len(batch), _ENTRIES):
            answer = world.put_events.wait() + latency.CALL.sample(world.random)
            longest = max(longest, answer)
            later(world.env, answer, partial(self._published, batch[start : start + _ENTRIES]))
        deletes = ceil(len(batch) / inputs.DELETES.value)
        deleted = max(latency.DELETE.sample(world.random) for _ in range(deletes))
        yield world.env.timeout(longest + deleted)

    def _published(self, events: Sequence[Event]) -> None:
        for event in events:
            self._stage.leave()
            self._publish(event)
