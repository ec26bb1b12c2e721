"""The payment service over HTTP: cancelled once, however often it is said."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from contracts.names import EventType
from tests.builders import a_cause
from tests.integration.test_api_bad_input import problem, rules
from tests.system import System

CANCEL = {"status": "cancelled"}


@pytest.fixture
def payment_id(system: System) -> str:
    """A payment that a SubscriptionCreated set up."""
    payment_id = str(uuid4())
    system.payments.create(payment_id, "20000002", a_cause())
    return payment_id


def test_a_cancellation_is_one_event_however_often_it_is_sent(
    payments: httpx.Client, system: System, payment_id: str
) -> None:
    """200, 200 with the same payment, and exactly one PaymentCancelled."""
    first, second = (payments.patch(f"/payments/{payment_id}", json=CANCEL) for _ in "12")
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert first.json()["status"] == "cancelled"
    types = [record["eventType"] for record in system.outbox("payment", payment_id)]
    assert types == [EventType.PAYMENT_CREATED, EventType.PAYMENT_CANCELLED]


def test_concurrent_cancellations_are_one_event(
    payments: httpx.Client, system: System, payment_id: str
) -> None:
    """Eight at once: the same answer for all and one event."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: payments.patch(f"/payments/{payment_id}", json=CANCEL), range(8))
        )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len(system.outbox("payment", payment_id)) == 2


def test_a_subscription_id_in_the_body_must_be_the_paths(
    payments: httpx.Client, payment_id: str
) -> None:
    """The right one is accepted, another is refused by name and changes nothing."""
    path = f"/payments/{payment_id}"
    wrong = payments.patch(path, json=CANCEL | {"subscriptionId": "another"})
    assert problem(wrong, 422, "invalid-request")["detail"].startswith("subscriptionId: ")
    assert payments.get(path).json()["status"] == "active"
    right = payments.patch(path, json=CANCEL | {"subscriptionId": payment_id})
    assert right.json()["status"] == "cancelled"


@pytest.mark.parametrize("status", ["active", "paused", "", None, 1, ["cancelled"]])
def test_any_other_status_is_422(
    payments: httpx.Client, system: System, payment_id: str, status: object
) -> None:
    """There is one change that a payment allows."""
    answer = payments.patch(f"/payments/{payment_id}", json={"status": status})
    assert list(rules(problem(answer, 422, "invalid-request"))) == ["status"]
    assert len(system.outbox("payment", payment_id)) == 1


def test_cancelling_an_unknown_payment_is_404(payments: httpx.Client, system: System) -> None:
    """There is nothing to cancel, and nothing is written."""
    unknown = str(uuid4())
    problem(payments.patch(f"/payments/{unknown}", json=CANCEL), 404, "not-found")
    assert system.outbox("payment", unknown) == []
