"""Plays a schedule of deliveries to one service, with what befalls each, and takes the ending."""

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from contracts.outbox import OutboxRecord
from runtime.errors import Unavailable
from tests.builders import START
from tests.fakes import Hooks, Plan, nothing

Name = Literal["created", "cancelled"]
Fault = Literal["none", "outage at read", "outage at commit", "lost answer", "overtaken"]

NAMES: tuple[Name, ...] = get_args(Name)
FAULTS: tuple[Fault, ...] = get_args(Fault)


@dataclass(frozen=True)
class Step:
    """One delivery, what befalls it, and what overtakes it if that is its fate."""

    name: Name
    fault: Fault = "none"
    overtaker: Name = "created"


@dataclass(frozen=True)
class Ending:
    """The state, and the events in the order of their commits; without times and event ids."""

    state: Any
    published: Sequence[Mapping[str, Any]]

    @property
    def events(self) -> list[str]:
        return [detail["event"] for detail in self.published]


class Scene:
    """One service's store, its deliveries by name, and the queue that delivers them.

    `premature` is what a delivery raises whose cause has not happened yet: in the world it would
    only be sent later, so here it is put back.
    """

    def __init__(self, premature: type[Exception] | None = None) -> None:
        self._at_read, self._at_commit, self._at_answer = Plan(), Plan(), Plan()
        self.hooks = Hooks(
            before_read=self._at_read, before_commit=self._at_commit, after_commit=self._at_answer
        )
        self.deliveries: dict[Name, Callable[[], object]] = {}
        self._put_back = (Unavailable, premature) if premature else (Unavailable,)
        self._queue: deque[Step] = deque()

    def play(self, schedule: Sequence[Step]) -> None:
        self._queue.extend(schedule)
        while self._queue:
            step = self._queue.popleft()
            self._arrange(step)
            self._deliver(step.name)
            for plan in (self._at_read, self._at_commit, self._at_answer):
                plan.action = nothing

    def _deliver(self, name: Name) -> None:
        try:
            self.deliveries[name]()
        except self._put_back:
            self._queue.append(Step(name))

    def _arrange(self, step: Step) -> None:
        match step.fault:
            case "outage at read":
                self._at_read.once(_go_away)
            case "outage at commit":
                self._at_commit.once(_go_away)
            case "lost answer":
                self._at_answer.once(_go_away)
            case "overtaken":
                self._at_commit.once(lambda: self._deliver(step.overtaker))
            case "none":
                pass


def _go_away() -> None:
    raise Unavailable("memory", "as planned")


def timeless(record: OutboxRecord) -> Mapping[str, Any]:
    detail = json.loads(record.detail)
    assert record.sequence == detail["metadata"]["sequence"]
    del detail["created"], detail["updated"]
    del detail["metadata"]["eventId"], detail["metadata"]["occurredAt"]
    return dict(detail)


def ending_of(state: Any, outbox: Sequence[OutboxRecord]) -> Ending:
    """What is left when all was delivered; everything but times and event ids."""
    timeless_state = replace(state, created=START, updated=START)
    return Ending(timeless_state, [timeless(record) for record in outbox])
