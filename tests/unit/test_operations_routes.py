"""The ways of the events, as the topology has them."""

import pytest

from contracts.names import EventType
from infra.domains.parts import PAYMENT_CANCELLED
from infra.topology import TOPOLOGY
from operations.sources.routes import Delivery, Hop, log_group_of, log_rule_of, routes


def test_a_route_goes_from_the_outbox_over_every_bus_into_every_queue() -> None:
    """PaymentCancelled's is the longest: a FIFO queue, two further buses, two consumers."""
    route = routes()[EventType.PAYMENT_CANCELLED]

    assert (route.domain, route.outbox, route.between) == (
        "payments",
        "outbox",
        "payment-events.fifo",
    )
    assert (route.set_aside, route.bus) == ("payment-events-dlq.fifo", "payments-event-bus")
    own, stock, subscriptions = "payments-event-bus", "stock-event-bus", "subscriptions-event-bus"
    assert route.hops == (
        Hop("PaymentsToStockRule", own, stock, "payments-to-stock-dlq", PAYMENT_CANCELLED),
        Hop(
            "PaymentsToSubscriptionsRule",
            own,
            subscriptions,
            "payments-to-subscriptions-dlq",
            PAYMENT_CANCELLED,
        ),
    )
    assert set(route.deliveries) == {
        Delivery(
            "PaymentCancelledRule",
            stock,
            "stock-payment-cancelled",
            "payment-cancelled-dlq",
            "stock",
            PAYMENT_CANCELLED,
        ),
        Delivery(
            "CancelSubscriptionRule",
            subscriptions,
            "subscriptions-payment-cancelled",
            "cancel-subscription-dlq",
            "subscriptions",
            PAYMENT_CANCELLED,
        ),
    }


def test_an_event_that_nobody_reads_stays_on_its_own_bus() -> None:
    """StockAllocated is told to whoever may come."""
    route = routes()[EventType.STOCK_ALLOCATED]

    assert (route.bus, route.outbox, route.set_aside) == (
        "stock-event-bus",
        "stock-outbox",
        "stock-dlq",
    )
    assert (route.between, route.hops, route.deliveries) == (None, (), ())


def test_every_rule_to_a_bus_or_a_queue_is_on_some_route() -> None:
    """None of the topology's rules is left out of the audit."""
    ways = routes().values()
    named = {hop.rule for way in ways for hop in way.hops}
    named |= {delivery.rule for way in ways for delivery in way.deliveries}
    logs = {log_rule_of(bus.name) for bus in TOPOLOGY.buses}

    assert named | logs == {rule.name for rule in TOPOLOGY.rules}


def test_each_bus_has_its_log() -> None:
    """A bus that does not exist has none."""
    assert log_group_of("stock-event-bus") == "stock-event-logs"
    with pytest.raises(KeyError):
        log_group_of("no-such-bus")
