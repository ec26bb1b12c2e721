"""Plays a schedule of deliveries to one service, with what befalls each, and takes the ending."""

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from contracts.outbox import OutboxRecord
from runtime.errors import Unavailable
from tests.builders import START
from tests.fakes import Hooks, MemoryStore, Plan, nothing

Name = Literal["created", "cancelled", "ended", "erased", "rejected"]
Fault = Literal["none", "outage at read", "outage at commit", "lost answer", "overtaken"]

NAMES: tuple[Name, ...] = ("created", "cancelled")
"""The two that every service knows."""

FAULTS: tuple[Fault, ...] = get_args(Fault)


@dataclass(frozen=True)
class Step:
    """One delivery, what befalls it, and what overtakes it if that is its fate."""

    name: Name
    fault: Fault = "none"
    overtaker: Name = "created"


@dataclass(frozen=True)
class Ending:
    """The state, and the events in the order of their commits; without times and event ids.

    `happened` is what was delivered to the end.
    """

    state: Any
    published: Sequence[Mapping[str, Any]]
    happened: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def events(self) -> list[str]:
        return [detail["event"] for detail in self.published]


class Scene:
    """One service's deliveries, and the queue that delivers them; `hooks` are for its store.

    `premature` are what a delivery raises whose cause has not happened yet: in the world it would
    only be sent later, so here it is put back.
    """

    def __init__(self, *premature: type[Exception]) -> None:
        at_read, self._at_commit, at_answer = Plan(), Plan(), Plan()
        self.hooks = Hooks(
            before_read=at_read, before_commit=self._at_commit, after_commit=at_answer
        )
        self._outages: dict[Fault, Plan] = {
            "outage at read": at_read,
            "outage at commit": self._at_commit,
            "lost answer": at_answer,
        }
        self._put_back: tuple[type[Exception], ...] = (Unavailable, *premature)
        self._happened: set[str] = set()
        self._deliveries: Mapping[str, Callable[[], object]] = {}
        self._queue: deque[Step] = deque()

    def play(
        self,
        schedule: Sequence[Step],
        store: MemoryStore[Any],
        **deliveries: Callable[[], object],
    ) -> Ending:
        """What is left of the one subscription in the store when all was delivered."""
        self._deliveries = deliveries
        self._queue.extend(schedule)
        while self._queue:
            step = self._queue.popleft()
            if step.fault in self._outages:
                self._outages[step.fault].once(_go_away)
            elif step.fault == "overtaken":
                self._at_commit.once(lambda: self._deliver(step.overtaker))  # noqa: B023
            self._deliver(step.name)
            for plan in self._outages.values():
                plan.action = nothing
        state = next(iter(store.page(limit=1, after=None).items), None)
        return Ending(
            state and _timeless_state(state),
            [_timeless(record) for record in store.outbox],
            frozenset(self._happened),
        )

    def _deliver(self, name: Name) -> None:
        try:
            self._deliveries[name]()
        except self._put_back:
            self._queue.append(Step(name))
        else:
            self._happened.add(name)


def _go_away() -> None:
    raise Unavailable("memory", "as planned")


def _timeless_state(state: Any) -> Any:
    """With its last event alone: what overtook its beginning had none."""
    last = state.events[-1]._replace(at=START)
    return replace(state, created=START, events=(last,))


def _timeless(record: OutboxRecord) -> Mapping[str, Any]:
    detail = json.loads(record.detail)
    assert record.sequence == detail["metadata"]["sequence"]
    del detail["created"], detail["updated"]
    del detail["metadata"]["eventId"], detail["metadata"]["occurredAt"]
    return dict(detail)
