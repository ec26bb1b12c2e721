"""Subscribing and cancelling, without HTTP, queue or database."""

import json
from uuid import UUID

import pytest

from infra.local_system.settings import ROOT
from runtime.callers import Caller
from services.subscription.handlers import Handlers
from services.subscription.model import IdempotencyKeyReused, Status, SubscriptionNotFound
from tests.builders import BY_BANK, a_cause, a_metadata, an_order, clock
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
    handlers.cancel(first.subscription_id, *BY_BANK, a_cause())
    again = handlers.subscribe(an_order(), a_cause(), key="once")
    assert (again.subscription_id, again.status) == (first.subscription_id, Status.CANCELLED)


def a_caller(subject: str, issuer: str = "https://issuer.example") -> Caller:
    return Caller(issuer, subject, None, frozenset())


@pytest.mark.parametrize(
    ("issuer", "subject", "owner", "subscription_id"),
    [
        (
            "https://issuer.example",
            "ada",
            "9b09bd3dc9f1976a0f7e484c4e4eb01ef082d1eb2ffa07cd9886269b5ab16904",
            "8e5197f9-aed2-561f-b4cc-b60fdb751fe5",
        ),
        (
            "https://issuer.example",
            "Zoë",
            "945210659b8741f55785d8b3c90399adba12b4a73b4e451435e65e82bac9ce00",
            "169c529d-edf1-5eb6-bc58-de8d9b3c8e67",
        ),
    ],
)
def test_a_callers_rows_and_keys_are_named_as_the_docs_say(
    handlers: Handlers, issuer: str, subject: str, owner: str, subscription_id: str
) -> None:
    """Rows live long: what they are named by may never change. docs/architecture.md has these."""
    found = handlers.subscribe(
        an_order(), a_cause(), key="order-2026-11-23-0001", caller=a_caller(subject, issuer)
    )
    assert (found.owner, found.subscription_id) == (owner, subscription_id)
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert owner in page
    assert subscription_id in page


def test_without_a_caller_a_key_gives_the_id_that_it_always_gave(handlers: Handlers) -> None:
    """README's and the tutorial's ids hold; nobody owns the row."""
    found = handlers.subscribe(an_order(), a_cause(), key="order-2026-11-23-0001")
    assert found.subscription_id == "280d2be1-0a4c-5fe9-9a74-da3b91a9c428"
    assert found.owner is None


def test_callers_and_keys_that_are_joined_alike_are_not_alike(handlers: Handlers) -> None:
    """Neither a separator in a name nor another split of the same letters meets another's key."""
    asked = [
        (a_caller("ada", "i"), "key"),
        (a_caller("adak", "i"), "ey"),
        (a_caller("a", "ida"), "key"),
        (a_caller('ada","key', "i"), "x"),
        (a_caller("ada", "i"), 'key","x'),
        (a_caller("", "i"), "adakey"),
        (None, "key"),
        (None, '["i","ada","key"]'),
    ]
    found = {
        handlers.subscribe(an_order(), a_cause(), key=key, caller=caller).subscription_id
        for caller, key in asked
    }
    assert len(found) == len(asked)


def test_a_subscription_is_its_owners_alone(handlers: Handlers) -> None:
    """Another's is not found; who may see all names no owner."""
    ada, bob = a_caller("ada"), a_caller("bob")
    created = handlers.subscribe(an_order(), a_cause(), caller=ada)
    without = handlers.subscribe(an_order(), a_cause())
    assert handlers.get(created.subscription_id, owner=ada.owner) == created
    assert handlers.get(created.subscription_id) == created
    for owner, row in ((bob.owner, created), (ada.owner, without)):
        with pytest.raises(SubscriptionNotFound):
            handlers.get(row.subscription_id, owner=owner)


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
    cancelled = handlers.cancel(created.subscription_id, *BY_BANK, a_cause())
    detail = json.loads(store.outbox[-1].detail)
    assert (cancelled.status, cancelled.reason) == (
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
        handlers.cancel("nowhere", *BY_BANK, a_cause())
    assert store.outbox == []
