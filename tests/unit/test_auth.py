"""The caller of a request: what is checked before the routes; a careless route is closed."""

import asyncio
from typing import Annotated

import pytest
from fastapi import APIRouter, FastAPI, Security
from starlette.types import Message

from runtime.callers import Caller
from runtime.errors import Unavailable
from runtime.http.auth import Authenticated, InvalidToken, VerifiesTokens, require
from tests.relay_fakes import MemoryOutbox
from tests.system import an_app, ask

ADA = Caller("https://issuer.example", "ada", "shop", frozenset({"things:read"}))


class Verifier:
    """Knows one token, and is away if it should be."""

    def __init__(self, *, away: bool = False) -> None:
        self._away = away

    async def caller(self, token: str) -> Caller:
        self.check()
        if token != "good":
            raise InvalidToken("it is another")
        return ADA

    def check(self) -> None:
        if self._away:
            raise Unavailable("the issuer of tokens", "as planned")


def an_api(verifier: VerifiesTokens | None) -> FastAPI:
    router = APIRouter()

    @router.get("/things")
    async def things(
        caller: Annotated[Caller | None, Security(require, scopes=["things:read"])],
    ) -> str | None:
        return caller.subject if caller else None

    @router.get("/careless", dependencies=[Security(require)])
    async def careless() -> None:
        """Names no scope."""

    @router.get("/docs/assets/things", dependencies=[Security(require, scopes=["things:read"])])
    async def misplaced() -> None:
        """Is where no token is asked for."""

    return an_app(router, verifier=verifier, outbox=MemoryOutbox())


GOOD = {"Authorization": "Bearer good"}


def test_a_route_gets_its_caller() -> None:
    """With a token the one that it names; where tokens are off, none."""
    assert ask(an_api(Verifier()), "GET", "/things", headers=GOOD).json() == "ada"
    assert ask(an_api(None), "GET", "/things").json() is None


@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        ({}, 'Bearer realm="streamed-events"'),
        (
            {"Authorization": "Bearer bad"},
            'Bearer realm="streamed-events", error="invalid_token"',
        ),
    ],
)
def test_without_a_valid_token_no_route_is_reached(headers: dict[str, str], challenge: str) -> None:
    """Whether or not there is one."""
    for path in ("/things", "/nothing"):
        answer = ask(an_api(Verifier()), "GET", path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == challenge
        assert answer.headers["x-correlation-id"]


@pytest.mark.usefixtures("quiet")
def test_a_route_that_says_too_little_is_closed() -> None:
    """One that names no scope allows none, one beside the check fails: both with tokens only."""
    app = an_api(Verifier())
    assert ask(app, "GET", "/careless", headers=GOOD).status_code == 403
    assert ask(app, "GET", "/docs/assets/things", headers=GOOD).status_code >= 400


def test_while_no_token_can_be_verified_it_is_503_and_not_ready() -> None:
    """It says when to come again, and is alive."""
    app = an_api(Verifier(away=True))
    for path in ("/things", "/readyz"):
        answer = ask(app, "GET", path, headers=GOOD)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
    assert ask(app, "GET", "/healthz").is_success
    assert ask(app, "GET", "/outbox").is_success


@pytest.mark.parametrize("headers", [[], [(b"authorization", b"Bearer bad")]])
def test_a_refused_requests_body_is_not_asked_for(headers: list[tuple[bytes, bytes]]) -> None:
    """The application gets to see nothing either."""
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("the body was read")

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(*_: object) -> None:
        raise AssertionError("the application was called")

    scope = {"type": "http", "method": "POST", "path": "/things", "headers": headers}
    asyncio.run(Authenticated(app, Verifier(), frozenset())(scope, receive, send))
    assert sent[0]["status"] == 401
