"""What turns the report of a drained backlog red."""

from types import SimpleNamespace
from typing import Any

import pytest

from verification.load.backlog import AgeSamples, Drain, _promise
from verification.load.report import LoadReport


def drained(*, seen: int, published: float) -> LoadReport:
    """A backlog of 100, ten of which are looked for on the bus, and one new event."""
    totals = {"relay_events_published_total": published}
    relay: Any = SimpleNamespace(total=lambda name: totals.get(name, 0.0), peak_megabytes=80.0)
    sampled: Any = SimpleNamespace(seen=range(seen), duplicates=0)
    fresh: Any = SimpleNamespace(came={"new": 1.5}, duplicates=0)
    drain = Drain(
        sampled=sampled,
        fresh=fresh,
        relays=[relay],
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
