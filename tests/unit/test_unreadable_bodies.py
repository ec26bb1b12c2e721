"""What each consumer refuses for good: what is no event of its queue, or breaks what it reads."""

from typing import Any

import pytest

from contracts.envelope import NotAnEvent
from runtime.errors import Unavailable
from runtime.sqs.handler import EventHandler, SchemaViolation, UnexpectedEvent
from services.subscription.model import SubscriptionNotFound
from tests.builders import a_body
from tests.consuming import EVENT_HANDLERS, HANDLERS
from tests.fakes import MemoryStock, MemoryStore

SUBSCRIPTIONS, REJECTED, ALLOCATING, DEALLOCATING, PAYMENTS, ENDED, ERASED = EVENT_HANDLERS


def handler_of(queue: str, store: MemoryStore[Any] | None = None) -> EventHandler:
    handlers = HANDLERS[queue.partition("-")[0]](store or MemoryStock())
    return EVENT_HANDLERS[queue](handlers)


CREATED, CANCELLED = "SubscriptionCreated", "PaymentCancelled"


@pytest.mark.parametrize(
    ("queue", "body", "error"),
    [
        (SUBSCRIPTIONS, "not JSON", NotAnEvent),
        (SUBSCRIPTIONS, a_body(CANCELLED, metadata=None), NotAnEvent),
        (SUBSCRIPTIONS, a_body(CREATED), UnexpectedEvent),
        (SUBSCRIPTIONS, a_body("SomethingElse"), UnexpectedEvent),
        (SUBSCRIPTIONS, a_body(CANCELLED, subscriptionId=None), SchemaViolation),
        (SUBSCRIPTIONS, a_body(CANCELLED, subscriptionId=""), SchemaViolation),
        (SUBSCRIPTIONS, a_body(CANCELLED, subscriptionId="x" * 129), SchemaViolation),
        (SUBSCRIPTIONS, a_body(CANCELLED), SubscriptionNotFound),
        (REJECTED, a_body("StockRejected"), SubscriptionNotFound),
        (REJECTED, a_body("StockRejected", subscriptionId=None), SchemaViolation),
        (ENDED, a_body(CREATED), UnexpectedEvent),
        (ENDED, a_body("SubscriptionCancelled", subscriptionId=""), SchemaViolation),
        (ERASED, a_body("SubscriptionCancelled"), UnexpectedEvent),
        (ERASED, a_body("SubscriptionErased", subscriptionId=None), SchemaViolation),
        (ALLOCATING, a_body(CANCELLED), UnexpectedEvent),
        (ALLOCATING, a_body(CREATED, quantity=0), SchemaViolation),
        (ALLOCATING, a_body(CREATED, quantity=11), SchemaViolation),
        (ALLOCATING, a_body(CREATED, quantity=None), SchemaViolation),
        (ALLOCATING, a_body(CREATED, subscriptionId=1), SchemaViolation),
        (DEALLOCATING, a_body(CREATED), UnexpectedEvent),
        (DEALLOCATING, a_body(CANCELLED, subscriptionId=[]), SchemaViolation),
        (PAYMENTS, a_body(CANCELLED), UnexpectedEvent),
        (PAYMENTS, a_body(CREATED, accountNumber=None), SchemaViolation),
        (PAYMENTS, a_body(CREATED, accountNumber=""), SchemaViolation),
        (PAYMENTS, a_body(CREATED, accountNumber="1" * 35), SchemaViolation),
        (PAYMENTS, a_body(CREATED, subscriptionId=None), SchemaViolation),
    ],
)
def test_a_body_that_cannot_be_handled_is_permanent(
    queue: str, body: str, error: type[Exception]
) -> None:
    """Not JSON, of another type, out of bounds, or of what does not exist: to the DLQ at once."""
    store: MemoryStore[Any] = MemoryStock()
    handler = handler_of(queue, store)
    with pytest.raises(error) as refused:
        handler.handle(body)
    assert handler.is_permanent(refused.value)
    assert store.outbox == []


@pytest.mark.parametrize("queue", EVENT_HANDLERS)
def test_an_outage_is_not_permanent(queue: str) -> None:
    """The message is good; it is the database that has to come back."""
    assert not handler_of(queue).is_permanent(Unavailable("DynamoDB", "throttled"))


def test_a_broken_schema_is_told_without_the_values() -> None:
    """The reason travels in the DLQ and the logs: the field's name, not the account number."""
    with pytest.raises(SchemaViolation) as refused:
        handler_of(PAYMENTS).handle(a_body(CREATED, accountNumber=12345678))
    assert "accountNumber" in str(refused.value)
    assert "12345678" not in str(refused.value)
