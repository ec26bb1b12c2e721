"""Which events reach which queues by the topology's rules, in memory as on the emulator."""

import json
from itertools import product

import pytest

from contracts.names import EventType, Source
from infra.topology import TOPOLOGY
from relay.adapters.eventbridge import EventBus
from runtime.errors import Misconfigured
from runtime.eventbridge import require_bus
from tests.integration.conformance.conftest import Routed
from tests.relay_fakes import record_of

EVERYTHING = list(product([bus.name for bus in TOPOLOGY.buses], Source, EventType))

ARRIVES = {
    ("subscriptions-event-bus", Source.SUBSCRIPTIONS, EventType.SUBSCRIPTION_CREATED): {
        "stock-subscription-created",
        "payments-subscription-created",
    },
    ("payments-event-bus", Source.PAYMENTS, EventType.PAYMENT_CANCELLED): {
        "stock-payment-cancelled",
        "subscriptions-payment-cancelled",
    },
    ("subscriptions-event-bus", Source.SUBSCRIPTIONS, EventType.SUBSCRIPTION_ERASED): {
        "payments-subscription-erased"
    },
    ("payments-event-bus", Source.SUBSCRIPTIONS, EventType.SUBSCRIPTION_ERASED): {
        "payments-subscription-erased"
    },
    ("stock-event-bus", Source.STOCK, EventType.STOCK_REJECTED): {"subscriptions-stock-rejected"},
    ("subscriptions-event-bus", Source.STOCK, EventType.STOCK_REJECTED): {
        "subscriptions-stock-rejected"
    },
    ("stock-event-bus", Source.SUBSCRIPTIONS, EventType.SUBSCRIPTION_CREATED): {
        "stock-subscription-created"
    },
    ("stock-event-bus", Source.PAYMENTS, EventType.PAYMENT_CANCELLED): {"stock-payment-cancelled"},
    ("payments-event-bus", Source.SUBSCRIPTIONS, EventType.SUBSCRIPTION_CREATED): {
        "payments-subscription-created"
    },
    ("subscriptions-event-bus", Source.PAYMENTS, EventType.PAYMENT_CANCELLED): {
        "subscriptions-payment-cancelled"
    },
}
"""By bus, source and type; whatever is not named here reaches no queue."""


def test_every_event_on_every_bus_reaches_its_queues_and_no_other(routed: Routed) -> None:
    """All 72 pairs of bus and event, each put once through the relay's own target."""
    expected: dict[str, list[str]] = {}
    for number, (bus, source, event_type) in enumerate(EVERYTHING):
        record = record_of("a", number + 1, source=source, event_type=event_type)
        assert EventBus(routed.events, bus).publish([record]) == [None]
        for queue in ARRIVES.get((bus, source, event_type), ()):
            expected.setdefault(queue, []).append(f"{source} {event_type}")
    arrived = {queue: sorted(map(_name, bodies)) for queue, bodies in routed.arrived().items()}
    assert arrived == {queue: sorted(names) for queue, names in expected.items()}


def test_an_end_reaches_payments_unless_it_is_the_banks(routed: Routed) -> None:
    """By a field of the detail; an event of an earlier release, which has none, does not."""
    bus = EventBus(routed.events, "subscriptions-event-bus")
    details = [json.dumps({"cancelledBy": by}) for by in ("customer", "staff", "bank", "stock")]
    for number, detail in enumerate([*details, "{}"]):
        record = record_of(
            f"a{number}",
            2,
            source=Source.SUBSCRIPTIONS,
            event_type=EventType.SUBSCRIPTION_CANCELLED,
            detail=detail,
        )
        assert bus.publish([record]) == [None]
    bodies = routed.arrived()["payments-subscription-cancelled"]
    assert sorted(json.loads(body)["detail"]["cancelledBy"] for body in bodies) == [
        "customer",
        "staff",
        "stock",
    ]


def test_an_event_reaches_a_queue_as_it_was_put(routed: Routed) -> None:
    """Source, type, time and detail; and the envelope has the same fields wherever it was made."""
    record = record_of("a", 1, detail='{"subscriptionId":"x","amount":1.5}')
    EventBus(routed.events, "stock-event-bus").publish([record])
    (body,) = routed.arrived()["stock-subscription-created"]
    event = json.loads(body)
    assert event["detail"] == {"subscriptionId": "x", "amount": 1.5}
    assert (event["source"], event["detail-type"]) == (record.source, record.event_type)
    assert event.keys() >= {
        "version",
        "id",
        "account",
        "time",
        "region",
        "resources",
    }


def test_a_batch_is_answered_entry_by_entry(routed: Routed) -> None:
    """Ten entries, ten answers, none of them a failure."""
    records = [record_of(f"a{number}", 1) for number in range(10)]
    assert EventBus(routed.events, "stock-event-bus").publish(records) == [None] * 10
    assert len(routed.arrived()["stock-subscription-created"]) == 10


def test_a_bus_that_is_not_there_takes_events_silently(routed: Routed) -> None:
    """Therefore it is looked for at the start."""
    bus = EventBus(routed.events, "no-such-bus")
    assert bus.publish([record_of("a", 1)]) == [None]
    assert routed.arrived() == {}
    with pytest.raises(Misconfigured, match="no-such-bus"):
        require_bus(routed.events, "no-such-bus")


def _name(body: str) -> str:
    event = json.loads(body)
    return f"{event['source']} {event['detail-type']}"
