"""A token is taken once, renewed before its end and after a 401; what goes wrong is said."""

import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from runtime.http.client_credentials import (
    ClientCredentials,
    OAuthClient,
    TokenRefused,
    TokenUnavailable,
)
from tests.console import Seconds

URL = "https://issuer.example/token"
API = "https://api.example/stock"

Answer = Callable[[httpx.Request], httpx.Response]


class FakeIssuer:
    """Gives token-1, token-2, …, or what `answer` says; `asked` are the requests it got."""

    def __init__(self, *, life: int = 300) -> None:
        self.asked: list[httpx.Request] = []
        self.life = life
        self.answer: Answer = self._grant

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer(request)

    def _grant(self, _: httpx.Request) -> httpx.Response:
        token = f"token-{len(self.asked)}"
        return httpx.Response(200, json={"access_token": token, "expires_in": self.life})

    def refuse(self, status: int, body: Any) -> None:
        self.answer = lambda _: httpx.Response(status, json=body)

    def leave(self) -> None:
        def away(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("connection refused", request=request)

        self.answer = away

    def tokens(self, clock: Seconds, *, scope: str | None = None) -> ClientCredentials:
        client = OAuthClient(URL, "demo", SecretStr("a secret"), scope)
        return ClientCredentials(client, clock=clock, transport=httpx.MockTransport(self))


@pytest.fixture
def issuer() -> FakeIssuer:
    return FakeIssuer()


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


def an_api(tokens: ClientCredentials, *good: str) -> Iterator[tuple[int, str]]:
    """Requests to an API that takes these tokens, or any: its status, and what it was sent."""

    def check(request: httpx.Request) -> httpx.Response:
        sent = request.headers["authorization"].removeprefix("Bearer ")
        return httpx.Response(200 if not good or sent in good else 401)

    with httpx.Client(auth=tokens, transport=httpx.MockTransport(check)) as client:
        while True:
            answer = client.get(API)
            yield answer.status_code, answer.request.headers["authorization"]


def test_a_token_is_asked_for_with_id_and_secret_and_used_until_a_minute_before_its_end(
    issuer: FakeIssuer, clock: Seconds
) -> None:
    """RFC 6749, 4.4: HTTP Basic, both percent-encoded; 300 s are 240 s of use."""
    asking = an_api(issuer.tokens(clock))
    assert next(asking) == (200, "Bearer token-1")
    sent = issuer.asked[0]
    assert b64decode(sent.headers["authorization"].removeprefix("Basic ")) == b"demo:a+secret"
    assert sent.content == b"grant_type=client_credentials"
    clock.now += 239
    assert next(asking) == (200, "Bearer token-1")
    clock.now += 1
    assert next(asking) == (200, "Bearer token-2")
    assert len(issuer.asked) == 2


def test_a_token_that_lives_less_than_two_minutes_is_renewed_at_half_its_life(
    clock: Seconds,
) -> None:
    """Not before each request."""
    issuer = FakeIssuer(life=10)
    tokens = issuer.tokens(clock)
    used = []
    for _ in range(4):
        used.append(tokens.token())
        clock.now += 3
    assert used == ["token-1", "token-1", "token-2", "token-2"]


def test_a_refused_token_is_renewed_once(issuer: FakeIssuer, clock: Seconds) -> None:
    """The issuer's keys or the client's rights have changed; what is refused again is answered."""
    tokens = issuer.tokens(clock)
    assert next(an_api(tokens, "token-2")) == (200, "Bearer token-2")
    assert next(an_api(tokens, "token-9")) == (401, "Bearer token-3")
    assert len(issuer.asked) == 3


def test_one_fetch_serves_all_threads(issuer: FakeIssuer, clock: Seconds) -> None:
    """Those that come meanwhile wait for it."""
    together = threading.Barrier(8)
    tokens = issuer.tokens(clock)

    def ask(_: int) -> str:
        together.wait(timeout=10)
        return tokens.token()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"token-1"}
    with ThreadPoolExecutor(8) as pool:
        renewed = set(pool.map(lambda _: tokens.token(instead_of="token-1"), range(8)))
    assert renewed == {"token-2"}
    assert len(issuer.asked) == 2


