"""The bank's callback as a stranger would try it: only what a secret signed has an effect."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest

import httpx
import pytest

from contracts.names import EventType
from runtime.signatures import signed_headers
from tests.integration.test_api_bad_input import problem, rules
from tests.security.webhook.bank import (
    CANCELLED,
    OTHER,
    SECRET,
    UNKNOWN,
    api_of,
    body_of,
    refused,
    send,
    signed,
    types,
)
from tests.system import System


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


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_what_is_signed_cannot_be_changed(
    api: httpx.Client, system: System, payment_id: str, name: str
) -> None:
    """The id, the timestamp and the signature belong together."""
    body = body_of(payment_id)
    headers = signed(body)
    others = {
        "webhook-id": "msg_2",
        "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1),
        "webhook-signature": "v1," + b64encode(bytes(32)).decode(),
    }
    assert "No matching signature" in refused(api, body, headers | {name: others[name]})
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
