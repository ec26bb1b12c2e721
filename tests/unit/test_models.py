"""The aggregates: made once, ended once, in whichever order that is asked for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.payment.model import Payment
from services.payment.model import Status as PaymentStatus
from services.stock.model import Status as StockStatus
from services.stock.model import Stock
from services.subscription.model import (
    CancelledBy,
    Reason,
    StillActive,
    Subscription,
    SubscriptionGone,
)
from services.subscription.model import Status as SubscriptionStatus
from tests.builders import BY_BANK, BY_CUSTOMER, START, an_order

LATER = START + timedelta(hours=1)

PAYMENT = Payment.create("one", "12345678", now=START)
STOCK = Stock.allocate("one", 2, now=START)
SUBSCRIPTION = Subscription.create("one", an_order(), request_digest="digest", now=START)


def end_payment(payment: Payment, now: datetime) -> Payment:
    return payment.cancel(now=now)


def end_stock(stock: Stock, now: datetime) -> Stock:
    return stock.deallocate(now=now)


def end_subscription(subscription: Subscription, now: datetime) -> Subscription:
    return subscription.cancel(*(BY_BANK if now == LATER else BY_CUSTOMER), now=now)


def test_what_is_new_is_at_version_1_with_its_creation_as_its_only_event() -> None:
    """It bears the subscription's id; a subscription and a payment are active."""
    for row, name in ((PAYMENT, "PaymentCreated"), (SUBSCRIPTION, "SubscriptionCreated")):
        assert (row.subscription_id, row.status, row.version) == ("one", "active", 1)
        assert row.events == ((1, name, START),)
        assert (row.event, row.created, row.updated) == (name, START, START)


@pytest.mark.parametrize(("quantity", "stock"), [(1, 12), (2, 24), (10, 120)])
def test_an_allocation_is_twelve_months(quantity: int, stock: int) -> None:
    """Twelve times what the customer gets a month, of the one product there is."""
    found = Stock.allocate("one", quantity, now=START)
    assert (found.stock_id, found.stock, found.status) == ("razor-123", stock, "allocated")
    assert found.events == ((1, "StockAllocated", START),)


@pytest.mark.parametrize(
    ("begun", "end", "changes", "name"),
    [
        (
            PAYMENT,
            end_payment,
            {"status": PaymentStatus.CANCELLED},
            "PaymentCancelled",
        ),
        (
            STOCK,
            end_stock,
            {"stock": 0, "status": StockStatus.DEALLOCATED},
            "StockDeallocated",
        ),
        (
            SUBSCRIPTION,
            end_subscription,
            {
                "status": SubscriptionStatus.CANCELLED,
                "cancelled_by": CancelledBy.BANK,
                "reason": Reason.PAYMENT_CANCELLED,
            },
            "SubscriptionCancelled",
        ),
    ],
    ids=["payment", "stock", "subscription"],
)
def test_an_end_changes_what_it_has_to_and_a_second_one_nothing(
    begun: Any, end: Callable[[Any, datetime], Any], changes: dict[str, Any], name: str
) -> None:
    """Status, time, version and event change together; then the very same value comes out.

    So no second event is raised, and the first reason stands.
    """
    ended = end(begun, LATER)
    assert ended == replace(begun, events=(*begun.events, (2, name, LATER)), **changes)
    assert end(ended, START) is ended


def test_an_end_that_comes_first_ends_the_same() -> None:
    """But for its times and its only event, it is what a creation and an end would have led to."""
    stock = Stock.deallocate_before_allocation("one", now=LATER)
    payment = Payment.cancel_before_creation("one", now=LATER)
    assert replace(end_stock(STOCK, LATER), created=LATER, events=stock.events) == stock
    assert (
        replace(
            end_payment(PAYMENT, LATER),
            created=LATER,
            events=payment.events,
            account_number=None,
        )
        == payment
    )
    assert (stock.version, payment.version) == (2, 2)
    assert end_stock(stock, START) is stock
    assert end_payment(payment, START) is payment


def test_a_rejection_is_final() -> None:
    """A cancellation finds nothing to give back, and says nothing."""
    rejected = Stock.reject("one", 2, available=12, now=START)
    assert (rejected.status, rejected.stock, rejected.version) == ("rejected", 0, 1)
    assert (rejected.asked, rejected.available) == (24, 12)
    assert end_stock(rejected, LATER) is rejected


def test_an_erasure_blanks_what_is_personal_and_keeps_how_it_ended() -> None:
    """A tombstone: no bank details, no owner, no digest; its key is refused from then on."""
    cancelled = end_subscription(SUBSCRIPTION, LATER)
    erased = cancelled.erase(now=LATER)
    assert (erased.order, erased.owner, erased.request_digest) == (None, None, None)
    assert (erased.status, erased.reason, erased.version) == ("erased", cancelled.reason, 3)
    assert erased.erase(now=START) is erased
    assert erased.cancel(*BY_CUSTOMER, now=START) is erased
    with pytest.raises(SubscriptionGone):
        erased.requested_again("digest")


def test_an_active_subscription_is_not_erased() -> None:
    """It has to end first: razors and money still flow."""
    with pytest.raises(StillActive, match="one"):
        SUBSCRIPTION.erase(now=LATER)


def test_an_erasure_ends_an_open_payment_and_blanks_an_ended_one_without_an_event() -> None:
    """The cancellation is the event; the number goes either way, once."""
    opened, ended = PAYMENT.erase(now=LATER), end_payment(PAYMENT, LATER).erase(now=LATER)
    assert opened == ended
    assert (opened.account_number, opened.erased_at, opened.version) == (None, LATER, 2)
    assert opened.erase(now=START) is opened
