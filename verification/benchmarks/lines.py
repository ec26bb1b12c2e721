"""What a benchmark found, as values: series of rounds, their ratios, and the goals beside them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Literal

from pydantic import TypeAdapter

from verification.benchmarks.intervals import Interval, interval, pseudomedian_interval, ratio

GoalVerdict = Literal["met", "missed", "not decided"]


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
    """What a line's ratio, or its value where it has no peer, is to reach on any machine.

    One with a `measure` is a row of the table of goals; `before` is what was found of that when the
    goal was set, at commit 071a447 and on another machine.
    """

    bound: Literal["at least", "at most"]
    value: float
    measure: str = ""
    before: str = ""

    def verdict(self, found: Interval | None) -> GoalVerdict:
        """Neither met nor missed where the goal is inside the interval, or there is none yet."""
        if found is None:
            return "not decided"
        if self.bound == "at least":
            is_met, is_missed = found.low >= self.value, found.high < self.value
        else:
            is_met, is_missed = found.high <= self.value, found.low > self.value
        return "met" if is_met else "missed" if is_missed else "not decided"

    def of(self, what: str) -> "Goal":
        """The same for one of several things."""
        return replace(self, measure=f"{self.measure}: {what}")

    def __str__(self) -> str:
        return f"{'≥' if self.bound == 'at least' else '≤'} {self.value:g}"


@dataclass(frozen=True)
class BenchmarkLine:
    """One line of the table. `row` names the benchmark, `what` the thing measured, in `unit`.

    Where there is a `peer` (a raw floor or another way to do it), rounds were played in turns, so
    that the n-th of each met the same machine: the ratio is that of the pairs. What is counted is
    exact; what `is_timed` has an interval without a peer too, which is that of its median. What was
    measured `with_defaults` had them; all else had AUTH=off, version 1 of the events, no inventory.
    `bounds` are where a value of all rounds together lies. `baseline` is what was found of a value,
    or of a ratio to the same peer, at commit 071a447 in the same run.
    """

    row: str
    what: str
    unit: str
    ours: Series
    peer: Series | None = None
    goal: Goal | None = None
    note: str = ""
    is_timed: bool = False
    with_defaults: bool = False
    bounds: Interval | None = None
    baseline: float | None = None

    @property
    def ratio(self) -> float | None:
        return None if self.peer is None else ratio(self.ours.values, self.peer.values)

    @property
    def interval(self) -> Interval | None:
        """Where the ratio lies, or the value that is timed; None while there are too few rounds."""
        if self.peer is not None:
            return interval(self.ours.values, self.peer.values)
        if self.bounds is not None or not self.is_timed:
            return self.bounds
        return pseudomedian_interval(self.ours.values)

    @property
    def verdict(self) -> GoalVerdict | None:
        """What is known of its goal; None without one. What was counted is exact, each time."""
        if self.goal is None:
            return None
        is_noisy = self.is_timed or self.peer is not None
        return self.goal.verdict(self.interval if is_noisy else Interval(*self.ours.spread))


@dataclass(frozen=True)
class Results:
    """A run: when and where it was, what it ran on, and its lines."""

    command: str
    date: str
    machine: str
    versions: Mapping[str, str]
    commit: str
    lines: Sequence[BenchmarkLine] = field(default_factory=tuple)

    def with_verdict(self, verdict: GoalVerdict) -> Sequence[BenchmarkLine]:
        return [line for line in self.lines if line.verdict == verdict]

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        stored = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        path.write_text(f"{stored}\n", encoding="utf-8")


def load(path: Path) -> Results:
    """Read what was saved; raises pydantic's ValidationError."""
    return TypeAdapter(Results).validate_json(path.read_bytes())
