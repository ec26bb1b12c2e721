"""Each bus that takes an event is paid for, and each delivery to a queue."""

from verification.benchmarks.costs.routes import buses, queues


def test_a_new_subscription_is_on_three_buses_and_in_two_queues() -> None:
    """It is sent on to stock and to payments."""
    here = ("subscriptions-event-bus", "SubscriptionCreated")
    assert set(buses(*here)) == {
        "subscriptions-event-bus",
        "stock-event-bus",
        "payments-event-bus",
    }
    assert len(buses(*here)) == 3
    assert set(queues(*here)) == {"stock-subscription-created", "payments-subscription-created"}


def test_a_cancelled_payment_is_on_three_buses_and_in_two_queues() -> None:
    """It is sent on to stock and to subscriptions."""
    here = ("payments-event-bus", "PaymentCancelled")
    assert len(buses(*here)) == 3
    assert set(queues(*here)) == {"stock-payment-cancelled", "subscriptions-payment-cancelled"}


def test_stock_that_was_allocated_concerns_nobody_else() -> None:
    """It stays on its own bus, which archives and logs it."""
    here = ("stock-event-bus", "StockAllocated")
    assert buses(*here) == ("stock-event-bus",)
    assert queues(*here) == ()
