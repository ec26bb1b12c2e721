"""A direct debit: set up active, cancelled once."""

from dataclasses import replace
from datetime import timedelta

from services.payment.model import LastEvent, Payment, Status
from tests.builders import START

LATER = START + timedelta(hours=1)


def test_a_new_payment_is_active() -> None:
    """It bears the subscription's id and starts at version 1."""
    assert Payment.create("one", "12345678", now=START) == Payment(
        subscription_id="one",
        account_number="12345678",
        status=Status.ACTIVE,
        created=START,
        updated=START,
        version=1,
        event=LastEvent.CREATED,
    )


def test_cancelling_ends_it() -> None:
    """Status, time, version and event change together; the account stays on record."""
    payment = Payment.create("one", "12345678", now=START)
    assert payment.cancel(now=LATER) == replace(
        payment, status=Status.CANCELLED, updated=LATER, version=2, event=LastEvent.CANCELLED
    )


def test_cancelling_again_changes_nothing() -> None:
    """The very same value comes out, so that no second event is raised."""
    cancelled = Payment.create("one", "12345678", now=START).cancel(now=START)
    assert cancelled.cancel(now=LATER) is cancelled
