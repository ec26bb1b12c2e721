"""Setting a debit up and cancelling it, without HTTP, queue or database."""

import json

import pytest

from runtime.sqs.handler import SchemaViolation, UnexpectedEvent
from services.payment.consumer import subscription_created
from services.payment.handlers import Handlers
from services.payment.model import PaymentNotFound, Status
from tests.builders import TRACEPARENT, a_cause, a_detail, an_envelope, clock
from tests.fakes import MemoryPayments


@pytest.fixture
def store() -> MemoryPayments:
    return MemoryPayments()


@pytest.fixture
def handlers(store: MemoryPayments) -> Handlers:
    return Handlers(store, now=clock(), new_id=lambda: "event-1")


def test_setting_up_commits_the_payment_and_its_event(
    handlers: Handlers, store: MemoryPayments
) -> None:
    """The id is `_id` on the wire, as the first version's readers know it."""
    handlers.create("one", "12345678", a_cause())
    assert handlers.get("one").status is Status.ACTIVE
    (record,) = store.outbox
    assert json.loads(record.detail) == {
        "event": "PaymentCreated",
        "_id": "one",
        "subscriptionId": "one",
        "accountNumber": "12345678",
        "status": "active",
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


def test_cancelling_commits_the_end_and_its_event(
    handlers: Handlers, store: MemoryPayments
) -> None:
    """A third party cancels: the event is the second of its aggregate."""
    handlers.create("one", "12345678", a_cause())
    assert handlers.cancel("one", a_cause()).status is Status.CANCELLED
    detail = json.loads(store.outbox[-1].detail)
    assert (detail["event"], detail["status"]) == ("PaymentCancelled", "cancelled")
    assert detail["metadata"]["sequence"] == 2


def test_cancelling_again_raises_no_second_event(handlers: Handlers, store: MemoryPayments) -> None:
    """The answer is the same; the outbox does not grow."""
    handlers.create("one", "12345678", a_cause())
    assert handlers.cancel("one", a_cause()) == handlers.cancel("one", a_cause())
    assert len(store.outbox) == 2


def test_what_does_not_exist_is_not_found(handlers: Handlers, store: MemoryPayments) -> None:
    """Neither reading nor cancelling makes one up."""
    with pytest.raises(PaymentNotFound, match="nowhere"):
        handlers.get("nowhere")
    with pytest.raises(PaymentNotFound, match="nowhere"):
        handlers.cancel("nowhere", a_cause())
    assert store.outbox == []


def a_body(detail_type: str = "SubscriptionCreated", **changes: object) -> str:
    return json.dumps(an_envelope(a_detail(**changes), detail_type=detail_type, source="app.x"))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (a_body("PaymentCancelled"), UnexpectedEvent),
        (a_body(accountNumber=None), SchemaViolation),
        (a_body(accountNumber=""), SchemaViolation),
        (a_body(accountNumber="1" * 35), SchemaViolation),
        (a_body(subscriptionId=None), SchemaViolation),
    ],
)
def test_a_body_that_cannot_be_read_is_permanent(
    handlers: Handlers, store: MemoryPayments, body: str, error: type[Exception]
) -> None:
    """The queue takes its own event, with what this service reads of it within bounds."""
    handler = subscription_created(handlers)
    with pytest.raises(error) as refused:
        handler.handle(body)
    assert handler.is_permanent(refused.value)
    assert store.outbox == []


def test_a_broken_schema_is_told_without_the_values() -> None:
    """The reason travels in the DLQ and the logs: the field's name, not the account number."""
    handler = subscription_created(Handlers(MemoryPayments()))
    with pytest.raises(SchemaViolation) as refused:
        handler.handle(a_body(accountNumber=12345678))
    assert "accountNumber" in str(refused.value)
    assert "12345678" not in str(refused.value)
