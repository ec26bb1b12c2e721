"""A system whose APIs require tokens, as an attacker meets its processes.

For 30 s after an unknown key an API asks its issuer for no other: what rotates keys comes before.
"""

from collections.abc import Callable, Iterator, Mapping
from time import time
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from infra.domains.payments import WEBHOOK_PATH
from infra.local_system.addresses import aws_endpoint
from infra.local_system.auth import issuer_folder
from infra.local_system.bank import local_secret
from local.issuer.keys import ALGORITHM, KeyFile, SigningKey
from runtime.http.auth import OPEN_PATHS
from runtime.http.client_credentials import ClientCredentials
from runtime.signatures import new_secret
from tests.e2e.world import World
from tests.operations import Operation, operations
from tests.security.webhook.bank import JSON, body_of, signed
from tests.token_issuer import a_key, bearer
from verification.testkit.waiting import eventually

Make = Callable[["Issuer"], str]


class Issuer:
    """The local issuer, whose key an attacker of these tests has as far as a test says so."""

    def __init__(self, world: World) -> None:
        assert isinstance(world.http.auth, ClientCredentials)
        self.key: SigningKey = KeyFile(issuer_folder(world.settings)).published()[0]
        good = jwt.decode(world.http.auth.token(), options={"verify_signature": False})
        self._claims: dict[str, Any] = {**good, "exp": int(time()) + 600}

    def token(self, *, signed_by: Any = None, kid: str | None = None, **changes: object) -> str:
        """A token that was granted, but for these changes."""
        header = {"kid": kid or self.key.kid, "typ": "at+jwt"}
        key = signed_by or self.key.private()
        return jwt.encode({**self._claims, **changes}, key, ALGORITHM, headers=header)

    def unsigned(self) -> str:
        return jwt.encode(self._claims, "", "none", headers={"kid": self.key.kid})

    def signed_with_the_public_key(self) -> str:
        """By HMAC, whose secret everybody can fetch: what PyJWT itself refuses to make."""
        public = self.key.private().public_key()
        secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        made = jwt.encode(self._claims, "x" * 32, "HS256", headers={"kid": self.key.kid})
        signing = made.rpartition(".")[0].encode()
        signature = jwt.get_algorithm_by_name("HS256").sign(signing, secret)
        return f"{signing.decode()}.{jwt.utils.base64url_encode(signature).decode()}"


STRANGER = a_key("stranger", "ES256")

BAD: Mapping[str, tuple[Make, str]] = {
    "expired": (lambda issuer: issuer.token(exp=1), "expired"),
    "foreign issuer": (lambda issuer: issuer.token(iss="https://evil.example"), "(iss)"),
    "wrong audience": (lambda issuer: issuer.token(aud="another"), "(aud)"),
    "ID token": (lambda issuer: issuer.token(token_use="id"), "ID token"),
    "unknown key": (lambda issuer: issuer.token(signed_by=STRANGER, kid="stranger"), "(kid)"),
    "forged": (lambda issuer: issuer.token(signed_by=STRANGER), "signature"),
    "alg none": (Issuer.unsigned, "algorithm"),
    "HS256 with the public key": (Issuer.signed_with_the_public_key, "algorithm"),
    "no token": (lambda _: "nonsense", "not a JSON Web Token"),
}


@pytest.fixture(scope="module")
def issuer(enforced: World) -> Issuer:
    return Issuer(enforced)


@pytest.fixture(scope="module")
def stranger() -> Iterator[httpx.Client]:
    """A client without credentials."""
    with httpx.Client(timeout=30, trust_env=False) as client:
        yield client


def routes(world: World, client: httpx.Client) -> Iterator[tuple[str, Operation]]:
    """Each route of each API that wants a token, and the API's address."""
    for name in ("subscription", "stock", "payment"):
        address = world.addresses[name]
        for each in operations(client.get(f"{address}/openapi.json").json()):
            if each.path not in {*OPEN_PATHS, WEBHOOK_PATH}:
                yield address, each


def send(
    client: httpx.Client, address: str, route: Operation, headers: Mapping[str, str]
) -> httpx.Response:
    path = route.path.format(**route.examples("path"))
    return client.request(route.method, address + path, json=route.body, headers=headers)


