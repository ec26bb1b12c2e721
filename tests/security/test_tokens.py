"""Bearer tokens: who gets into the APIs, who does not, and what becomes of the issuer's outages."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from runtime.http.auth import OPEN_PATHS
from services.payment import webhook
from tests.integration.test_api_bad_input import LISTS, ORDER, problem
from tests.operations import Operation, operations
from tests.otlp import receiving
from tests.raw_http import Server
from tests.system import NAMES, Name, System, asking
from tests.token_issuer import (
    KeyServer,
    a_token,
    bearer,
    public_jwk,
    public_key_as_secret,
    unsigned,
)
from verification.testkit.launcher import run_to_end
from verification.testkit.waiting import eventually

SCOPES = (
    *("subscriptions:read", "subscriptions:read:all", "subscriptions:write"),
    *("stock:read", "stock:write", "payments:read", "payments:cancel", "operations:read"),
    *("subscriptions:cancel:all", "subscriptions:erase"),
)
NEEDED: Mapping[tuple[str, str], set[str]] = {
    ("post", "/subscriptions"): {"subscriptions:write"},
    ("get", "/subscriptions"): {"subscriptions:read", "subscriptions:read:all"},
    ("get", "/subscriptions/{subscription_id}"): {"subscriptions:read", "subscriptions:read:all"},
    ("post", "/subscriptions/{subscription_id}/cancellation"): {
        "subscriptions:write",
        "subscriptions:cancel:all",
    },
    ("post", "/subscriptions/{subscription_id}/erasure"): {"subscriptions:erase"},
    ("get", "/stock"): {"stock:read"},
    ("get", "/stock/{subscription_id}"): {"stock:read"},
    ("get", "/inventory/{item}"): {"stock:read"},
    ("put", "/inventory/{item}"): {"stock:write"},
    ("delete", "/inventory/{item}"): {"stock:write"},
    ("get", "/payments"): {"payments:read"},
    ("get", "/payments/{payment_id}"): {"payments:read"},
    ("patch", "/payments/{payment_id}"): {"payments:cancel"},
}
"""Any one of a route's scopes is enough for it."""

BAD: Mapping[str, tuple[str, str]] = {
    "expired": (a_token("subscriptions:write", exp=1), "expired"),
    "foreign issuer": (a_token("subscriptions:write", iss="https://evil.example"), "(iss)"),
    "wrong audience": (a_token("subscriptions:write", aud="another"), "(aud)"),
    "alg none": (unsigned({"alg": "none", "kid": "one"}), "algorithm"),
    "HS256 with the public key": (public_key_as_secret(), "algorithm"),
    "ID token": (a_token("subscriptions:write", token_use="id"), "ID token"),
    "unknown key": (a_token(key="stranger"), "(kid)"),
    "forged": (a_token(key="stranger", header={"kid": "one"}), "signature"),
    "no token": ("nonsense", "not a JSON Web Token"),
}


def routes(api: httpx.Client) -> Iterator[Operation]:
    """What its OpenAPI document has, but for what is signed in another way."""
    document = api.get("/openapi.json").json()
    return (each for each in operations(document) if each.path not in {*OPEN_PATHS, webhook.PATH})