def test_a_valid_token_is_used_while_the_issuer_is_away(issuer: FakeIssuer, clock: Seconds) -> None:
    """It is asked again every 5 s; after the token's end there is none, and that is said."""
    tokens = issuer.tokens(clock)
    assert tokens.token() == "token-1"
    issuer.leave()
    clock.now += 240
    assert [tokens.token(), tokens.token()] == ["token-1", "token-1"]
    assert len(issuer.asked) == 2
    clock.now += 5
    assert tokens.token() == "token-1"
    assert len(issuer.asked) == 3
    clock.now += 55
    with pytest.raises(TokenUnavailable, match=r"does not answer at https://issuer\.example/token"):
        tokens.token()


def test_a_refused_client_is_told_what_to_check(issuer: FakeIssuer, clock: Seconds) -> None:
    """By the error code of RFC 6749, without the secret."""
    issuer.refuse(401, {"error": "invalid_client", "error_description": "unknown"})
    with pytest.raises(
        TokenRefused, match=r"client demo.*unknown.*check its id and its secret"
    ) as it:
        issuer.tokens(clock).token()
    assert "a secret" not in str(it.value)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": "invalid_scope", "error_description": "demo may not have stock:write"}),
        (200, {"access_token": "x", "expires_in": 300, "scope": "stock:read"}),
    ],
    ids=["refused", "granted without it"],
)
def test_a_scope_that_is_not_granted_is_named(
    issuer: FakeIssuer, clock: Seconds, status: int, body: dict[str, Any]
) -> None:
    """An issuer may refuse, or grant less and say so (RFC 6749, 3.3)."""
    issuer.refuse(status, body)
    with pytest.raises(TokenRefused, match=r"stock:write.*ask for less"):
        issuer.tokens(clock, scope="stock:read stock:write").token()
    assert b"scope=stock%3Aread+stock%3Awrite" in issuer.asked[0].content


@pytest.mark.parametrize(
    ("status", "body"), [(503, {}), (404, {}), (200, {"id_token": "x"}), (200, ["x"])]
)
def test_what_is_no_token_endpoint_is_named(
    issuer: FakeIssuer, clock: Seconds, status: int, body: Any
) -> None:
    """It may be the wrong address, or a proxy's answer: it is asked again."""
    issuer.refuse(status, body)
    with pytest.raises(TokenUnavailable, match="is it a token endpoint"):
        issuer.tokens(clock).token()


@pytest.mark.parametrize("body", ["[]", "no JSON", '{"message": "x"}'])
def test_a_refusal_in_another_form_is_one_all_the_same(
    issuer: FakeIssuer, clock: Seconds, body: str
) -> None:
    """A gateway in front of the issuer knows no RFC 6749."""
    issuer.answer = lambda _: httpx.Response(400, text=body)
    with pytest.raises(TokenRefused, match="HTTP 400"):
        issuer.tokens(clock).token()


def test_a_secrets_file_is_read_for_each_token(
    issuer: FakeIssuer, clock: Seconds, tmp_path: Path
) -> None:
    """It may come later than the process, and be replaced."""
    file = tmp_path / "secret"
    client = OAuthClient(URL, "demo", file)
    tokens = ClientCredentials(client, clock=clock, transport=httpx.MockTransport(issuer))
    with pytest.raises(TokenUnavailable, match=r"cannot be read from .*secret"):
        tokens.token()
    for secret in ("one", "two"):
        file.write_text(f"{secret}\n")
        tokens.token(instead_of="token-1")
        sent = issuer.asked[-1].headers["authorization"].removeprefix("Basic ")
        assert b64decode(sent).decode() == f"demo:{secret}"


def test_neither_secret_nor_token_is_in_a_representation(
    issuer: FakeIssuer, clock: Seconds
) -> None:
    """What is printed by accident, in a traceback or a log, gives nothing away."""
    tokens = issuer.tokens(clock)
    value = tokens.token()
    assert "a secret" not in repr(vars(tokens))
    assert value not in repr(vars(tokens))
