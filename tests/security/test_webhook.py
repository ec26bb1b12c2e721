"""The bank's callback as a stranger would try it: only what a secret signed has an effect, once."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import digest
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from pymongo import MongoClient

from contracts.names import EventType
from infra.documentdb import provision_collections
from infra.domains.payments import WEBHOOK_PATH
from runtime.signatures import new_secret, signed_headers
from services.payment.main import create_app
from services.payment.model import ReasonCode
from services.payment.settings import PaymentApiSettings
from tests.builders import a_cause
from tests.integration import test_api_openapi as openapi
from tests.integration.test_api_bad_input import problem, rules
from tests.operations import operations
from tests.system import System, asking
from verification.testkit.tcp_proxy import TcpProxy
from verification.testkit.waiting import eventually

SECRET, OTHER, UNKNOWN = new_secret(), new_secret(), new_secret()
JSON = {"Content-Type": "application/json"}
CANCELLED = [EventType.PAYMENT_CREATED, EventType.PAYMENT_CANCELLED]


@pytest.fixture(scope="module")
def system(mongodb_uri: str) -> System:
    """The payments' database; the API uses nothing of AWS."""
    system = System("none", "http://127.0.0.1:1", mongodb_uri, f"webhook-{uuid4().hex[:8]}")
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        provision_collections(client[system.database])
    return system


@contextmanager
def api_of(system: System, *secrets: str) -> Iterator[httpx.Client]:
    """The payment API with these secrets, served over a socket."""
    settings = PaymentApiSettings.model_validate(
        {
            "mongodb_uri": system.mongodb_uri,
            "mongodb_database": system.database,
            "http_port": 0,
            "webhook_secrets": ",".join(secrets) or None,
        }
    )
    with asking(create_app(settings)) as client:
        yield client


@pytest.fixture(scope="module")
def api(system: System) -> Iterator[httpx.Client]:
    with api_of(system, SECRET) as client:
        yield client


@pytest.fixture
def payment_id(system: System) -> str:
    """A payment that a SubscriptionCreated set up."""
    payment_id = str(uuid4())
    system.payments.create(payment_id, "20000002", a_cause())
    return payment_id


def body_of(payment_id: str, code: str = "1") -> bytes:
    content = {
        "type": "mandate.cancelled",
        "timestamp": "2026-11-29T09:30:00.000Z",
        "data": {"paymentId": payment_id, "reasonCode": code},
    }
    return json.dumps(content).encode()


def signed(body: bytes, *, secret: str = SECRET, ago: float = 0) -> dict[str, str]:
    sent = datetime.now(UTC) - timedelta(seconds=ago)
    return signed_headers(secret, body, message_id="msg_1", sent=sent)


def send(api: httpx.Client, body: bytes, headers: dict[Any, Any]) -> httpx.Response:
    return api.post(WEBHOOK_PATH, content=body, headers=JSON | headers)


def refused(api: httpx.Client, body: bytes, headers: dict[Any, Any]) -> str:
    """The detail of a 401, which has the challenge that RFC 9110 asks for."""
    answer = send(api, body, headers)
    assert answer.headers["www-authenticate"] == "Webhook-Signature"
    return str(problem(answer, 401, "invalid-signature")["detail"])


def types(system: System, payment_id: str) -> list[str]:
    return [record["eventType"] for record in system.outbox("payment", payment_id)]