@pytest.mark.parametrize("name", NAMES)
def test_every_route_declares_the_scheme_and_its_scopes(
    guarded: Mapping[Name, httpx.Client], name: Name
) -> None:
    """That is what /docs makes its Authorize button of."""
    document = guarded[name].get("/openapi.json").json()
    (scheme,) = document["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for each in routes(guarded[name]):
        alternatives = [scopes for one in each.described["security"] for scopes in one.values()]
        assert {scope for (scope,) in alternatives} == NEEDED[each.method, each.path]
        assert {"401", "403"} <= each.described["responses"].keys()
    assert document["paths"]["/outbox"]["get"]["security"] == []


@pytest.mark.parametrize("name", NAMES)
def test_without_a_token_no_route_is_served(
    guarded: Mapping[Name, httpx.Client], name: Name
) -> None:
    """Nor is one that does not exist, or HEAD; and the challenge names no error (RFC 6750, 3.1)."""
    api = guarded[name]
    for each in routes(api):
        refused = each.send(api)
        assert "Authorization" in problem(refused, 401, "unauthenticated")["detail"]
        assert refused.headers["www-authenticate"] == 'Bearer realm="streamed-events"'
    assert api.head(LISTS[name]).status_code == 401
    assert api.get("/nowhere").status_code == 401


@pytest.mark.parametrize("name", NAMES)
def test_a_route_wants_its_scope_and_no_other(
    guarded: Mapping[Name, httpx.Client], name: Name
) -> None:
    """Without it 403, which names it; a scope to read never writes."""
    api = guarded[name]
    for each in routes(api):
        needed = NEEDED[each.method, each.path]
        others = " ".join({*SCOPES} - needed)
        api.headers.update(bearer(a_token(others)))
        refused = each.send(api)
        detail = problem(refused, 403, "insufficient-scope")["detail"]
        assert all(scope in detail for scope in needed)
        challenge = refused.headers["www-authenticate"]
        assert 'error="insufficient_scope", scope="' in challenge
        for scope in needed:
            path = each.path.format(**each.examples("path"))
            allowed = bearer(a_token(f"{scope} openid"))
            served = api.request(each.method, path, json=each.body, headers=allowed)
            assert served.status_code not in {401, 403}
        del api.headers["Authorization"]


@pytest.mark.parametrize("path", sorted(OPEN_PATHS))
def test_what_probes_and_people_need_is_open(
    guarded: Mapping[Name, httpx.Client], path: str
) -> None:
    """Health, metrics, documentation, and the outbox's depth, which IAM guards on AWS."""
    assert all(api.get(path).is_success for api in guarded.values())


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("name", NAMES)
def test_a_bad_token_is_401_with_its_reason_and_nothing_is_read(
    guarded: Mapping[Name, httpx.Client], name: Name, kind: str
) -> None:
    """The body never comes, and nobody asks for it: not even 100 Continue is sent."""
    token, reason = BAD[kind]
    server = Server(urlsplit(str(guarded[name].base_url)).port or 0, ())
    started = time.monotonic()
    answer = server.ask(
        f"POST {LISTS[name]}",
        f"Authorization: Bearer {token}".encode(),
        b"Content-Type: application/json",
        b"Content-Length: 1000",
        b"Expect: 100-continue",
    )
    assert (answer.status, answer.kind) == (401, "unauthenticated")
    assert reason in answer.detail
    assert answer.headers["www-authenticate"].endswith(', error="invalid_token"')
    assert time.monotonic() - started < 10, "the body's time was waited for"


@pytest.mark.parametrize(
    "headers",
    [
        ["Bearer {token}", "Bearer {token}"],
        ["Bearer {token}", "Basic YTpi"],
        ["Bearer {token}, Bearer {token}"],
        ["Bearer"],
        ["Bearer  {token}"],
        ["Token {token}"],
        ["{token}"],
        ["Bearer {token} x"],
        ["Bearer \xe9"],
    ],
    ids=str,
)
def test_one_header_with_one_token_is_taken_and_no_other(
    guarded: Mapping[Name, httpx.Client], headers: list[str]
) -> None:
    """What is read in two ways, here and by a proxy, is refused."""
    token = a_token("stock:read")
    sent = [("Authorization", each.format(token=token).encode("latin-1")) for each in headers]
    answer = guarded["stock"].get("/stock", headers=[(name.encode(), v) for name, v in sent])
    assert "Authorization" in problem(answer, 401, "unauthenticated")["detail"]


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_schemes_name_is_in_any_case(guarded: Mapping[Name, httpx.Client], scheme: str) -> None:
    """As HTTP has it (RFC 9110, 11.1)."""
    headers = {"Authorization": f"{scheme} {a_token('stock:read')}"}
    assert guarded["stock"].get("/stock", headers=headers).is_success


def test_a_token_in_the_query_is_none(guarded: Mapping[Name, httpx.Client]) -> None:
    """It would be in logs and histories (RFC 6750, 2.3)."""
    answer = guarded["stock"].get("/stock", params={"access_token": a_token("stock:read")})
    assert answer.status_code == 401


def test_a_token_of_cognitos_shape_passes(enforced: System) -> None:
    """client_id in aud's place, and scopes behind the resource server's name, which are needed."""
    of_cognito = replace(enforced, more={**enforced.more, "AUTH_SCOPE_PREFIX": "streamed/"})
    shape: dict[str, Any] = {
        "aud": None,
        "client_id": enforced.more["AUTH_AUDIENCE"],
        "token_use": "access",
    }
    with asking(of_cognito.app("stock")) as api:
        eventually(lambda: api.get("/readyz").is_success, what="ready")
        for scope, status in (("streamed/stock:read", 200), ("stock:read", 403)):
            answer = api.get("/stock", headers=bearer(a_token(scope, **shape)))
            assert answer.status_code == status


def test_before_the_first_key_it_is_503_and_then_it_is_served(system: System) -> None:
    """A service may start before its issuer, and is alive; a request without a token is 401."""
    with KeyServer().serving() as issuer:
        issuer.away = True
        good = bearer(a_token("stock:read"))
        with asking(replace(system, more=issuer.settings).app("stock")) as api:
            for path in ("/stock", "/readyz"):
                answer = api.get(path, headers=good)
                assert "issuer" in problem(answer, 503, "unavailable")["detail"]
                assert int(answer.headers["retry-after"]) > 0
            assert api.get("/healthz").is_success
            assert api.get("/stock").status_code == 401
            issuer.away = False
            eventually(lambda: api.get("/readyz").is_success, what="the keys")
            assert api.get("/stock", headers=good).is_success


def test_the_issuer_rotates_is_away_and_is_flooded(system: System) -> None:
    """A new key is good at once; with the issuer away all goes on; a flood is one more fetch."""
    with KeyServer().serving() as issuer:
        old, new = bearer(a_token("stock:read")), bearer(a_token("stock:read", key="two"))
        with asking(replace(system, more=issuer.settings).app("stock")) as api:
            eventually(lambda: api.get("/readyz").is_success, what="the keys")
            issuer.keys.append(public_jwk("two"))
            assert api.get("/stock", headers=new).is_success
            assert issuer.fetches == 2
            issuer.away = True
            for number in range(50):
                unknown = bearer(a_token("stock:read", header={"kid": f"unknown-{number}"}))
                assert api.get("/stock", headers=unknown).status_code == 401
                assert api.get("/stock", headers=old).is_success
                assert api.get("/stock", headers=new).is_success
            assert issuer.fetches == 2


def test_no_token_is_in_a_log_or_a_trace(
    enforced: System, issuer: KeyServer, tmp_path: Path
) -> None:
    """Of a request that is served, refused, or fails: by the process itself, at its loudest."""
    good, bad = a_token("subscriptions:read subscriptions:write"), a_token(exp=1)
    with receiving() as receiver:
        loud = {
            "LOG_LEVEL": "DEBUG",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        with enforced.running(tmp_path, "subscription", "api", loud) as process:
            process.until_ready()
            with httpx.Client(base_url=process.url, trust_env=False, timeout=60) as api:
                created = api.post("/subscriptions", json=ORDER, headers=bearer(good))
                assert created.status_code == 201
                for token in (good, bad):
                    api.get("/subscriptions", headers=bearer(token), params={"access_token": token})
                    api.get("/nowhere", headers=bearer(token))
            process.stop()
        written = process.output.read_text()
        told = json.dumps([[span.name, span.attributes] for span in receiver.spans])
    assert '"status": 201' in written or "status=201" in written
    assert "POST /subscriptions" in told
    for token in (good, bad):
        for part in token.split(".")[1:]:
            assert part not in written
            assert part not in told


def test_off_is_refused_where_others_could_reach_it(enforced: System, tmp_path: Path) -> None:
    """The process does not start, and says what to do about it."""
    environment = {
        **enforced.environment("stock"),
        "AUTH": "off",
        "HTTP_HOST": "0.0.0.0",
        "HTTP_PORT": "0",
    }
    code, output = run_to_end(tmp_path, "services.stock.main", "api", environment)
    assert code == 2
    assert "AUTH: " in output
    assert "HTTP_HOST=0.0.0.0" in output
    assert "AUTH=required" in output
