"""What a benchmark found, as values: series of rounds, their ratios, and the goals beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal


@dataclass(frozen=True)
class Series:
    """One contender's rounds, in the order in which they were played."""

    name: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the most of all rounds."""
        return min(self.values), max(self.values)


@dataclass(frozen=True)
class Goal:
    """What a line's ratio, or its median where it has no peer, is to reach."""

    bound: Literal["at least", "at most"]
    value: float

    def is_met(self, found: float) -> bool:
        return found >= self.value if self.bound == "at least" else found <= self.value

    def __str__(self) -> str:
        return f"{'≥' if self.bound == 'at least' else '≤'} {self.value:g}"


@dataclass(frozen=True)
class Line:
    """One line of the table. `row` names the benchmark, `what` the thing measured, in `unit`.

    Where there is a `peer` (a raw floor or another way to do it), rounds were played in turns, so
    that the n-th of each met the same machine: the ratio is that of the pairs, in the middle.
    """

    row: str
    what: str
    unit: str
    ours: Series
    peer: Series | None = None
    goal: Goal | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        if self.peer is None:
            return None
        pairs = zip(self.ours.values, self.peer.values, strict=True)
        return median(ours / peer for ours, peer in pairs)

    @property
    def holds(self) -> bool | None:
        """Whether its goal is reached; None without a goal."""
        if self.goal is None:
            return None
        ratio = self.ratio
        return self.goal.is_met(self.ours.median if ratio is None else ratio)


@dataclass(frozen=True)
class Results:
    """A run: when and where it was, what it ran on, and its lines."""

    command: str
    date: str
    machine: str
    versions: Mapping[str, str]
    commit: str
    lines: Sequence[Line] = field(default_factory=tuple)