def test_the_specifications_vector(system: System) -> None:
    """We sign it as it is printed there; received today, it is refused for its age alone."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    headers = signed_headers(
        secret,
        body,
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        sent=datetime.fromtimestamp(1614265330, UTC),
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    with api_of(system, secret) as api:
        assert "too old" in refused(api, body, headers)
        fresh = send(api, body, signed(body, secret=secret))
        assert "mandate.cancelled.type" in rules(problem(fresh, 422, "invalid-request"))


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


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": str(int(datetime.now(UTC).timestamp()) + 1)},
        {"webhook-signature": "v1," + b64encode(bytes(32)).decode()},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_signed_cannot_be_changed(
    api: httpx.Client, system: System, payment_id: str, change: dict[str, str]
) -> None:
    """The id, the timestamp and the signature belong together."""
    body = body_of(payment_id)
    assert "No matching signature" in refused(api, body, signed(body) | change)
    assert types(system, payment_id) == [EventType.PAYMENT_CREATED]


def test_another_body_cannot_borrow_a_signature(
    api: httpx.Client, system: System, payment_id: str
) -> None:
    """Not by one byte: a code that has no effect does not become one that cancels."""
    harmless = body_of(payment_id, "3")
    refused(api, body_of(payment_id, "1"), signed(harmless))
    refused(api, harmless + b" ", signed(harmless))
    assert types(system, payment_id) == [EventType.PAYMENT_CREATED]


@pytest.mark.parametrize(("ago", "reason"), [(310, "too old"), (-310, "too new")])
def test_a_stale_or_future_timestamp_is_401(
    api: httpx.Client, payment_id: str, ago: float, reason: str
) -> None:
    """300 s either way, however well it is signed."""
    body = body_of(payment_id)
    assert reason in refused(api, body, signed(body, ago=ago))


@pytest.mark.parametrize("ago", [280, -280])
def test_a_clock_that_differs_a_little_does_no_harm(
    api: httpx.Client, system: System, payment_id: str, ago: float
) -> None:
    """Within 300 s it is accepted."""
    body = body_of(payment_id)
    assert send(api, body, signed(body, ago=ago)).status_code == 204
    assert types(system, payment_id) == CANCELLED


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_header_must_be_there(api: httpx.Client, payment_id: str, name: str) -> None:
    """Without one of them, or with an empty one, nothing is signed."""
    body = body_of(payment_id)
    headers = signed(body)
    assert "Missing required headers" in refused(api, body, headers | {name: ""})
    del headers[name]
    assert "Missing required headers" in refused(api, body, headers)


@pytest.mark.parametrize(
    "signature",
    ["x", "v1", "v1,", "v1,***", "v1,a", "v1,a,b", ",", "v2,{}", "v1,\xe9", "v1;{}"],
)
def test_a_malformed_signature_is_401(api: httpx.Client, payment_id: str, signature: str) -> None:
    """Whatever the library makes of it, it is no 500."""
    body = body_of(payment_id)
    right = signed(body)["webhook-signature"].removeprefix("v1,")
    malformed = signature.format(right).encode("latin-1")
    refused(api, body, signed(body) | {"webhook-signature": malformed})


@pytest.mark.parametrize("timestamp", ["now", "nan", "inf", "1e400", "-1", "9" * 400, "\xb2"])
def test_a_malformed_timestamp_is_401(api: httpx.Client, payment_id: str, timestamp: str) -> None:
    body = body_of(payment_id)
    refused(api, body, signed(body) | {"webhook-timestamp": timestamp.encode("latin-1")})


@pytest.mark.parametrize("body", [b"\xff", b"\xff\xfe{\x00}\x00", b'{"type": "\xe9"}'])
def test_a_body_that_is_not_utf_8_is_401(api: httpx.Client, body: bytes) -> None:
    """Also one whose bytes were signed with the secret."""
    headers = signed(b"{}")
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signature = digest(b64decode(SECRET.removeprefix("whsec_")), content, sha256)
    raw = headers | {"webhook-signature": f"v1,{b64encode(signature).decode()}"}
    assert "not UTF-8" in refused(api, body, raw)


@pytest.mark.parametrize(
    ("body", "headers"), [(b"{", {}), (b"", {}), (b"x", {"Content-Type": "a"})]
)
def test_what_is_not_signed_is_not_read(
    api: httpx.Client, body: bytes, headers: dict[str, str]
) -> None:
    """Its sender does not learn what is wrong with its JSON, or with its type."""
    refused(api, body, headers)


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


@pytest.mark.parametrize(
    ("held", "accepted", "refuses"),
    [
        ([SECRET], [SECRET], [OTHER]),
        ([SECRET, OTHER], [SECRET, OTHER], [UNKNOWN]),  # added: the bank may switch when it likes
        ([OTHER, SECRET], [SECRET, OTHER], [UNKNOWN]),
        ([OTHER], [OTHER], [SECRET]),  # dropped
    ],
    ids=["one", "added", "in any order", "dropped"],
)
def test_a_rotation_adds_switches_and_drops(
    system: System,
    payment_id: str,
    held: Sequence[str],
    accepted: Sequence[str],
    refuses: Sequence[str],
) -> None:
    """Any secret that is held may have signed, and no other."""
    body = body_of(payment_id)
    with api_of(system, *held) as api:
        for secret in refuses:
            refused(api, body, signed(body, secret=secret))
        assert types(system, payment_id) == [EventType.PAYMENT_CREATED]
        for secret in accepted:
            assert send(api, body, signed(body, secret=secret)).status_code == 204
    assert types(system, payment_id) == CANCELLED


def test_a_sender_that_rotates_may_sign_with_both(api: httpx.Client, payment_id: str) -> None:
    """Standard Webhooks: several signatures with spaces between, of which one must match."""
    body = body_of(payment_id)
    headers, other = signed(body), signed(body, secret=OTHER)
    both = f"{other['webhook-signature']} {headers['webhook-signature']}"
    assert send(api, body, headers | {"webhook-signature": both}).status_code == 204


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


def test_no_secret_is_in_a_log_or_an_answer(
    api: httpx.Client, payment_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the secret nor a signature that it made, whether or not that was accepted."""
    caplog.set_level("DEBUG")
    body = body_of(payment_id)
    right, wrong = signed(body), signed(body, secret=OTHER)
    answers = [send(api, body, right), send(api, body, wrong)]
    assert [answer.status_code for answer in answers] == [204, 401]
    seen = caplog.text + "".join(answer.text for answer in answers)
    assert "webhook refused" in seen
    for hidden in (SECRET, right["webhook-signature"], wrong["webhook-signature"]):
        assert hidden.removeprefix("whsec_").removeprefix("v1,") not in seen
