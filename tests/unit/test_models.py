"""The aggregates: made once, ended once, in whichever order that is asked for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.payment.model import LastEvent as PaymentEvent
from services.payment.model import Payment
from services.payment.model import Status as PaymentStatus
from services.stock.model import LastEvent as StockEvent
from services.stock.model import Status as StockStatus
from services.stock.model import Stock
from services.subscription.model import LastEvent as SubscriptionEvent
from services.subscription.model import Status as SubscriptionStatus
from services.subscription.model import Subscription
from tests.builders import START, an_order

LATER = START + timedelta(hours=1)
TIMES = {"created": START, "updated": START}

PAYMENT = Payment.create("one", "12345678", now=START)
STOCK = Stock.allocate("one", 2, now=START)
SUBSCRIPTION = Subscription.create("one", an_order(), request_digest="digest", now=START)


def end_payment(payment: Payment, now: datetime) -> Payment:
    return payment.cancel(now=now)


def end_stock(stock: Stock, now: datetime) -> Stock:
    return stock.deallocate(now=now)


def end_subscription(subscription: Subscription, now: datetime) -> Subscription:
    return subscription.cancel("payment cancelled" if now == LATER else "another", now=now)


def test_what_is_new_is_at_version_1_with_its_creation_as_what_happened_last() -> None:
    """It bears the subscription's id; a subscription and a payment are active."""
    assert (
        Payment(
            "one",
            "12345678",
            PaymentStatus.ACTIVE,
            version=1,
            event=PaymentEvent.CREATED,
            reason_code=None,
            **TIMES,
        )
        == PAYMENT
    )
    assert (
        Subscription(
            "one",
            an_order(),
            "digest",
            SubscriptionStatus.ACTIVE,
            version=1,
            event=SubscriptionEvent.CREATED,
            cancelled_reason=None,
            owner=None,
            **TIMES,
        )
        == SUBSCRIPTION
    )


@pytest.mark.parametrize(("quantity", "stock"), [(1, 12), (2, 24), (10, 120)])
def test_an_allocation_is_twelve_months(quantity: int, stock: int) -> None:
    """Twelve times what the customer gets a month, of the one product there is."""
    assert Stock.allocate("one", quantity, now=START) == Stock(
        "one",
        "razor-123",
        stock,
        StockStatus.ALLOCATED,
        version=1,
        event=StockEvent.ALLOCATED,
        **TIMES,
    )


@pytest.mark.parametrize(
    ("begun", "end", "changes"),
    [
        (
            PAYMENT,
            end_payment,
            {"status": PaymentStatus.CANCELLED, "event": PaymentEvent.CANCELLED},
        ),
        (
            STOCK,
            end_stock,
            {"stock": 0, "status": StockStatus.DEALLOCATED, "event": StockEvent.DEALLOCATED},
        ),
        (
            SUBSCRIPTION,
            end_subscription,
            {
                "status": SubscriptionStatus.CANCELLED,
                "cancelled_reason": "payment cancelled",
                "event": SubscriptionEvent.CANCELLED,
            },
        ),
    ],
    ids=["payment", "stock", "subscription"],
)
def test_an_end_changes_what_it_has_to_and_a_second_one_nothing(
    begun: Any, end: Callable[[Any, datetime], Any], changes: dict[str, Any]
) -> None:
    """Status, time, version and event change together; then the very same value comes out.

    So no second event is raised, and the first reason stands.
    """
    ended = end(begun, LATER)
    assert ended == replace(begun, updated=LATER, version=2, **changes)
    assert end(ended, START) is ended


def test_a_deallocation_that_comes_first_ends_the_same() -> None:
    """But for its times, it is what an allocation and a deallocation would have led to."""
    first = Stock.deallocate_before_allocation("one", now=LATER)
    second = Stock.allocate("one", 2, now=LATER).deallocate(now=LATER)
    assert first == second
    assert first.deallocate(now=START) is first
