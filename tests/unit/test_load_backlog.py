"""What turns the report of a drained backlog red."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from verification.load.backlog import AgeSamples, Drain, _promise
from verification.load.report import LoadReport


@dataclass
class Relay:
    """An Observed that says what it is told to."""

    totals: dict[str, float]
    peak_megabytes: float = 80.0

    def total(self, name: str) -> float:
        return self.totals.get(name, 0.0)


@dataclass
class Bus:
    """A Tap that has seen these."""

    seen: Counter[str]
    came: dict[str, float] = field(default_factory=dict)
    duplicates: int = 0


def drained(*, seen: int, published: float) -> LoadReport:
    """A backlog of 100, ten of which are looked for on the bus, and one new event."""
    drain = Drain(
        sampled=cast("Any", Bus(Counter(str(n) for n in range(seen)))),
        fresh=cast("Any", Bus(Counter(["new"]), {"new": 1.5})),
        relays=[cast("Any", Relay({"relay_events_published_total": published}))],
        rows=100,
        expected=10,
        written={"new": 1.0},
        during=frozenset({"new"}),
        ages=AgeSamples([(5.0, 5.0, 5.0)]),
        bus_seconds=10.0,
        gauge_fell=True,
    )
    report = LoadReport("a backlog", "make load")
    _promise(report, drain)
    return report


def test_a_backlog_of_which_all_was_published_passes() -> None:
    """Some of it twice, perhaps: the relay counts each time."""
    assert not drained(seen=10, published=101).broken
    assert not drained(seen=10, published=103).broken


@pytest.mark.parametrize(("seen", "published"), [(9, 101), (10, 100), (10, 0)])
def test_a_lost_event_turns_it_red(seen: int, published: float) -> None:
    """One that was looked for, and one that was not, which only the count can miss."""
    assert drained(seen=seen, published=published).broken
