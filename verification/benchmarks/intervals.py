"""Where the ratio of paired rounds lies: an estimate, and its 95 % confidence interval.

The method is Wilcoxon's signed-rank test turned round, on the logarithms of the rounds' ratios: the
estimate is that of Hodges and Lehmann, the interval Tukey's (M. Hollander, D. A. Wolfe, E. Chicken:
Nonparametric Statistical Methods, 3rd edition, Wiley 2014, sections 3.2 and 3.3; it is what
`wilcox.test(conf.int=TRUE)` of R gives). It takes rounds as independent, and their noise as equally
likely to help either side; it asks for no normal distribution, so that one round in which the
machine paused moves it little.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from math import exp, log, sqrt
from statistics import median
from typing import TypeVar

T = TypeVar("T")

CONFIDENCE = 0.95

FEWEST = 6
"""Rounds without which no interval is: 5 that all favour one side are 1 in 16 by chance alone."""

RESAMPLES = 2000

NARROW = 0.05
"""Rounds are repeated until an interval goes no further than this from its middle, as a share."""


@dataclass(frozen=True)
class Interval:
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """How far it goes from its (geometric) middle, as a share: 0.05 is ±5 %."""
        return sqrt(self.high / self.low) - 1

    @property
    def is_narrow(self) -> bool:
        return self.half_width <= NARROW


def ratio(ours: Sequence[float], peer: Sequence[float]) -> float:
    """The Hodges-Lehmann estimate: of all pairs of rounds, the middle of their mean ratios."""
    return exp(median(_means(ours, peer)))


def interval(ours: Sequence[float], peer: Sequence[float]) -> Interval | None:
    """Where the ratio lies; None while there are fewer rounds than FEWEST.

    `ours` and `peer` are as long as each other, and positive: the n-th of each is of one round.
    """
    means = sorted(_means(ours, peer))
    left_out = _left_out(len(ours))
    if left_out is None:
        return None
    return Interval(exp(means[left_out]), exp(means[-1 - left_out]))


def pseudomedian_interval(values: Sequence[float]) -> Interval | None:
    """Where the middle of one sample lies: the same test, on the values as they are."""
    means = sorted(_walsh(values))
    left_out = _left_out(len(values))
    return None if left_out is None else Interval(means[left_out], means[-1 - left_out])


def resampled_interval(
    rounds: Sequence[T], statistic: Callable[[Sequence[T]], float], *, seed: int = 1
) -> Interval | None:
    """Where a statistic of all rounds together lies; None while there are fewer than FEWEST.

    The bootstrap's percentile interval, of rounds drawn with replacement (B. Efron, R. Tibshirani:
    An Introduction to the Bootstrap, 1993, section 13.3): for what no single round can say, such as
    a p99.
    """
    if len(rounds) < FEWEST:
        return None
    chance = random.Random(seed)  # noqa: S311 (the same interval from the same rounds)
    found = sorted(statistic(chance.choices(rounds, k=len(rounds))) for _ in range(RESAMPLES))
    outside = round((1 - CONFIDENCE) / 2 * RESAMPLES)
    return Interval(found[outside], found[-1 - outside])


def _means(ours: Sequence[float], peer: Sequence[float]) -> list[float]:
    """Walsh averages of the logarithms of the ratios."""
    return _walsh([log(mine / other) for mine, other in zip(ours, peer, strict=True)])


def _walsh(values: Sequence[float]) -> list[float]:
    """The means of each two values, and of each with itself."""
    return [(a + b) / 2 for number, a in enumerate(values) for b in values[number:]]


@cache
def _left_out(rounds: int) -> int | None:
    """How many means are outside at each end: the most that keep CONFIDENCE. None if not even 0."""
    ways = [1]
    for rank in range(1, rounds + 1):
        none = [0] * rank
        ways = [without + own for without, own in zip(ways + none, none + ways, strict=True)]
    kept = sum(below / 2**rounds <= (1 - CONFIDENCE) / 2 for below in accumulate(ways))
    return kept - 1 if kept else None
