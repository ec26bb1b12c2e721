"""The search for the highest rate at which nothing piles up."""

import pytest

from verification.benchmarks.sustainable import STEP, TRIALS, NeverSteady, search

UP = [10.0 * STEP**n for n in range(TRIALS)]


@pytest.mark.parametrize(
    ("limit", "rates", "found"),
    [
        pytest.param(13, UP, UP[1], id="up until a rate does not hold"),
        pytest.param(9, [10, 10 / STEP], 10 / STEP, id="down until a rate holds"),
        pytest.param(1000, UP, UP[-1], id="a few only, since each takes a minute"),
    ],
)
def test_the_highest_rate_is_the_last_that_held(
    limit: float, rates: list[float], found: float
) -> None:
    """What has failed is not tried again."""
    tried: list[float] = []

    def holds(rate: float) -> bool:
        tried.append(rate)
        return rate <= limit

    assert search(10, holds) == pytest.approx(found)
    assert tried == pytest.approx(rates)


def test_says_so_if_no_rate_holds() -> None:
    """A number would be a lie."""
    with pytest.raises(NeverSteady, match="not even 7 customers"):
        search(10, lambda _: False)
