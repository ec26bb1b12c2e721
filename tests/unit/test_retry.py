"""The decision on work that failed, and how long it waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import Conflict, Unavailable
from runtime.retry import (
    UNKNOWN_STRIKES,
    BackOff,
    Decision,
    Hold,
    MoveToDeadLetters,
    backoff,
    decide,
)
from runtime.verdicts import HELD, Family

UNKNOWN = Unavailable("DynamoDB", "NobodyKnowsThis", Family.UNKNOWN)


def decision(
    error: Exception, *, attempt: int = 1, receives: int = 1, strikes: int = 0
) -> Decision:
    return decide(
        error,
        attempt=attempt,
        receives=receives,
        max_receives=5,
        strikes=strikes,
        is_permanent=lambda error: isinstance(error, LookupError),
    )


@pytest.mark.parametrize("receives", [1, 5, 6])
def test_what_can_never_succeed_is_dead_lettered_at_once(receives: int) -> None:
    """A permanent error needs no second try."""
    assert decision(KeyError("x"), receives=receives) == MoveToDeadLetters()


@pytest.mark.parametrize("error", [Unavailable("DynamoDB", "Throttling"), Conflict("id")])
@pytest.mark.parametrize("receives", [1, 5, 50])
def test_an_outage_is_held_however_often_it_was_received(error: Exception, receives: int) -> None:
    """An outage is not poison: the last receive changes nothing."""
    assert isinstance(decision(error, receives=receives), Hold)


def test_an_unknown_error_backs_off_until_the_last_receive() -> None:
    """Put back while the queue allows it, set aside by us before the queue does it silently."""
    kinds = [type(decision(ValueError("x"), receives=receives)) for receives in range(1, 7)]
    assert kinds == [BackOff] * 4 + [MoveToDeadLetters] * 2


@pytest.mark.parametrize("family", HELD)
def test_every_family_that_holds_is_held_however_many_others_pass(family: Family) -> None:
    """What is known to say nothing against a message stays so; only what is unknown may turn."""
    known = Unavailable("DynamoDB", "x", family)
    found = decision(known, receives=5, strikes=1000)
    assert isinstance(found, MoveToDeadLetters if family is Family.UNKNOWN else Hold)


def test_an_unknown_error_is_held_until_others_have_passed_often_enough() -> None:
    """Then it backs off for longer than a bug does: a partition may be away for a minute."""
    assert isinstance(decision(UNKNOWN, receives=5, strikes=UNKNOWN_STRIKES - 1), Hold)
    found = decision(UNKNOWN, receives=1, strikes=UNKNOWN_STRIKES)
    assert isinstance(found, BackOff)
    assert 5 <= found.delay <= 10
    assert decision(UNKNOWN, receives=5, strikes=UNKNOWN_STRIKES) == MoveToDeadLetters()


@given(attempt=st.integers(1, 10_000), first=st.floats(0.01, 10), longest=st.floats(10, 1000))
def test_a_backoff_doubles_within_its_bounds(attempt: int, first: float, longest: float) -> None:
    """Between a half and the whole of first times a power of two, never over the longest."""
    ceiling = min(longest, first * 2.0 ** min(attempt - 1, 30))
    assert ceiling / 2 <= backoff(attempt, first=first, longest=longest) <= ceiling


@given(attempt=st.integers(1, 1000))
def test_a_held_message_is_tried_again_within_seconds(attempt: int) -> None:
    """A database that is back is noticed within 15 s, however long it was away."""
    found = decision(Unavailable("DynamoDB", "x"), attempt=attempt)
    assert isinstance(found, Hold)
    assert 0.05 <= found.delay <= 15
