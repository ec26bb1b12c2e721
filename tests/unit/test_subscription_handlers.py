"""Subscribing and cancelling, without HTTP, queue or database."""

import json
from uuid import UUID

import pytest

from services.subscription.handlers import Handlers
from services.subscription.model import IdempotencyKeyReused, Status, SubscriptionNotFound
from tests.builders import a_cause, a_metadata, an_order, clock
from tests.fakes import MemorySubscriptions


@pytest.fixture
def store() -> MemorySubscriptions:
    return MemorySubscriptions()


@pytest.fixture
def handlers(store: MemorySubscriptions) -> Handlers:
    return Handlers(store, now=clock(), new_id=lambda: "event-1")


def test_subscribing_commits_the_subscription_and_its_event(
    handlers: Handlers, store: MemorySubscriptions
) -> None:
    """The event tells all that the other domains and the first version's readers need."""
    subscription = handlers.subscribe(an_order(), a_cause())
    assert handlers.get(subscription.subscription_id) == subscription
    (record,) = store.outbox
    assert json.loads(record.detail) == {
        "event": "SubscriptionCreated",
        "id": subscription.subscription_id,
        "subscriptionId": subscription.subscription_id,
        "accountNumber": "12345678",
        "accountName": "A Lovelace",
        "accountSortCode": "12-34-56",
        "customerFirstName": "Ada",
        "customerSurname": "Lovelace",
        "quantity": 2,
        "status": "active",
        "cancelledReason": None,
        "created": "2026-11-23T09:30:00.000Z",
        "updated": "2026-11-23T09:30:00.000Z",
        "metadata": a_metadata(eventId="event-1", aggregateId=subscription.subscription_id),
    }


def test_ids_are_uuids_and_differ(handlers: Handlers) -> None:
    """Without a key, the same order twice is two subscriptions."""
    ids = {handlers.subscribe(an_order(), a_cause()).subscription_id for _ in range(2)}
    assert len({UUID(each) for each in ids}) == 2


def test_the_same_key_and_body_give_the_same_subscription(
    handlers: Handlers, store: MemorySubscriptions
) -> None:
    """A client that heard no answer may send it again: one subscription, one event."""
    first = handlers.subscribe(an_order(), a_cause(), key="once")
    assert handlers.subscribe(an_order(), a_cause("request-2"), key="once") == first
    assert len(store.outbox) == 1
    assert UUID(first.subscription_id)


def test_the_same_key_is_honoured_after_a_cancellation(handlers: Handlers) -> None:
    """A late repetition is answered with the subscription as it stands, cancelled."""
    first = handlers.subscribe(an_order(), a_cause(), key="once")
    handlers.cancel(first.subscription_id, a_cause())
    again = handlers.subscribe(an_order(), a_cause(), key="once")
    assert (again.subscription_id, again.status) == (first.subscription_id, Status.CANCELLED)


def test_another_key_gives_another_subscription(handlers: Handlers) -> None:
    """Keys do not get in each other's way."""
    ids = {handlers.subscribe(an_order(), a_cause(), key=key).subscription_id for key in "ab"}
    assert len(ids) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"account_number": "87654321"},
        {"account_name": "B"},
        {"account_sort_code": "123456"},
        {"customer_first_name": "B"},
        {"customer_surname": "B"},
        {"quantity": 3},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_the_same_key_with_another_body_is_refused(
    handlers: Handlers, store: MemorySubscriptions, changed: dict[str, object]
) -> None:
    """Any field that differs shows that the key was reused; nothing is written."""
    handlers.subscribe(an_order(), a_cause(), key="once")
    with pytest.raises(IdempotencyKeyReused):
        handlers.subscribe(an_order(**changed), a_cause(), key="once")
    assert len(store.outbox) == 1


def test_cancelling_commits_the_end_and_its_event(
    handlers: Handlers, store: MemorySubscriptions
) -> None:
    """The event carries the reason and the next sequence."""
    created = handlers.subscribe(an_order(), a_cause())
    cancelled = handlers.cancel(created.subscription_id, a_cause())
    detail = json.loads(store.outbox[-1].detail)
    assert (cancelled.status, cancelled.cancelled_reason) == (
        Status.CANCELLED,
        "payment cancelled",
    )
    assert (detail["event"], detail["status"], detail["cancelledReason"]) == (
        "SubscriptionCancelled",
        "cancelled",
        "payment cancelled",
    )
    assert detail["metadata"]["sequence"] == 2


def test_what_does_not_exist_is_not_found(handlers: Handlers, store: MemorySubscriptions) -> None:
    """Neither reading nor cancelling makes one up."""
    with pytest.raises(SubscriptionNotFound, match="nowhere"):
        handlers.get("nowhere")
    with pytest.raises(SubscriptionNotFound, match="nowhere"):
        handlers.cancel("nowhere", a_cause())
    assert store.outbox == []
