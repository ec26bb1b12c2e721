"""Requests as clients of the first version send them, with values of our own."""

from uuid import uuid4

import httpx
import pytest

from contracts.names import EventType
from tests.builders import a_cause
from tests.system import System

ORDER = {
    "accountNumber": "acc-222",
    "accountName": "Grace Hopper",
    "accountSortCode": "65-43-21",
    "customerFirstName": "Grace",
    "customerSurname": "Hopper",
}


def test_a_subscription_needs_no_quantity_and_takes_a_reference(
    subscriptions: httpx.Client, system: System
) -> None:
    """With the slash at the end: 201, one razor a month, one event."""
    answer = subscriptions.post("/subscriptions/", json=ORDER)
    assert answer.status_code == 201, answer.text
    created = answer.json()
    assert created.items() >= {**ORDER, "quantity": 1, "status": "active"}.items()
    (record,) = system.outbox("subscription", created["id"])
    assert record["eventType"] == EventType.SUBSCRIPTION_CREATED
    found = subscriptions.get("/subscriptions", params={"accountNumber": "acc-222", "limit": 100})
    assert created in found.json()["items"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_payment_is_cancelled_with_its_id_in_the_body(
    payments: httpx.Client, system: System, slash: str
) -> None:
    """200, where the first version answered 201; an unknown id is 404, where that answered 201."""
    known, unknown = str(uuid4()), str(uuid4())
    system.payments.create(known, "acc-222", a_cause())
    for payment_id, status in ((known, 200), (unknown, 404)):
        body = {"subscriptionId": payment_id, "status": "cancelled"}
        answer = payments.patch(f"/payments/{payment_id}{slash}", json=body)
        assert answer.status_code == status, answer.text
    assert payments.get(f"/payments/{known}").json()["status"] == "cancelled"


@pytest.mark.parametrize("number", ["a", "A-1", "12ab", "1-2-x", "x" * 34])
def test_with_a_letter_it_is_a_reference(subscriptions: httpx.Client, number: str) -> None:
    answer = subscriptions.post("/subscriptions", json=ORDER | {"accountNumber": number})
    assert answer.status_code == 201, answer.text
    assert answer.json()["accountNumber"] == number


@pytest.mark.parametrize("number", ["", "-", "12-34", "acc 1", "acc_1", "é1", "x" * 35])
def test_what_is_neither_a_number_nor_a_reference_is_422(
    subscriptions: httpx.Client, number: str
) -> None:
    """And what was sent is not said again."""
    answer = subscriptions.post("/subscriptions", json=ORDER | {"accountNumber": number})
    assert answer.status_code == 422
    assert len(number) < 2 or number not in answer.text


def test_a_reference_is_in_no_log(
    subscriptions: httpx.Client, payments: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """It has no form by which masking could find it: it is never written in the first place."""
    caplog.set_level("INFO")
    reference = f"ref-{uuid4().hex[:8]}x"
    order = ORDER | {"accountNumber": reference}
    created = subscriptions.post("/subscriptions", json=order).json()
    subscriptions.post("/subscriptions", json=order | {"quantity": 99})
    subscriptions.get("/subscriptions", params={"accountNumber": reference})
    subscriptions.get("/subscriptions", params={"accountNumber": f"{reference}!"})
    payments.get(f"/payments/{created['id']}")
    own = [each.getMessage() for each in caplog.records if not each.name.startswith("http")]
    assert own
    assert not [line for line in own if reference in line]
