"""The search for the highest rate at which nothing piles up."""

import pytest

from verification.benchmarks.sustainable import STEP, TRIALS, NeverSteady, search


def tried(guess: float, limit: float) -> tuple[float, list[float]]:
    """What is found where all rates up to a limit hold, and the rates that were tried."""
    rates: list[float] = []

    def holds(rate: float) -> bool:
        rates.append(rate)
        return rate <= limit

    return search(guess, holds), rates


def test_goes_up_until_a_rate_does_not_hold() -> None:
    """The last that held is the answer."""
    found, rates = tried(10, limit=13)
    assert rates == [10, 10 * STEP, 10 * STEP * STEP]
    assert found == 10 * STEP


def test_goes_down_until_a_rate_holds() -> None:
    """And does not try again what has failed."""
    found, rates = tried(10, limit=9)
    assert found == 10 / STEP
    assert rates == [10, 10 / STEP]


def test_tries_a_few_rates_only() -> None:
    """Each takes a minute: a rate that is higher still is for another run to find."""
    found, rates = tried(10, limit=1000)
    assert len(rates) == TRIALS
    assert found == max(rates)


def test_says_so_if_no_rate_holds() -> None:
    """A number would be a lie."""
    with pytest.raises(NeverSteady, match="not even 7 customers"):
        tried(10, limit=1)
