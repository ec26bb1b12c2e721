"""How much the console looks at: all, or the whole journeys of a known share."""

from uuid import uuid4

import pytest

from console.live.sampling import (
    CALM_FOR,
    LAG_PATIENCE,
    LATE,
    LEVELS,
    MOST_EVENTS_A_SECOND,
    Sampler,
    is_shown,
    pattern,
    sentence,
)


def test_a_calm_bus_is_shown_whole() -> None:
    """Up to the bound nothing is left out."""
    sampler = Sampler()
    assert sampler.decide(MOST_EVENTS_A_SECOND, 0, 0) == 1
    assert pattern(1) == {"source": [{"prefix": ""}]}


def test_a_thousand_events_a_second_are_thinned_out_at_once() -> None:
    """To a level at which no more are read than the bound, whatever was shown before."""
    every_nth = Sampler().decide(1000, 0, 0)
    assert 1000 / every_nth <= MOST_EVENTS_A_SECOND
    assert every_nth in LEVELS


def test_more_is_looked_at_again_when_it_has_been_calm_for_a_while() -> None:
    """One level at a time; a moment's pause between two bursts changes nothing."""
    sampler = Sampler()
    sampler.decide(1000, 0, 0)
    before = sampler.every_nth
    assert sampler.decide(0, 0, 1) == before
    assert sampler.decide(1000, 0, 2) == before
    assert sampler.decide(0, 0, 3) == before
    lower = sampler.decide(0, 0, 3 + CALM_FOR)
    assert lower < before
    assert LEVELS.index(lower) == LEVELS.index(before) - 1


def test_a_tap_that_falls_behind_looks_at_fewer_whatever_was_counted() -> None:
    """What was counted is what could be read; and a change gets time to show."""
    sampler = Sampler()
    assert sampler.decide(5, LATE + 1, 0) == 4
    assert sampler.decide(5, LATE + 1, 1) == 4
    assert sampler.decide(5, LATE + 1, LAG_PATIENCE) == 16


def test_the_last_level_is_the_end() -> None:
    """There is nothing beyond it to narrow to."""
    sampler = Sampler()
    assert sampler.decide(10**9, LATE + 1, 0) == LEVELS[-1]
    assert sampler.decide(10**9, LATE + 1, 100) == LEVELS[-1]


@pytest.mark.parametrize("every_nth", LEVELS)
def test_a_level_shows_its_share_of_random_ids(every_nth: int) -> None:
    """Within what chance allows: the counts are multiplied by it."""
    ids = [str(uuid4()) for _ in range(20_000)]
    shown = sum(is_shown(each, every_nth) for each in ids)
    assert shown == pytest.approx(20_000 / every_nth, rel=0.5, abs=30)


def test_what_a_level_shows_the_levels_before_it_show() -> None:
    """A journey that is shown stays shown when more is looked at."""
    for each in (str(uuid4()) for _ in range(5_000)):
        shown = [is_shown(each, every_nth) for every_nth in LEVELS]
        assert shown == sorted(shown, reverse=True)


@pytest.mark.parametrize("every_nth", LEVELS[1:])
def test_the_rule_lets_through_what_is_shown(every_nth: int) -> None:
    """The bus and the console decide by the same digits."""
    (aggregate,) = pattern(every_nth)["detail"]["metadata"].values()
    for each in (str(uuid4()) for _ in range(2_000)):
        matches = any(each.endswith(suffix["suffix"]) for suffix in aggregate)
        assert matches is is_shown(each, every_nth)


def test_what_is_not_shown_is_said() -> None:
    """And nothing is said where all is shown."""
    assert sentence(1, 12, 0) is None
    assert sentence(16, 1017, 0) == "1 of 16 events is shown: the buses carry about 1,020 a second"
    assert "1,200 events were left out" in (sentence(1, 5, 1200) or "")
