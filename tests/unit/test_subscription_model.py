"""A subscription: created active, cancelled once."""

from dataclasses import replace
from datetime import timedelta

from services.subscription.model import LastEvent, Status, Subscription
from tests.builders import START, an_order

LATER = START + timedelta(hours=1)


def a_subscription() -> Subscription:
    return Subscription.create("one", an_order(), request_digest="digest", now=START)


def test_a_new_subscription_is_active() -> None:
    """It starts at version 1 with its creation as what happened last."""
    assert a_subscription() == Subscription(
        subscription_id="one",
        order=an_order(),
        request_digest="digest",
        status=Status.ACTIVE,
        created=START,
        updated=START,
        version=1,
        event=LastEvent.CREATED,
        cancelled_reason=None,
    )


def test_cancelling_ends_it_with_the_reason() -> None:
    """Status, reason, time, version and event change together; the rest stays."""
    assert a_subscription().cancel("payment cancelled", now=LATER) == replace(
        a_subscription(),
        status=Status.CANCELLED,
        cancelled_reason="payment cancelled",
        updated=LATER,
        version=2,
        event=LastEvent.CANCELLED,
    )


def test_cancelling_again_changes_nothing() -> None:
    """The second cancellation gives back the very same value: the first reason stands."""
    cancelled = a_subscription().cancel("payment cancelled", now=START)
    assert cancelled.cancel("another reason", now=LATER) is cancelled
