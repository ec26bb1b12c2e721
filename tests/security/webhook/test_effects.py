"""The bank's callback: what it cancels, once, and what becomes of it in an outage."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from pymongo import MongoClient

from contracts.names import EventType
from infra.domains.payments import WEBHOOK_PATH
from services.payment.model import ReasonCode
from tests.builders import a_cause
from tests.integration import test_api_openapi as openapi
from tests.integration.test_api_bad_input import problem, rules
from tests.operations import operations
from tests.security.webhook.bank import (
    CANCELLED,
    JSON,
    SECRET,
    api_of,
    body_of,
    send,
    signed,
    types,
)
from tests.system import System
from verification.testkit.tcp_proxy import TcpProxy
from verification.testkit.waiting import eventually


@pytest.mark.parametrize("code", ["0", "1", "2", "B", "D"])
def test_a_code_that_ends_the_mandate_cancels_with_its_reason(
    api: httpx.Client, system: System, payment_id: str, code: str
) -> None:
    """204 and one event; GET shows the reason, and the event does not carry it."""
    body = body_of(payment_id, code)
    answer = send(api, body, signed(body))
    assert (answer.status_code, answer.content) == (204, b"")
    payment = api.get(f"/payments/{payment_id}").json()
    assert (payment["status"], payment["reasonCode"]) == ("cancelled", code)
    created, cancelled = system.outbox("payment", payment_id)
    assert cancelled["eventType"] == EventType.PAYMENT_CANCELLED
    more = set(json.loads(cancelled["detail"])) - set(json.loads(created["detail"]))
    assert more == set()


@pytest.mark.parametrize("code", ["3", "C", "E", "R", "", "b", "Z", "10"])
def test_another_code_has_no_effect(
    api: httpx.Client,
    system: System,
    payment_id: str,
    code: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An account that moved, an amendment, a reinstatement, a code of no table: it is logged."""
    caplog.set_level("INFO")
    body = body_of(payment_id, code)
    assert send(api, body, signed(body)).status_code == 204
    assert types(system, payment_id) == [EventType.PAYMENT_CREATED]
    assert "webhook without effect" in caplog.text
    assert payment_id in caplog.text


def test_the_codes_that_cancel_are_those_of_the_table() -> None:
    """A code more or less would be found by no other test of these."""
    assert {*ReasonCode} == {"0", "1", "2", "B", "D"}


