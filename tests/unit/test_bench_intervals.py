"""An interval holds the ratio that is behind noisy rounds as often as it claims, and narrows."""

import random
from collections.abc import Sequence
from itertools import product
from math import exp, log
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.benchmarks.intervals import (
    CONFIDENCE,
    FEWEST,
    Interval,
    interval,
    pseudomedian_interval,
    ratio,
    resampled_interval,
)

RATIO = 0.9
"""Of the two contenders, behind the noise of a simulation."""

# Nine pairs of Hollander, Wolfe and Chicken, table 3.1 (depression before and after a treatment).
BEFORE = (1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30)
AFTER = (0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29)

rounds = st.lists(
    st.tuples(st.floats(1, 1000), st.floats(1, 1000)), min_size=FEWEST, max_size=15
).map(lambda pairs: tuple(zip(*pairs, strict=True)))


def played(chance: random.Random, count: int, *, hiccups: float = 0.0) -> list[list[float]]:
    """Rounds of both, each of a machine whose speed wanders; some meet a pause of that share."""

    def noisy(speed: float) -> float:
        slow = 3 if chance.random() < hiccups else 1
        return speed * exp(chance.gauss(0, 0.05)) / slow

    machine = [exp(chance.gauss(0, 0.3)) for _ in range(count)]
    return [[noisy(RATIO * speed) for speed in machine], [noisy(speed) for speed in machine]]


def coverage(found: Sequence[tuple[Sequence[float], Sequence[float]]]) -> float:
    held = [one for ours, peer in found if (one := interval(ours, peer))]
    return mean(each.low <= RATIO <= each.high for each in held)


def test_the_textbooks_example_comes_out() -> None:
    """Sections 3.2 and 3.3: -0.46, and from -0.786 to -0.010."""
    pairs = [exp(each) for each in AFTER], [exp(each) for each in BEFORE]
    assert log(ratio(*pairs)) == pytest.approx(-0.46)
    found = interval(*pairs)
    assert found is not None
    assert (log(found.low), log(found.high)) == pytest.approx((-0.786, -0.010), abs=0.0006)


@pytest.mark.parametrize("count", range(1, FEWEST))
def test_few_rounds_give_no_interval(count: int) -> None:
    """Five that all favour one side are no rare chance."""
    assert interval([1.0] * count, [2.0] * count) is None


@pytest.mark.parametrize("count", [6, 7, 9, 12])
def test_an_interval_leaves_out_as_much_as_all_signs_allow(count: int) -> None:
    """Counted over every way in which the rounds may have favoured one side or the other."""
    ranks = range(1, count + 1)
    sums = [
        sum(r * sign for r, sign in zip(ranks, signs, strict=True))
        for signs in product((0, 1), repeat=count)
    ]
    most = max(k for k in range(60) if sum(s <= k for s in sums) / 2**count <= (1 - CONFIDENCE) / 2)
    logs = [2.0**n for n in range(count)]
    means = sorted((a + b) / 2 for n, a in enumerate(logs) for b in logs[n:])
    found = interval([exp(each / 1000) for each in logs], [1.0] * count)
    assert found is not None
    assert log(found.low) * 1000 == pytest.approx(means[most])
    assert log(found.high) * 1000 == pytest.approx(means[-1 - most])


@given(rounds)
def test_the_estimate_is_inside_its_interval(pair: tuple[Sequence[float], Sequence[float]]) -> None:
    """Of any rounds."""
    found = interval(*pair)
    assert found is not None
    assert found.low <= ratio(*pair) * (1 + 1e-9)
    assert found.high >= ratio(*pair) * (1 - 1e-9)


@given(rounds)
def test_who_is_compared_with_whom_does_not_matter(
    pair: tuple[Sequence[float], Sequence[float]],
) -> None:
    """The interval of the inverse ratio is the inverse interval."""
    ours, peer = pair
    found, inverse = interval(ours, peer), interval(peer, ours)
    assert found is not None
    assert inverse is not None
    assert (1 / inverse.high, 1 / inverse.low) == pytest.approx((found.low, found.high))
    assert inverse.half_width == pytest.approx(found.half_width)


@given(st.lists(st.floats(0.5, 2), min_size=11, max_size=11), st.floats(1e-3, 1e3))
def test_one_strange_round_of_twelve_cannot_move_an_interval_beyond_the_others(
    usual: list[float], strange: float
) -> None:
    """A machine that paused once decides nothing."""
    found = interval([*usual, strange], [1.0] * 12)
    assert found is not None
    assert min(usual) * (1 - 1e-9) <= found.low <= found.high <= max(usual) * (1 + 1e-9)


@pytest.mark.parametrize("hiccups", [0.0, 0.1])
@pytest.mark.parametrize("count", [6, 8, 15])
def test_an_interval_holds_the_ratio_as_often_as_it_claims(count: int, hiccups: float) -> None:
    """Over 2,000 runs, on a machine whose speed wanders by a third, and where some rounds pause."""
    chance = random.Random(f"{count} {hiccups}")
    runs = [played(chance, count, hiccups=hiccups) for _ in range(2000)]
    assert coverage([(ours, peer) for ours, peer in runs]) >= CONFIDENCE - 0.015


def test_stopping_when_it_is_narrow_costs_little_of_that() -> None:
    """A run looks after each round, and stops at the first narrow interval, or at the 20th round.

    Chow and Robbins (1965) show that such an interval keeps its confidence as it narrows.
    """
    chance = random.Random(7)
    ended = []
    for _ in range(2000):
        ours, peer = played(chance, 20)
        enough = next(
            (n for n in range(FEWEST, 20) if (i := interval(ours[:n], peer[:n])) and i.is_narrow),
            20,
        )
        ended.append((ours[:enough], peer[:enough]))
    assert coverage(ended) >= CONFIDENCE - 0.04


def test_one_sample_has_the_interval_of_its_middle() -> None:
    """Values as they are, below zero too: of six the least and the most."""
    assert pseudomedian_interval([3, -1, 2, 5, 4, 1]) == Interval(-1, 5)
    assert pseudomedian_interval([3, -1, 2, 5, 4]) is None


def test_a_percentile_of_all_rounds_has_an_interval_by_resampling() -> None:
    """It holds the statistic of a population of rounds about as often as it claims."""
    chance, held = random.Random(3), 0
    for _ in range(200):
        sample = [chance.gauss(10, 2) for _ in range(30)]
        found = resampled_interval(sample, mean)
        assert found is not None
        held += found.low <= 10 <= found.high
    assert held / 200 >= CONFIDENCE - 0.06
    assert resampled_interval([1.0] * (FEWEST - 1), mean) is None
