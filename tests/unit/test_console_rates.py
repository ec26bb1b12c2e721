"""Counts by the second."""

from console.live.rates import WINDOW, Rates
from tests.console import Seconds


def test_a_rate_is_the_average_of_whole_seconds() -> None:
    """The running second is not over: it counts when it is."""
    clock = Seconds(100.0)
    rates = Rates(clock)
    rates.count(["a", "b"])
    rates.count(["a"], weight=16)
    assert rates.per_second() == {}

    clock.now = 101.5
    assert rates.per_second() == {"a": 1.7, "b": 0.1}
    assert rates.per_second(over=2) == {"a": 8.5, "b": 0.5}


def test_what_is_long_ago_is_forgotten() -> None:
    """Memory holds the window's seconds, however long it runs."""
    clock = Seconds(100.0)
    rates = Rates(clock)
    for second in range(500):
        clock.now = 100.0 + second
        rates.count([f"key {second}"])
    assert len(rates._seconds) == WINDOW + 1
    clock.now += WINDOW + 1
    assert rates.per_second() == {}
