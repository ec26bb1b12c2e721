"""Allocating and giving back, without queue or database."""

import json

import pytest

from runtime.sqs.handler import SchemaViolation, UnexpectedEvent
from services.stock import consumer
from services.stock.handlers import Handlers
from services.stock.model import Status, StockNotFound
from tests.builders import TRACEPARENT, a_cause, a_detail, an_envelope, clock
from tests.fakes import MemoryStock


@pytest.fixture
def store() -> MemoryStock:
    return MemoryStock()


@pytest.fixture
def handlers(store: MemoryStock) -> Handlers:
    return Handlers(store, now=clock(), new_id=lambda: "event-1")


def test_allocating_commits_the_stock_and_its_event(handlers: Handlers, store: MemoryStock) -> None:
    """The event tells how much was put aside, and what led to it."""
    handlers.allocate("one", 2, a_cause())
    assert handlers.get("one").status is Status.ALLOCATED
    (record,) = store.outbox
    assert json.loads(record.detail) == {
        "event": "StockAllocated",
        "id": "one",
        "subscriptionId": "one",
        "stockId": "razor-123",
        "stock": 24,
        "status": "allocated",
        "created": "2026-11-23T09:30:00.000Z",
        "updated": "2026-11-23T09:30:00.000Z",
        "metadata": {
            "eventId": "event-1",
            "version": 1,
            "aggregateId": "one",
            "sequence": 1,
            "occurredAt": "2026-11-23T09:30:00.000Z",
            "correlationId": "request-1",
            "causationId": None,
            "traceparent": TRACEPARENT,
        },
    }


def test_giving_back_commits_the_end_and_its_event(handlers: Handlers, store: MemoryStock) -> None:
    """Nothing is left put aside, and the event is the second of its aggregate."""
    handlers.allocate("one", 2, a_cause())
    handlers.deallocate("one", a_cause())
    detail = json.loads(store.outbox[-1].detail)
    assert (detail["event"], detail["stock"], detail["status"]) == (
        "StockDeallocated",
        0,
        "deallocated",
    )
    assert detail["metadata"]["sequence"] == 2
    assert (detail["created"], detail["updated"]) == (
        "2026-11-23T09:30:00.000Z",
        "2026-11-23T09:30:01.000Z",
    )


def test_a_creation_that_comes_late_allocates_nothing(
    handlers: Handlers, store: MemoryStock
) -> None:
    """The cancellation overtook it: the stock was recorded as given back, and stays so."""
    handlers.deallocate("one", a_cause())
    assert handlers.allocate("one", 2, a_cause()).stock == 0
    assert [record.event_type for record in store.outbox] == ["StockDeallocated"]


def test_what_does_not_exist_is_not_found(handlers: Handlers) -> None:
    """Reading makes nothing up."""
    with pytest.raises(StockNotFound, match="nowhere"):
        handlers.get("nowhere")


def a_body(detail_type: str, **changes: object) -> str:
    return json.dumps(an_envelope(a_detail(**changes), detail_type=detail_type, source="app.x"))


@pytest.mark.parametrize(
    ("queue", "body", "error"),
    [
        ("subscription_created", a_body("PaymentCancelled"), UnexpectedEvent),
        ("payment_cancelled", a_body("SubscriptionCreated"), UnexpectedEvent),
        ("subscription_created", a_body("SubscriptionCreated", quantity=0), SchemaViolation),
        ("subscription_created", a_body("SubscriptionCreated", quantity=11), SchemaViolation),
        ("subscription_created", a_body("SubscriptionCreated", quantity=None), SchemaViolation),
        ("subscription_created", a_body("SubscriptionCreated", subscriptionId=1), SchemaViolation),
        ("payment_cancelled", a_body("PaymentCancelled", subscriptionId=[]), SchemaViolation),
    ],
)
def test_a_body_that_cannot_be_read_is_permanent(
    handlers: Handlers, store: MemoryStock, queue: str, body: str, error: type[Exception]
) -> None:
    """Each queue takes its own event, with what this service reads of it within bounds."""
    handler = getattr(consumer, queue)(handlers)
    with pytest.raises(error) as refused:
        handler.handle(body)
    assert handler.is_permanent(refused.value)
    assert store.outbox == []
