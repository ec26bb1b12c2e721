"""What each consumer refuses for good: what is no event of its queue, or breaks what it reads."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from contracts.envelope import NotAnEvent
from runtime.errors import Unavailable
from runtime.sqs.handler import EventHandler, SchemaViolation, UnexpectedEvent
from services.payment import consumer as payment
from services.payment.handlers import Handlers as PaymentHandlers
from services.stock import consumer as stock
from services.stock.handlers import Handlers as StockHandlers
from services.subscription import consumer as subscription
from services.subscription.handlers import Handlers as SubscriptionHandlers
from services.subscription.model import SubscriptionNotFound
from tests.builders import a_body
from tests.fakes import MemoryStore

HANDLERS: Mapping[str, Callable[[MemoryStore[Any]], EventHandler]] = {
    "subscription": lambda store: subscription.payment_cancelled(SubscriptionHandlers(store)),
    "allocating": lambda store: stock.subscription_created(StockHandlers(store)),
    "deallocating": lambda store: stock.payment_cancelled(StockHandlers(store)),
    "payment": lambda store: payment.subscription_created(PaymentHandlers(store)),
}
CREATED, CANCELLED = "SubscriptionCreated", "PaymentCancelled"


@pytest.mark.parametrize(
    ("name", "body", "error"),
    [
        ("subscription", "not JSON", NotAnEvent),
        ("subscription", a_body(CANCELLED, metadata=None), NotAnEvent),
        ("subscription", a_body(CREATED), UnexpectedEvent),
        ("subscription", a_body("SomethingElse"), UnexpectedEvent),
        ("subscription", a_body(CANCELLED, subscriptionId=None), SchemaViolation),
        ("subscription", a_body(CANCELLED, subscriptionId=""), SchemaViolation),
        ("subscription", a_body(CANCELLED, subscriptionId="x" * 129), SchemaViolation),
        ("subscription", a_body(CANCELLED), SubscriptionNotFound),
        ("allocating", a_body(CANCELLED), UnexpectedEvent),
        ("allocating", a_body(CREATED, quantity=0), SchemaViolation),
        ("allocating", a_body(CREATED, quantity=11), SchemaViolation),
        ("allocating", a_body(CREATED, quantity=None), SchemaViolation),
        ("allocating", a_body(CREATED, subscriptionId=1), SchemaViolation),
        ("deallocating", a_body(CREATED), UnexpectedEvent),
        ("deallocating", a_body(CANCELLED, subscriptionId=[]), SchemaViolation),
        ("payment", a_body(CANCELLED), UnexpectedEvent),
        ("payment", a_body(CREATED, accountNumber=None), SchemaViolation),
        ("payment", a_body(CREATED, accountNumber=""), SchemaViolation),
        ("payment", a_body(CREATED, accountNumber="1" * 35), SchemaViolation),
        ("payment", a_body(CREATED, subscriptionId=None), SchemaViolation),
    ],
)
def test_a_body_that_cannot_be_handled_is_permanent(
    name: str, body: str, error: type[Exception]
) -> None:
    """Not JSON, of another type, out of bounds, or of what does not exist: to the DLQ at once."""
    store = MemoryStore[Any]()
    handler = HANDLERS[name](store)
    with pytest.raises(error) as refused:
        handler.handle(body)
    assert handler.is_permanent(refused.value)
    assert store.outbox == []


@pytest.mark.parametrize("name", HANDLERS)
def test_an_outage_is_not_permanent(name: str) -> None:
    """The message is good; it is the database that has to come back."""
    assert not HANDLERS[name](MemoryStore()).is_permanent(Unavailable("DynamoDB", "throttled"))


def test_a_broken_schema_is_told_without_the_values() -> None:
    """The reason travels in the DLQ and the logs: the field's name, not the account number."""
    with pytest.raises(SchemaViolation) as refused:
        HANDLERS["payment"](MemoryStore()).handle(a_body(CREATED, accountNumber=12345678))
    assert "accountNumber" in str(refused.value)
    assert "12345678" not in str(refused.value)
