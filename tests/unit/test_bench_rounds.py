"""Rounds are played in alternating order until a ratio is known, or the time is over."""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import count

import pytest

from verification.benchmarks.intervals import FEWEST
from verification.benchmarks.lines import Series
from verification.benchmarks.rounds import interleaved, measured


class Race:
    """Contenders that each take a second for a round, on a clock of their own."""

    def __init__(self, **speeds: Callable[[int], float]) -> None:
        self._speeds = speeds
        self._rounds = {name: count() for name in speeds}
        self.played = ""

    def run(self, seconds: float) -> Mapping[str, Series]:
        contenders = {name: partial(self._play, name) for name in self._speeds}
        return interleaved(contenders, seconds=seconds, clock=lambda: len(self.played))

    def _play(self, name: str) -> float:
        self.played += name
        return self._speeds[name](next(self._rounds[name]))


def steady(_number: int) -> float:
    return 100.0


def drifting(number: int) -> float:
    return 90.0 / (number + 1)


def swinging(number: int) -> float:
    return 50.0 if number % 2 else 200.0


def test_every_round_begins_with_another_contender() -> None:
    """The one that comes second may find the engines warm, or tired."""
    race = Race(a=steady, b=swinging)
    race.run(8)
    assert race.played == "abbaabba"


def test_three_contenders_take_turns_too() -> None:
    """Each is first as often as the others."""
    race = Race(a=steady, b=swinging, c=steady)
    race.run(9)
    assert race.played == "abcbcacab"


def test_rounds_end_once_the_ratio_is_known() -> None:
    """As soon as there are enough for an interval, where nothing varies."""
    found = Race(a=steady, b=steady).run(1000)
    assert found["a"] == Series("a", (100.0,) * FEWEST)


def test_a_machine_that_slows_down_for_both_takes_no_more_rounds() -> None:
    """Only the ratio within a round counts."""
    assert len(Race(a=drifting, b=drifting).run(1000)["a"].values) == FEWEST


def test_rounds_go_on_while_one_of_the_ratios_is_not_known() -> None:
    """Here the second of them, until the time is over."""
    found = Race(a=steady, b=steady, c=swinging).run(60)
    assert {len(series.values) for series in found.values()} == {20}


@pytest.mark.parametrize(("seconds", "rounds"), [(0, 1), (3, 1), (4, 2), (11, 5)])
def test_no_round_is_begun_that_would_end_too_late(seconds: float, rounds: int) -> None:
    """A round takes two seconds; the first is played in any case."""
    assert len(Race(a=steady, b=swinging).run(seconds)["a"].values) == rounds


def test_several_measures_of_a_round_come_apart() -> None:
    """By measure, and then by contender; the rounds are as many for each."""
    cpu = iter([1.0, 2.0, 3.0, 4.0])
    contenders = {name: lambda: {"CPU": next(cpu), "rate": 7.0} for name in ("relay", "floor")}
    ticks = iter(range(100))
    found = measured(contenders, by="CPU", seconds=1.5, clock=lambda: float(next(ticks)))
    assert found["CPU"]["relay"].values == (1.0,)
    assert found["rate"]["floor"] == Series("floor", (7.0,))
