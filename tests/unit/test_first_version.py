"""Events of the first version: completed from their envelope, handled once, counted apart."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from contracts.envelope import NotAnEvent, ReceivedEvent
from contracts.first_version import SEQUENCES, upcast
from contracts.timestamps import parse_timestamp
from operations.sources.bus_logs import BusEvent, parse_line
from operations.sources.ledger import EventKey
from services.payment import consumer as payment_consumer
from services.payment.handlers import Handlers as PaymentHandlers
from services.stock import consumer as stock_consumer
from services.stock.handlers import Handlers as StockHandlers
from services.subscription import consumer as subscription_consumer
from services.subscription.handlers import Handlers as SubscriptionHandlers
from services.subscription.model import SubscriptionNotFound
from tests.audited import Settled
from tests.builders import a_metadata, an_envelope
from tests.fakes import MemoryPayments, MemoryStock, MemorySubscriptions, opened

ID = "04ee0ace-03de-4fdd-8de9-3b9da00fb226"
UPDATED = "2021-11-20T10:00:00.000Z"

Details = Callable[..., dict[str, Any]]


def subscription(event: str = "SubscriptionCreated", **changes: Any) -> dict[str, Any]:
    """What the first version put on its bus, with values of our own."""
    detail = {
        "id": ID,
        "subscriptionId": ID,
        "accountNumber": "acc-222",
        "accountName": "G Hopper",
        "accountSortCode": "65-43-21",
        "customerFirstName": "Grace",
        "customerSurname": "Hopper",
        "status": "active",
        "event": event,
        "updated": UPDATED,
    }
    return detail | changes


def payment(event: str = "PaymentCancelled") -> dict[str, Any]:
    return {
        "_id": ID,
        "subscriptionId": ID,
        "accountNumber": "acc-222",
        "status": "cancelled",
        "event": event,
        "created": UPDATED,
        "updated": UPDATED,
    }


def body(detail: dict[str, Any]) -> str:
    source = "app.payments" if "_id" in detail else "app.subscriptions"
    return json.dumps(an_envelope(detail, detail_type=detail["event"], source=source))


@pytest.mark.parametrize(
    ("event", "make", "sequence"),
    [
        ("SubscriptionCreated", subscription, 1),
        ("SubscriptionCancelled", subscription, 2),
        ("PaymentCreated", payment, 1),
        ("PaymentCancelled", payment, 2),
    ],
)
def test_what_is_missing_comes_from_the_envelope(event: str, make: Details, sequence: int) -> None:
    """The envelope's id is the event's; created comes first, cancelled second."""
    text = body(make(event))
    read = ReceivedEvent.parse(text)
    assert read.metadata.event_id == read.metadata.correlation_id == json.loads(text)["id"]
    assert (read.metadata.aggregate_id, read.metadata.sequence) == (ID, sequence)
    assert read.metadata.occurred_at == parse_timestamp(UPDATED)
    assert SEQUENCES[event] == sequence


def test_a_subscription_has_one_razor_a_month() -> None:
    """The first version knew no quantity."""
    assert ReceivedEvent.parse(body(subscription())).detail["quantity"] == 1
    assert "quantity" not in ReceivedEvent.parse(body(payment())).detail


def test_an_event_of_this_version_stays_as_it_is() -> None:
    """Also one of another type without metadata, which is refused for that."""
    ours = subscription(metadata=a_metadata(), quantity=3)
    assert upcast("id", "SubscriptionCreated", ours) is ours
    for detail in (subscription(quantity=3), subscription("StockAllocated")):
        assert upcast("id", detail["event"], detail) is detail
        with pytest.raises(NotAnEvent, match="metadata"):
            ReceivedEvent.parse(body(detail))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"subscriptionId": ""}, "subscriptionId"),
        ({"subscriptionId": 7}, "subscriptionId"),
        ({"subscriptionId": "x" * 129}, "subscriptionId"),
        ({"updated": "yesterday"}, "updated"),
        ({"updated": None}, "updated"),
    ],
)
def test_what_cannot_be_completed_names_the_field(changes: dict[str, Any], named: str) -> None:
    """It is dead-lettered with that reason."""
    with pytest.raises(NotAnEvent, match=named):
        ReceivedEvent.parse(body(subscription(**changes)))


def test_stock_and_debit_follow_once() -> None:
    """Whether it is delivered twice, or published twice under another id of EventBridge's."""
    stock, payments = MemoryStock(), MemoryPayments()
    allocate = stock_consumer.subscription_created(StockHandlers(stock))
    deallocate = stock_consumer.payment_cancelled(StockHandlers(stock))
    debit = payment_consumer.subscription_created(PaymentHandlers(payments), opened)
    for _ in "12":
        for handler in (allocate, debit):
            handler.handle(body(subscription()))
        deallocate.handle(body(payment()))
    assert [each.event_type for each in stock.outbox] == ["StockAllocated", "StockDeallocated"]
    assert [each.event_type for each in payments.outbox] == ["PaymentCreated"]
    assert json.loads(stock.outbox[0].detail)["stock"] == 12
    assert json.loads(payments.outbox[0].detail)["accountNumber"] == "acc-222"


def test_a_cancellation_of_a_subscription_that_is_not_ours_is_refused() -> None:
    """For good: its subscription is in the first version's table."""
    handler = subscription_consumer.payment_cancelled(SubscriptionHandlers(MemorySubscriptions()))
    with pytest.raises(SubscriptionNotFound, match=ID) as raised:
        handler.handle(body(payment()))
    assert handler.is_permanent(raised.value)


def test_the_audit_counts_them_apart() -> None:
    """No outbox that it reads has them; one that is on two buses is one."""
    read = parse_line(body(subscription(updated="2026-11-23T09:10:00.000Z")), 0, 0)
    assert isinstance(read, BusEvent)
    assert read.is_of_first_version
    assert read.key == EventKey("SubscriptionCreated", ID, 1)
    world = Settled()
    world.subscribe("a")
    world.lines += [("subscriptions-event-bus", read), ("stock-event-bus", read)]
    report = world.report()
    assert report.clean
    assert report.events["SubscriptionCreated"].published == 1
    assert report.as_document()["firstVersion"] == {"SubscriptionCreated": 1}
