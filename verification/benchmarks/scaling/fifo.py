"""A FIFO queue: a group with messages in flight gives out no more, and each action has a quota."""

from collections import deque
from collections.abc import Sequence
from functools import partial

from verification.benchmarks.scaling import latency
from verification.benchmarks.scaling.events import Event
from verification.benchmarks.scaling.waiting import Inbox, Process, later
from verification.benchmarks.scaling.world import World


class FifoQueue:
    """Groups are aggregates. Quotas are calls a second, each action for itself."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stage = world.stage("FIFO queue")
        calls = world.knobs.fifo_calls
        self.sends, self.receives, self.deletes = (world.quota(calls) for _ in range(3))
        self._waiting: dict[int, deque[Event]] = {}
        self._in_flight: dict[int, int] = {}
        self._ready: Inbox[int] = Inbox(world.env)

    def sent(self, event: Event) -> None:
        self._stage.enter()
        delay = latency.FIFO.sample(self._world.random)
        later(self._world.env, delay, partial(self._arrived, event))

    def filled(self) -> Process:
        return self._ready.filled()

    def receive(self, most: int) -> list[list[Event]]:
        """Messages by group, in order: as many of a group as there are."""
        held: list[list[Event]] = []
        while most and self._ready.items:
            (group,) = self._ready.take(1)
            waiting = self._waiting[group]
            taken = [waiting.popleft() for _ in range(min(most, len(waiting)))]
            self._in_flight[group] = len(taken)
            most -= len(taken)
            held.append(taken)
        return held

    def deleted(self, events: Sequence[Event]) -> None:
        for event in events:
            self._stage.leave()
            group = event.life.number
            self._in_flight[group] -= 1
            if not self._in_flight[group]:
                del self._in_flight[group]
                if self._waiting[group]:
                    self._ready.add(group)
                else:
                    del self._waiting[group]

    def _arrived(self, event: Event) -> None:
        group = event.life.number
        waiting = self._waiting.setdefault(group, deque())
        waiting.append(event)
        if len(waiting) == 1 and group not in self._in_flight:
            self._ready.add(group)