@pytest.mark.parametrize("content", [{"type": "payout.paid"}, {"type": "x", "data": [1]}])
def test_another_type_has_no_effect(
    api: httpx.Client, content: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever its data: a bank may send more than we read."""
    caplog.set_level("INFO")
    body = json.dumps(content).encode()
    assert send(api, body, signed(body)).status_code == 204
    assert "webhook without effect" in caplog.text


def test_a_replay_raises_one_event(api: httpx.Client, system: System, payment_id: str) -> None:
    """The same request ten times, eight of them at once: each is 204, one cancels."""
    body = body_of(payment_id)
    headers = signed(body)
    with ThreadPoolExecutor(8) as pool:
        at_once = [*pool.map(lambda _: send(api, body, headers), range(8))]
    answers = [*at_once, *(send(api, body, headers) for _ in "12")]
    assert {answer.status_code for answer in answers} == {204}
    assert types(system, payment_id) == CANCELLED


def test_the_first_reason_stays(api: httpx.Client, system: System, payment_id: str) -> None:
    """Cancelling is terminal, whether by the bank or by PATCH."""
    for code in ("2", "1"):
        body = body_of(payment_id, code)
        assert send(api, body, signed(body)).status_code == 204
    again = api.patch(f"/payments/{payment_id}", json={"status": "cancelled"}).json()
    assert (again["reasonCode"], again["version"]) == ("2", 2)
    by_patch = str(uuid4())
    system.payments.create(by_patch, "20000002", a_cause())
    api.patch(f"/payments/{by_patch}", json={"status": "cancelled"})
    body = body_of(by_patch)
    assert send(api, body, signed(body)).status_code == 204
    assert api.get(f"/payments/{by_patch}").json()["reasonCode"] is None
    assert types(system, by_patch) == CANCELLED


def test_what_is_signed_must_still_be_right(api: httpx.Client, payment_id: str) -> None:
    """JSON of the strict kind, said to be JSON, with each field."""
    for body in (b"", b"{", b'{"type": "a", "type": "b"}'):
        problem(send(api, body, signed(body)), 400, "malformed-request")
    whole = body_of(payment_id)
    plain = send(api, whole, signed(whole) | {"Content-Type": "text/plain"})
    problem(plain, 415, "unsupported-media-type")
    lacking = b'{"type": "mandate.cancelled", "data": {"paymentId": ""}}'
    found = problem(send(api, lacking, signed(lacking)), 422, "invalid-request")
    assert list(rules(found)) == [
        "mandate.cancelled.timestamp",
        "mandate.cancelled.data.paymentId",
        "mandate.cancelled.data.reasonCode",
    ]


@pytest.mark.parametrize("announced", [True, False], ids=["Content-Length", "chunked"])
def test_the_limit_of_a_body_holds(api: httpx.Client, *, announced: bool) -> None:
    """64 KiB, signed or not."""
    body = b" " * (64 * 1024 + 1)
    content = body if announced else iter([body])
    answer = api.post(WEBHOOK_PATH, content=content, headers=JSON | signed(body))
    problem(answer, 413, "content-too-large")


def test_without_secrets_there_is_no_such_route(system: System, payment_id: str) -> None:
    """As for any path that is not served; the document does not have it, either."""
    body = body_of(payment_id)
    with api_of(system) as api:
        answer = send(api, body, signed(body))
        assert answer.json() == problem(api.post("/webhooks/none"), 404, "not-found")
        assert WEBHOOK_PATH not in api.get("/openapi.json").json()["paths"]
    assert types(system, payment_id) == [EventType.PAYMENT_CREATED]


def test_its_document_describes_it_with_an_example_that_works(
    api: httpx.Client, system: System
) -> None:
    """As every other route's does: summary, headers, answers, each field, and a whole example."""
    document = api.get("/openapi.json").json()
    openapi.test_every_route_parameter_and_response_is_described(document)
    openapi.test_every_schema_and_property_has_a_description_and_an_example(document)
    openapi.test_every_example_is_what_its_schema_allows(document)
    (callback,) = (each for each in operations(document) if each.path == WEBHOOK_PATH)
    assert {*callback.examples("header")} == {*signed(b"")}
    assert callback.body is not None
    system.payments.create(callback.body["data"]["paymentId"], "20000002", a_cause())
    body = json.dumps(callback.body).encode()
    assert send(api, body, signed(body)).status_code == 204


def test_a_payment_of_an_earlier_release_is_cancelled_too(
    api: httpx.Client, system: System, payment_id: str
) -> None:
    """Its row has no field for the reason: it reads as null, and is then written."""
    with MongoClient[dict[str, Any]](system.mongodb_uri) as client:
        rows = client[system.database]["payments"]
        rows.update_one({"_id": payment_id}, {"$unset": {"reasonCode": ""}})
    assert api.get(f"/payments/{payment_id}").json()["reasonCode"] is None
    body = body_of(payment_id, "D")
    assert send(api, body, signed(body)).status_code == 204
    assert api.get(f"/payments/{payment_id}").json()["reasonCode"] == "D"


def test_an_unknown_payment_is_404_until_it_is_known(api: httpx.Client, system: System) -> None:
    """The bank repeats; a callback that came before the payment is not lost."""
    payment_id = str(uuid4())
    body = body_of(payment_id)
    assert payment_id in problem(send(api, body, signed(body)), 404, "not-found")["detail"]
    assert types(system, payment_id) == []
    system.payments.create(payment_id, "20000002", a_cause())
    assert send(api, body, signed(body)).status_code == 204
    assert types(system, payment_id) == CANCELLED


def test_a_database_that_is_away_is_503_and_one_event_comes_of_it(
    system: System, payment_id: str
) -> None:
    """The bank repeats what it sent, and once the database is back it is 204."""
    body = body_of(payment_id)
    headers = signed(body)
    with TcpProxy(urlsplit(system.mongodb_uri).port or 0).running() as proxy:
        uri = f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true&retryWrites=false"
        with api_of(replace(system, mongodb_uri=uri), SECRET) as api:
            proxy.cut()
            answer = send(api, body, headers)
            problem(answer, 503, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
            assert types(system, payment_id) == [EventType.PAYMENT_CREATED]
            proxy.restore()
            eventually(
                lambda: send(api, body, headers).status_code == 204, what="it takes the repetition"
            )
    assert types(system, payment_id) == CANCELLED


def test_a_commit_whose_answer_was_lost_is_one_event(system: System, payment_id: str) -> None:
    """503, though it was applied: the repetition finds it cancelled."""
    body = body_of(payment_id)
    headers = signed(body)
    with TcpProxy(urlsplit(system.mongodb_uri).port or 0).running() as proxy:
        uri = f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true&retryWrites=false"
        with api_of(replace(system, mongodb_uri=uri), SECRET) as api:
            proxy.lose_answers_to(b"commitTransaction")
            problem(send(api, body, headers), 503, "unavailable")
            proxy.restore()
            eventually(
                lambda: send(api, body, headers).status_code == 204, what="it takes the repetition"
            )
    assert types(system, payment_id) == CANCELLED
