"""What a state implies is what the domains' own models publish on their way to that state."""

from datetime import datetime, timedelta

import pytest

from contracts.names import EventType
from contracts.outbox import OutboxRecord
from infra.topology import LIFECYCLES
from operations.sources.ledger import (
    AggregateState,
    Committed,
    EventKey,
    NotUnderstood,
    events_of,
    handled,
)
from operations.sources.routes import routes
from services.payment import events as payment_events
from services.payment.model import Payment
from services.stock import events as stock_events
from services.stock.model import Stock
from services.subscription import events as subscription_events
from services.subscription.model import Subscription
from tests.builders import BY_BANK, START, a_cause, an_order

LATER = START + timedelta(seconds=5)
NAME = "5f0c7c1e-7a64-5d0b-9d5e-0a4c6a3f8b11"


def a_subscription() -> list[Subscription]:
    first = Subscription.create(NAME, an_order(), request_digest="digest", now=START)
    return [first, first.cancel(*BY_BANK, now=LATER)]


def allocated() -> list[Stock]:
    first = Stock.allocate(NAME, 3, now=START)
    return [first, first.deallocate(now=LATER)]


def a_payment() -> list[Payment]:
    first = Payment.create(NAME, "12345678", now=START)
    return [first, first.cancel(now=LATER)]


def a_standing(
    domain: str, event: str, version: int, updated: datetime = LATER, created: datetime = START
) -> AggregateState:
    return AggregateState(domain, NAME, version, event, "sample", created, updated)


def of_model(domain: str, state: Subscription | Stock | Payment) -> AggregateState:
    return AggregateState(
        domain,
        state.subscription_id,
        state.version,
        state.event,
        state.status,
        state.created,
        state.updated,
    )


@pytest.mark.parametrize("versions", [1, 2])
@pytest.mark.parametrize("domain", LIFECYCLES)
def test_a_state_implies_the_very_events_that_the_domain_published(
    domain: str, versions: int
) -> None:
    """Type, aggregate, sequence and time are those of the records in the outbox."""
    states, records = _history(domain)

    implied = list(events_of(of_model(domain, states[versions - 1])))

    assert implied == [
        Committed(EventKey(record.event_type, NAME, record.sequence), record.occurred_at)
        for record in records[:versions]
    ]


def test_stock_given_back_before_it_was_put_aside_has_one_event_for_certain() -> None:
    """It begins at version 2: an allocation is neither demanded nor ruled out."""
    state = Stock.deallocate_before_allocation(NAME, now=START)

    allocation, deallocation = events_of(of_model("stock", state))

    assert (allocation.key.event_type, allocation.certain) == ("StockAllocated", False)
    assert (deallocation.key, deallocation.certain) == (("StockDeallocated", NAME, 2), True)
    assert deallocation.occurred_at == START


@pytest.mark.parametrize(
    "state",
    [
        a_standing("subscriptions", "SubscriptionCreated", 2),
        a_standing("stock", "StockDeallocated", 1),
        a_standing("payments", "PaymentCancelled", 3),
        a_standing("payments", "PaymentCreated", 0),
        a_standing("payments", "", 1),
    ],
)
def test_a_state_that_nothing_leads_to_is_told(state: AggregateState) -> None:
    """A row that somebody wrote by hand is not taken for a history."""
    with pytest.raises(NotUnderstood, match=NAME):
        list(events_of(state))


def test_every_event_that_is_delivered_begins_or_ends_an_aggregate() -> None:
    """So `handled` knows what each leaves behind; what does neither would need a rule."""
    delivered = {event_type for event_type, route in routes().items() if route.deliveries}
    known = {event_type for each in LIFECYCLES.values() for event_type in each.events}

    assert delivered
    assert delivered <= known
    assert all(
        (each.sequence > 1) <= each.ends
        for life in LIFECYCLES.values()
        for each in life.transitions
    )


@pytest.mark.parametrize(
    ("event", "domain", "last", "version", "expected"),
    [
        ("SubscriptionCreated", "stock", "StockAllocated", 1, True),
        ("SubscriptionCreated", "stock", "StockDeallocated", 2, True),
        ("SubscriptionCreated", "payments", "PaymentCreated", 1, True),
        ("PaymentCancelled", "stock", "StockAllocated", 1, False),
        ("PaymentCancelled", "stock", "StockDeallocated", 2, True),
        ("PaymentCancelled", "subscriptions", "SubscriptionCreated", 1, False),
        ("PaymentCancelled", "subscriptions", "SubscriptionCancelled", 2, True),
        ("PaymentCancelled", "subscriptions", "SubscriptionErased", 3, True),
        ("SubscriptionCreated", "stock", "StockRejected", 1, True),
        ("SubscriptionCreated", "payments", "PaymentCancelled", 2, True),
        ("PaymentCancelled", "stock", "StockRejected", 1, True),
        ("StockRejected", "subscriptions", "SubscriptionCreated", 1, False),
        ("StockRejected", "subscriptions", "SubscriptionCancelled", 2, True),
        ("SubscriptionCancelled", "payments", "PaymentCreated", 1, False),
        ("SubscriptionCancelled", "payments", "PaymentCancelled", 2, True),
        ("SubscriptionErased", "payments", "PaymentCancelled", 2, False),
    ],
)
def test_an_event_is_handled_once_its_effect_is_there(
    event: str, domain: str, last: str, version: int, expected: bool
) -> None:
    """Creation leaves a row behind, cancellation an ended one; nothing stored is not handled."""
    key = EventKey(event, NAME, 1)

    assert handled(key, a_standing(domain, last, version)) is expected
    assert handled(key, None) is False


def test_every_type_of_event_stands_in_one_domains_life() -> None:
    """None is left out of the audit."""
    assert sorted(each for life in LIFECYCLES.values() for each in life.events) == sorted(EventType)


def _history(
    domain: str,
) -> tuple[list[Subscription] | list[Stock] | list[Payment], list[OutboxRecord]]:
    if domain == "subscriptions":
        subscriptions = a_subscription()
        return subscriptions, [
            subscription_events.record_of(each, a_cause(), event_id="e") for each in subscriptions
        ]
    if domain == "stock":
        stock = allocated()
        return stock, [stock_events.record_of(each, a_cause(), event_id="e") for each in stock]
    payments = a_payment()
    return payments, [payment_events.record_of(each, a_cause(), event_id="e") for each in payments]
