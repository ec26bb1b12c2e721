"""The subscription service over HTTP: created once, whatever the caller's network does."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from contracts.names import EventType
from tests.integration.test_api_bad_input import ORDER, problem
from tests.system import System


def test_a_subscription_is_created_with_its_event(
    subscriptions: httpx.Client, system: System
) -> None:
    """201, an address that answers, and one outbox record that carries the caller's ids."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = subscriptions.post(
        "/subscriptions",
        json=ORDER,
        headers={"X-Correlation-Id": "call-1", "traceparent": trace},
    )
    assert answer.status_code == 201
    created = answer.json()
    assert answer.headers["location"] == f"/subscriptions/{created['subscriptionId']}"
    assert subscriptions.get(answer.headers["location"]).json() == created
    assert created.items() >= ORDER.items()
    (record,) = system.outbox("subscription", created["subscriptionId"])
    assert record["eventType"] == EventType.SUBSCRIPTION_CREATED
    metadata = json.loads(record["detail"])["metadata"]
    assert (metadata["correlationId"], metadata["traceparent"]) == ("call-1", trace)


def test_quantity_is_one_unless_said(subscriptions: httpx.Client) -> None:
    """The one field that may be left out."""
    order = {name: value for name, value in ORDER.items() if name != "quantity"}
    assert subscriptions.post("/subscriptions", json=order).json()["quantity"] == 1


def test_the_same_key_and_body_is_the_same_subscription(
    subscriptions: httpx.Client, system: System
) -> None:
    """A caller that never saw the answer asks again and gets it; nothing happens twice."""
    headers = {"Idempotency-Key": f"key {uuid4()}"}
    answers = [subscriptions.post("/subscriptions", json=ORDER, headers=headers) for _ in "123"]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(system.outbox("subscription", answers[0].json()["id"])) == 1


def test_the_same_key_with_another_body_is_422(subscriptions: httpx.Client, system: System) -> None:
    """A key that is used for something else is a mistake; the first subscription stands."""
    headers = {"Idempotency-Key": f"key {uuid4()}"}
    first = subscriptions.post("/subscriptions", json=ORDER, headers=headers)
    second = subscriptions.post("/subscriptions", json=ORDER | {"quantity": 9}, headers=headers)
    assert "Idempotency-Key" in problem(second, 422, "invalid-request")["detail"]
    assert subscriptions.get(first.headers["location"]).json() == first.json()
    assert len(system.outbox("subscription", first.json()["id"])) == 1


def test_the_default_quantity_is_part_of_the_body(subscriptions: httpx.Client) -> None:
    """Leaving quantity out and saying 1 are the same body, for a key too."""
    headers = {"Idempotency-Key": f"key {uuid4()}"}
    silent = {name: value for name, value in ORDER.items() if name != "quantity"}
    first = subscriptions.post("/subscriptions", json=silent, headers=headers)
    second = subscriptions.post("/subscriptions", json=ORDER | {"quantity": 1}, headers=headers)
    assert first.json() == second.json()


def test_concurrent_requests_with_one_key_create_one_subscription(
    subscriptions: httpx.Client, system: System
) -> None:
    """Sixteen at once: the same answer for all, one row, one event."""
    headers = {"Idempotency-Key": f"key {uuid4()}"}
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(
                lambda _: subscriptions.post("/subscriptions", json=ORDER, headers=headers),
                range(16),
            )
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(system.outbox("subscription", answers[0].json()["id"])) == 1


@pytest.mark.parametrize("key", [b"", b"x" * 256, b"caf\xe9"])
def test_a_key_that_is_no_key_is_422(subscriptions: httpx.Client, key: bytes) -> None:
    """A key has 1 to 255 printable ASCII characters."""
    headers = [(b"Idempotency-Key", key)]
    answer = subscriptions.post("/subscriptions", json=ORDER, headers=headers)
    (error,) = problem(answer, 422, "invalid-request")["errors"]
    assert (error["location"], error["field"]) == ("header", "idempotency-key")