def test_a_good_token_is_not_refused(
    enforced: World, issuer: Issuer, stranger: httpx.Client
) -> None:
    """What the bad ones below are made of: their one fault is what they are refused for."""
    for address, route in routes(enforced, stranger):
        answer = send(stranger, address, route, bearer(issuer.token()))
        assert answer.status_code not in {401, 503}, answer.text


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_token_opens_no_route(
    enforced: World, issuer: Issuer, stranger: httpx.Client, kind: str
) -> None:
    """401 with its reason and a challenge, by every process."""
    make, reason = BAD[kind]
    for address, route in routes(enforced, stranger):
        answer = send(stranger, address, route, bearer(make(issuer)))
        assert answer.status_code == 401, answer.text
        assert reason in answer.json()["detail"]
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_without_a_token_or_its_scope_no_route_is_open(
    enforced: World, issuer: Issuer, stranger: httpx.Client
) -> None:
    """401 without one, and with two of them; 403 for a token that has another scope."""
    token = issuer.token(scope="elsewhere:read")
    for address, route in routes(enforced, stranger):
        assert send(stranger, address, route, {}).status_code == 401
        assert send(stranger, address, route, bearer(token)).status_code == 403
    address = enforced.addresses["stock"]
    two = [("Authorization", f"Bearer {issuer.token()}")] * 2
    assert stranger.get(f"{address}/stock", headers=two).status_code == 401


def test_another_customers_subscription_is_as_an_unknown_one(
    enforced: World, issuer: Issuer, stranger: httpx.Client
) -> None:
    """404 with the same body but for the id; its owner reads it."""
    address = f"{enforced.addresses['subscription']}/subscriptions"
    scopes = "subscriptions:read subscriptions:write"
    ada, bob = (bearer(issuer.token(sub=str(uuid4()), scope=scopes)) for _ in "12")
    order = next(each.body for _, each in routes(enforced, stranger) if each.method == "post")
    known = stranger.post(address, json=order, headers=ada).raise_for_status().json()["id"]
    unknown = str(uuid4())
    answers = [stranger.get(f"{address}/{each}", headers=bob) for each in (known, unknown)]
    assert [each.status_code for each in answers] == [404, 404]
    assert answers[0].text.replace(known, unknown) == answers[1].text
    assert stranger.get(f"{address}/{known}", headers=ada).status_code == 200


def test_other_doors_are_locked(enforced: World, stranger: httpx.Client) -> None:
    """A foreign Host, a web page at the emulator."""
    for address in enforced.addresses.values():
        answer = stranger.get(f"{address}/healthz", headers={"Host": "evil.example"})
        assert answer.status_code == 421
    emulator = aws_endpoint(enforced.settings)
    assert stranger.get(emulator, headers={"Origin": "https://evil.example"}).status_code == 403


def test_only_a_signed_callback_has_an_effect(enforced: World, stranger: httpx.Client) -> None:
    """Bad, stale, future, unsigned or not UTF-8: 401. Unknown: 404. Replayed: 204, one event."""
    secret = local_secret(enforced.settings)
    assert secret is not None
    address = enforced.addresses["payment"] + WEBHOOK_PATH
    subscription_id = enforced.subscribe()
    enforced.until("payment", subscription_id, "active")
    body = body_of(subscription_id)
    good = signed(body, secret=secret)

    def status(content: bytes, headers: Mapping[str, str]) -> int:
        return stranger.post(address, content=content, headers={**JSON, **headers}).status_code

    refused = [
        (body, {}),
        (body, signed(body, secret=new_secret())),
        (body, signed(body, secret=secret, ago=310)),
        (body, signed(body, secret=secret, ago=-310)),
        (body + b" ", good),
        (b"\xff", good),
    ]
    assert [status(*each) for each in refused] == [401] * len(refused)
    unknown = body_of(str(uuid4()))
    assert status(unknown, signed(unknown, secret=secret)) == 404
    assert [status(body, good) for _ in "123"] == [204] * 3
    enforced.until("subscription", subscription_id, "cancelled")
    found = eventually(
        lambda: enforced.events_of("payments", subscription_id, "PaymentCancelled"),
        what="the event in the bus's log",
    )
    assert len({event["detail"]["metadata"]["eventId"] for event in found}) == 1
