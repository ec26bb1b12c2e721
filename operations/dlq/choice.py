"""Which messages of a dead-letter queue are meant, and what became of each."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from operations.sources.dead_letters import DeadLetter


@dataclass(frozen=True)
class Choice:
    """By message or event ids, by event type, by aggregate; empty is everything."""

    ids: frozenset[str] = frozenset()
    event_type: str | None = None
    aggregate_id: str | None = None

    def __contains__(self, dead_letter: DeadLetter) -> bool:
        if self.ids:
            return not self.ids.isdisjoint(dead_letter.names)
        if self.event_type is not None:
            return dead_letter.event.event_type == self.event_type
        return self.aggregate_id is None or dead_letter.event.aggregate_id == self.aggregate_id

    def missing(self, dead_letters: Iterable[DeadLetter]) -> list[str]:
        """The ids that none of these dead letters is called by."""
        return sorted(self.ids.difference(*(each.names for each in dead_letters)))

    def __str__(self) -> str:
        if self.ids:
            return f"id {' or '.join(sorted(self.ids))}"
        if self.event_type is not None:
            return f"event type {self.event_type}"
        return "any kind" if self.aggregate_id is None else f"aggregate {self.aggregate_id}"


@dataclass(frozen=True)
class End:
    """What became of one chosen dead letter: `moved` if it has left its queue, else `why` not."""

    dead_letter: DeadLetter
    moved: bool
    outcome: str


@dataclass
class Tally:
    """What a command did to one queue. `seen` were looked at, `ends` are the chosen ones'.

    `more` says that it stopped at its limit: there may be more to choose from.
    """

    queue: str
    ends: list[End] = field(default_factory=list)
    seen: int = 0
    more: bool = False
    stopped: str | None = None

    @property
    def moved(self) -> int:
        return sum(end.moved for end in self.ends)

    @property
    def left(self) -> int:
        return len(self.ends) - self.moved

    def document(self) -> dict[str, Any]:
        return {
            "queue": self.queue,
            "seen": self.seen,
            "done": self.moved,
            "leftBehind": self.left,
            "stoppedAtLimit": self.more,
            "stopped": self.stopped,
            "messages": [
                {**end.dead_letter.summary(), "done": end.moved, "outcome": end.outcome}
                for end in self.ends
            ],
        }
