"""What happens around every HTTP request: its correlation id, its log line, its measurement."""

import asyncio
import re
from collections.abc import Iterable
from time import perf_counter

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.causes import Cause
from runtime.http.hosts import is_allowed
from runtime.http.problem_kinds import CONTENT_TOO_LARGE, INTERNAL, MISDIRECTED, TOO_SLOW
from runtime.http.problems import METHODS, respond
from runtime.ids import new_id
from runtime.metrics import HttpMetrics

log = structlog.get_logger(__name__)

CORRELATION_HEADER = "X-Correlation-Id"
_CORRELATION_ID, _TRACEPARENT = CORRELATION_HEADER.lower().encode(), b"traceparent"
_TAKEN_OVER = {
    _CORRELATION_ID: re.compile(rb"[A-Za-z0-9._:-]{1,128}"),
    _TRACEPARENT: re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
}
"""What a caller's headers may be, to be taken over."""

_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
_POLICY = (b"content-security-policy", b"default-src 'none'")
UNLOGGED_PATHS = frozenset({"/healthz", "/readyz", "/startupz", "/metrics", "/outbox"})
"""Paths that only machines ask for, and all the time: neither logged nor traced."""


class AllowedHosts:
    """ASGI middleware: a request that is for another host than `allowed` and loopback is 421."""

    def __init__(self, app: ASGIApp, allowed: frozenset[str]) -> None:
        self._app, self._allowed = app, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http":
            host = Headers(scope=scope).get("host", "")
            if not is_allowed(host, self._allowed):
                app = respond(
                    MISDIRECTED, "ask by a name of loopback, or by one that HTTP_ALLOWED_HOSTS has"
                )
        await app(scope, receive, send)


class LimitedBody:
    """ASGI middleware: refuses a body over `max_bytes`, announced or not, before it is all read.

    One that takes longer than `max_seconds` is refused as well.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_seconds: float) -> None:
        self._app, self._max_bytes, self._max_seconds = app, max_bytes, max_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > self._max_bytes:
            await respond(CONTENT_TOO_LARGE, self._too_large)(scope, receive, send)
            return
        received = 0
        deadline: float | None = asyncio.get_running_loop().time() + self._max_seconds

        async def receive_within_limits() -> Message:
            nonlocal received, deadline
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(
                    TOO_SLOW.status, self._too_slow, {"Connection": "close"}
                ) from None
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(CONTENT_TOO_LARGE.status, self._too_large)
            if not message.get("more_body", False):
                deadline = None  # what is waited for from here on is the client's leaving
            return message

        await self._app(scope, receive_within_limits, send)

    @property
    def _too_large(self) -> str:
        return f"a body may take {self._max_bytes} bytes"

    @property
    def _too_slow(self) -> str:
        return f"a body may take {self._max_seconds:g} s"


class HeadAsGet:
    """ASGI middleware, the innermost: HEAD is what GET is, without the content (RFC 9110, 9.3.2).

    A stream ends with its headers: what makes it meets a client that has left.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        ended = False

        async def send_without_content(message: Message) -> None:
            nonlocal ended
            if message["type"] != "http.response.body":
                await send(message)
            elif not ended:
                ended = True
                await send({"type": "http.response.body", "body": b""})

        # A copy: logs, metrics and traces around this one say HEAD.
        asked = {**scope, "method": "GET"}
        try:
            await self._app(asked, receive, send_without_content)
        finally:
            scope["route"] = asked.get("route")


class AroundRequests:
    """ASGI middleware. Puts the request's Cause into the scope, where `cause_of` finds it.

    Requests for the routes in `quiet` have no log line.
    """

    def __init__(
        self, app: ASGIApp, metrics: HttpMetrics, quiet: frozenset[str] = UNLOGGED_PATHS
    ) -> None:
        self._app, self._metrics, self._quiet = app, metrics, quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        cause = _cause(scope["headers"])
        own = [(_CORRELATION_ID, cause.correlation_id.encode()), _NO_SNIFFING]
        scope["cause"] = cause
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), *own]
                if all(name != _POLICY[0] for name, _ in headers):
                    headers.append(_POLICY)
                message["headers"] = headers
            await send(message)

        with (
            structlog.contextvars.bound_contextvars(correlationId=cause.correlation_id),
            self._metrics.active.track_inprogress(),
        ):
            try:
                await self._app(scope, receive, send_with_headers)
            except Exception:
                log.exception("request failed")
                if status:
                    raise
                response = respond(INTERNAL, "the service logged what happened")
                await response(scope, receive, send_with_headers)
            seconds = perf_counter() - started
            route = getattr(scope.get("route"), "path", "unknown")
            # A caller may invent methods; each label value would be kept for ever.
            method = scope["method"] if scope["method"] in METHODS else "other"
            self._metrics.done(method, route, status, seconds)
            if route not in self._quiet:
                log.info(
                    "request",
                    method=method,
                    route=route,
                    status=status,
                    milliseconds=round(seconds * 1000, 1),
                )


def _cause(headers: Iterable[tuple[bytes, bytes]]) -> Cause:
    """Take over what the caller sent, where it is well-formed; what is not is replaced."""
    sent: dict[bytes, str] = {}
    for name, value in headers:
        if name in _TAKEN_OVER and name not in sent:
            sent[name] = value.decode() if _TAKEN_OVER[name].fullmatch(value) else ""
    return Cause(
        correlation_id=sent.get(_CORRELATION_ID) or new_id(),
        traceparent=sent.get(_TRACEPARENT) or None,
    )
