"""Setting a debit up and cancelling it, without HTTP, queue or database."""

import json

import pytest

from services.payment.handlers import Handlers
from services.payment.model import PaymentNotFound, Status
from tests.builders import a_cause, a_metadata, clock
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
        "metadata": a_metadata(eventId="event-1", aggregateId="one"),
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
