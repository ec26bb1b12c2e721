"""The subscription lifecycle through real processes, HTTP and buses."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from local.process_table import our_processes
from tests.e2e.world import ORDER, World
from verification.testkit.waiting import eventually

SCHEMAS = Path(__file__).parents[2] / "contracts" / "schemas"


def test_a_subscription_is_stocked_and_paid_for_and_everything_is_undone_with_its_payment(
    either: World,
) -> None:
    """One request puts stock aside and sets a debit up; one cancellation undoes all of it."""
    # Given a customer who subscribes
    subscription_id = either.subscribe(quantity=3)

    # Then stock is allocated, and a direct debit is set up on their account
    either.until("stock", subscription_id, "allocated")
    either.until("payment", subscription_id, "active")
    assert either.read("stock", subscription_id)["stock"] == 36
    assert either.read("payment", subscription_id)["accountNumber"] == ORDER["accountNumber"]

    # When a third party cancels the debit, twice
    assert either.cancel_payment(subscription_id).status_code == 200
    assert either.cancel_payment(subscription_id).status_code == 200

    # Then the stock is given back and the subscription ends
    either.until("stock", subscription_id, "deallocated")
    either.until("subscription", subscription_id, "cancelled")
    assert either.read("stock", subscription_id)["stock"] == 0
    assert either.read("subscription", subscription_id)["cancelledReason"] == "payment cancelled"

    # And every bus has seen what it should, once, in the form that was promised
    expected = {
        "subscriptions": {"SubscriptionCreated", "PaymentCancelled", "SubscriptionCancelled"},
        "stock": {
            "SubscriptionCreated",
            "StockAllocated",
            "PaymentCancelled",
            "StockDeallocated",
        },
        "payments": {"SubscriptionCreated", "PaymentCreated", "PaymentCancelled"},
    }
    for bus, types in expected.items():
        events = eventually(
            partial(_complete, either, bus, subscription_id, types),
            what=f"{sorted(types)} on the {bus} bus",
        )
        assert sorted(event["detail-type"] for event in events) == sorted(types)
        for event in events:
            version = event["detail"]["metadata"]["version"]
            schema = json.loads((SCHEMAS / f"{event['detail-type']}.v{version}.json").read_text())
            Draft202012Validator(schema).validate(event["detail"])

    # And nothing is left in any outbox
    eventually(lambda: not either.pending(), what="empty outboxes")


def test_a_customer_cancels_and_is_forgotten(either: World) -> None:
    """The debit ends and the razors come back by themselves; then nothing personal is left."""
    # Given a customer who has subscribed
    subscription_id = either.subscribe(quantity=2)
    either.until("stock", subscription_id, "allocated")
    either.until("payment", subscription_id, "active")

    # When the customer cancels, twice
    for reason in ("too expensive", "other"):
        answer = either.cancel(subscription_id, reason)
        assert (answer.status_code, answer.json()["reason"]) == (200, "too expensive")

    # Then the debit is called off, and the stock given back
    either.until("payment", subscription_id, "cancelled")
    either.until("stock", subscription_id, "deallocated")
    shown = either.read("subscription", subscription_id)
    assert (shown["status"], shown["cancelledBy"]) == ("cancelled", "customer")

    # And each event was there once: the bank's, and the end, which caused it
    (ended,) = either.events_of("payments", subscription_id, "SubscriptionCancelled")
    paid = _metadata(either, "payments", subscription_id, "PaymentCancelled")
    assert paid["causationId"] == ended["detail"]["metadata"]["eventId"]
    assert len(either.events_of("subscriptions", subscription_id, "SubscriptionCancelled")) == 1

    # When it is erased
    left = either.erase(subscription_id).json()
    assert (left["status"], left["reason"]) == ("erased", "too expensive")

    # Then payments has no account number any more
    eventually(
        lambda: either.read("payment", subscription_id)["erasedAt"],
        what=f"payment {subscription_id} erased",
    )
    assert either.read("payment", subscription_id)["accountNumber"] is None
    eventually(lambda: not either.pending(), what="empty outboxes")


def test_a_cancellation_at_once_ends_alike(either: World) -> None:
    """While stock and payments are yet to hear of the subscription."""
    subscription_id = either.subscribe()
    assert either.cancel(subscription_id, "other").status_code == 200
    either.until("payment", subscription_id, "cancelled")
    either.until("stock", subscription_id, "deallocated")
    assert either.read("stock", subscription_id)["stock"] == 0
    assert either.read("subscription", subscription_id)["cancelledBy"] == "customer"


def test_an_event_names_the_request_and_the_event_that_led_to_it(either: World) -> None:
    """The correlation id goes through all three services; causation ids chain the events."""
    subscription_id = either.subscribe()
    for service, status in (("stock", "allocated"), ("payment", "active")):
        either.until(service, subscription_id, status)
    either.cancel_payment(subscription_id)
    either.until("subscription", subscription_id, "cancelled")

    created = _metadata(either, "subscriptions", subscription_id, "SubscriptionCreated")
    allocated = _metadata(either, "stock", subscription_id, "StockAllocated")
    paid = _metadata(either, "payments", subscription_id, "PaymentCreated")
    assert created["correlationId"].startswith("test-")
    assert {allocated["correlationId"], paid["correlationId"]} == {created["correlationId"]}
    assert created["causationId"] is None
    assert allocated["causationId"] == paid["causationId"] == created["eventId"]

    cancelled = _metadata(either, "payments", subscription_id, "PaymentCancelled")
    ended = _metadata(either, "subscriptions", subscription_id, "SubscriptionCancelled")
    given_back = _metadata(either, "stock", subscription_id, "StockDeallocated")
    assert ended["causationId"] == given_back["causationId"] == cancelled["eventId"]
    assert (cancelled["sequence"], ended["sequence"], given_back["sequence"]) == (2, 2, 2)


def test_every_process_serves_its_health_and_its_metrics(either: World) -> None:
    """Liveness, readiness and Prometheus metrics are on every process, APIs and workers alike."""
    for process in our_processes(either.settings):
        address = f"http://127.0.0.1:{process.port}"
        for path in ("/healthz", "/readyz"):
            assert either.http.get(address + path).status_code == 200, (process.name, path)
        assert "process_resident_memory_bytes" in either.http.get(address + "/metrics").text


def _complete(
    running: World, bus: str, subscription_id: str, types: set[str]
) -> list[dict[str, Any]]:
    events = running.events_of(bus, subscription_id)
    return events if {event["detail-type"] for event in events} >= types else []


def _metadata(running: World, bus: str, subscription_id: str, event_type: str) -> dict[str, Any]:
    events = eventually(
        lambda: running.events_of(bus, subscription_id, event_type),
        what=f"{event_type} on the {bus} bus",
    )
    metadata: dict[str, Any] = events[0]["detail"]["metadata"]
    return metadata
