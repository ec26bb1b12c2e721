"""The caller of a request: its bearer token (RFC 6750) is verified before its body is read."""

import re
from collections.abc import Iterable
from typing import Protocol

from fastapi import Request
from fastapi.openapi.models import HTTPBearer
from fastapi.responses import JSONResponse
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.callers import Caller
from runtime.errors import Unavailable
from runtime.http.problem_kinds import INSUFFICIENT_SCOPE, UNAUTHENTICATED
from runtime.http.problems import respond, respond_unavailable
from runtime.http.settings import ApiSettings

OPEN_PATHS = frozenset(
    {
        *("/healthz", "/readyz", "/startupz", "/metrics"),
        *("/docs", "/docs/start.js", "/openapi.json"),
        "/outbox",  # on AWS IAM's own signature is in Authorization
    }
)
"""Paths of every service that need no token, besides the documentation's files."""

_CHALLENGE = 'Bearer realm="streamed-events"'
"""RFC 6750, 3: at least one parameter follows the scheme."""

_DOCS_FILES = "/docs/assets/"
_BEARER = re.compile(rb"(?i:bearer) ([A-Za-z0-9._~+/-]+=*)")


class InvalidToken(Exception):
    """The token of a request is not valid. `reason` says why, without any part of the token."""

    challenge = f'{_CHALLENGE}, error="invalid_token"'

    def __init__(self, reason: str) -> None:
        super().__init__(f"the token is refused: {reason}")


class MissingToken(InvalidToken):
    """A request has no token; RFC 6750, 3.1, names no error then."""

    challenge = _CHALLENGE

    def __init__(self) -> None:
        super().__init__("there is none: send one as Authorization: Bearer TOKEN")


class InsufficientScope(Exception):
    """The caller has none of the scopes that are needed; one of them is enough."""

    def __init__(self, needed: Iterable[str]) -> None:
        self.needed = tuple(needed)
        super().__init__(f"the token needs the scope {' or '.join(self.needed)}")


class VerifiesTokens(Protocol):
    """A TokenVerifier."""

    async def caller(self, token: str, /) -> Caller:
        """Return the token's caller. Raises InvalidToken and Unavailable."""
        ...

    def check(self) -> None:
        """Raise Unavailable while no token can be verified."""
        ...


def verifier_of(settings: ApiSettings) -> VerifiesTokens | None:
    """Make what verifies tokens, and begin to fetch the issuer's keys; None where AUTH=off."""
    if settings.auth == "off":
        return None
    # Only here: PyJWT, cryptography and httpx take memory, and time at the start.
    from runtime.http.tokens import verifying  # noqa: PLC0415

    return verifying(settings)


class Authenticated:
    """ASGI middleware. Puts the request's Caller into the scope, or None where AUTH=off.

    Without a valid token it answers 401, before the issuer's first key 503; the body is not read.
    OPEN_PATHS and `open_paths` need none.
    """

    def __init__(
        self, app: ASGIApp, verifier: VerifiesTokens | None, open_paths: frozenset[str]
    ) -> None:
        self._app, self._verifier = app, verifier
        self._open_paths = OPEN_PATHS | open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        app: ASGIApp = self._app
        try:
            scope["caller"] = await self._caller(scope)
        except InvalidToken as error:
            app = respond(
                UNAUTHENTICATED, str(error), headers={"WWW-Authenticate": error.challenge}
            )
        except Unavailable as error:
            app = respond_unavailable(error)
        await app(scope, receive, send)

    def _is_open(self, path: str) -> bool:
        return path in self._open_paths or path.startswith(_DOCS_FILES)

    async def _caller(self, scope: Scope) -> Caller | None:
        if self._verifier is None:
            return None
        return await self._verifier.caller(_token(scope))


class _Bearer(SecurityBase):
    """The dependency `Security(require, scopes=[…])`: the caller, who has one of these scopes.

    It is None where AUTH=off. On a path that needs no token there is no caller: such a route fails.
    """

    model = HTTPBearer(bearerFormat="JWT", description="An access token of the issuer's.")
    scheme_name = "bearer"

    async def __call__(self, request: Request, needed: SecurityScopes) -> Caller | None:
        caller: Caller | None = request.scope["caller"]
        if caller is not None and caller.scopes.isdisjoint(needed.scopes):
            raise InsufficientScope(needed.scopes)
        return caller


require = _Bearer()


def answer_insufficient_scope(_: Request, error: Exception) -> JSONResponse:
    """403, as RFC 6750, 3.1, has it."""
    assert isinstance(error, InsufficientScope)  # noqa: S101 (how it is registered)
    needed = " ".join(error.needed)
    return respond(
        INSUFFICIENT_SCOPE,
        str(error),
        headers={"WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope", scope="{needed}"'},
    )


def _token(scope: Scope) -> str:
    """Read the token from the one Authorization header; raises InvalidToken."""
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    if not values:
        raise MissingToken
    if len(values) > 1:
        raise InvalidToken("there are two Authorization headers: send one")
    found = _BEARER.fullmatch(values[0])
    if found is None:
        raise InvalidToken("Authorization is not Bearer with one token")
    return found[1].decode("ascii")
