"""Limits on HTTP connections that uvicorn does not have: no client holds one by being slow.

uvicorn closes a connection that idles between two requests. One that never begins a request, that
trickles its headers or its body, or that does not read its answer it would keep for ever. Where
there is no room for a new connection, the one that has idled longest since its answer makes room.
"""

import asyncio
import json
import math
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import h11
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from runtime.http.problem_kinds import (
    HEADERS_TOO_LARGE,
    MALFORMED,
    MEDIA_TYPE,
    TOO_MANY_CONNECTIONS,
    TOO_SLOW,
    UNKNOWN_CODING,
    Kind,
)
from runtime.http.request_target import settle

MAX_HEAD_BYTES = 16 * 1024
"""Request line and headers. At most twice as many are looked at."""

BODY_SECONDS = 10.0
"""From the end of the headers to the end of the body."""


@dataclass(frozen=True)
class ConnectionLimits:
    """What one server, and each of its connections, may take. Times are in seconds."""

    connections: int = 800
    """At a time: under the 1024 files that many systems give a process, with room for its own."""

    keep_alive: int = 360
    """From an answer to the next request's first byte: longer than a load balancer keeps an idle
    connection. Else it sends a request on one that we are closing, and its client gets 502.

    An Application Load Balancer closes after 60 s unless it is set otherwise
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html),
    a Network Load Balancer forgets a TCP flow after 350 s
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html). For
    the VPC link of an API Gateway there is no number in its documentation."""

    head: float = 5.0
    """From a connection's start, or a later request's first byte, to the end of the headers."""

    body: float = BODY_SECONDS
    """As the application has it. A body that no route reads has twice that."""

    send: float = 10.0
    """To read an answer that waits for the client: ours write 64 KiB, then wait for that."""

    leave: float = 3.0
    """How long a stop waits for a client to send the rest of a body, or to read the rest of an
    answer: a request that has not arrived whole has not been begun."""

    linger: float = 2.0
    """How long what a refused client still sends is thrown away, so that it can read why."""


LIMITS = ConnectionLimits()


def limited(
    app: ASGIApp, *, stop_seconds: int, limits: ConnectionLimits = LIMITS
) -> uvicorn.Config:
    """Configure uvicorn to serve within these limits; a stop waits at most that many seconds."""
    return uvicorn.Config(
        _readable(app),
        http=cast("type[asyncio.Protocol]", partial(LimitedConnection, limits)),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_keep_alive=limits.keep_alive,
        timeout_graceful_shutdown=stop_seconds,
    )


class LimitedConnection(H11Protocol):
    """One connection. What it waits for has one timer, what it writes has another."""

    def __init__(self, limits: ConnectionLimits, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._limits = limits
        self._waits_for: object = None
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._refused = False
        self.idle_since = math.inf  # by the loop's clock; since its last answer

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio sets it on sockets that name their protocol, which a listener of
        # socket.create_server does not: an answer in two pieces would wait 40 ms between them.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self.connections) > self._limits.connections and not self._make_room():
            self._refuse(
                TOO_MANY_CONNECTIONS, f"it serves {self._limits.connections} at a time; try again"
            )
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._deadline, self._stalled):
            if timer:
                timer.cancel()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read in pieces: h11 looks at its limit only when it has read all that it was given."""
        for start in range(0, len(data), MAX_HEAD_BYTES):
            if self._refused or self.transport.is_closing():
                break
            super().data_received(data[start : start + MAX_HEAD_BYTES])
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._watch()

    def shutdown(self) -> None:
        super().shutdown()
        self._watch()
        self.loop.call_later(self._limits.leave, self._leave)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(self._limits.send, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled:
            self._stalled.cancel()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; uvicorn calls this where it handles h11's error."""
        error = sys.exception()
        hint = getattr(error, "error_status_hint", MALFORMED.status)
        if hint == HEADERS_TOO_LARGE.status:
            self._refuse(HEADERS_TOO_LARGE, f"they may take {MAX_HEAD_BYTES} bytes")
        elif hint == UNKNOWN_CODING.status:
            self._refuse(UNKNOWN_CODING, "the one Transfer-Encoding that is taken is chunked")
        else:
            self._refuse(MALFORMED, f"{msg} {error or ''}".strip())

    def _watch(self) -> None:
        """Set the deadline of what the connection waits for now; each wait has one of its own."""
        waits_for: object = None
        is_idle, seconds, then = False, 0.0, self.transport.abort
        if self._refused:
            waits_for, seconds = "its end", self._limits.linger
        elif self.transport.is_closing():
            waits_for, seconds = "the client's reading", self._limits.send
        elif self.conn.their_state is h11.IDLE:
            begun, _ = self.conn.trailing_data
            is_idle = self.cycle is not None and not begun
            waits_for, then = (h11.IDLE, self.cycle, is_idle), self._give_up
            seconds = self._limits.keep_alive if is_idle else self._limits.head
        elif self.conn.their_state is h11.SEND_BODY:
            # Twice as long as the application waits for the body: that one says why.
            waits_for, seconds = (h11.SEND_BODY, self.cycle), 2 * self._limits.body
        if waits_for == self._waits_for:
            return
        self._waits_for = waits_for
        self.idle_since = self.loop.time() if is_idle else math.inf
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, then) if waits_for else None

    def _leave(self) -> None:
        """End a connection that waits for its client, and not for the application."""
        if (
            self.transport.is_closing()
            or self.transport.get_write_buffer_size()
            or self.conn.their_state is h11.SEND_BODY
        ):
            self.transport.abort()

    def _make_room(self) -> bool:
        """Close the connection that has idled longest since an answer, if any has."""
        ours = (each for each in self.connections if isinstance(each, LimitedConnection))
        longest = min(ours, key=lambda each: each.idle_since)
        if longest.idle_since == math.inf:
            return False
        longest.timeout_keep_alive_handler()
        return True

    def _give_up(self) -> None:
        """End a connection whose request does not come."""
        begun, _ = self.conn.trailing_data
        if begun:
            self._refuse(TOO_SLOW, f"its headers may take {self._limits.head:g} s")
        else:
            self.transport.close()
        self._watch()

    def _refuse(self, kind: Kind, detail: str) -> None:
        """Answer for a request that no application will see, or that broke off in its body."""
        self._refused = True
        self._unset_keepalive_if_required()
        if self.cycle and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            self._answer(kind, detail)
        if self.transport.can_write_eof():
            with suppress(OSError):  # ENOTCONN: the client has reset the connection
                self.transport.write_eof()

    def _answer(self, kind: Kind, detail: str) -> None:
        head, body = _response(kind, detail)
        start = h11.Response(
            status_code=kind.status, headers=head, reason=STATUS_PHRASES[kind.status]
        )
        # A request of which only the body was wrong has a method, and h11 holds us to it.
        is_head = self.conn.our_state is h11.SEND_RESPONSE and self.cycle.scope["method"] == "HEAD"
        content = h11.Data(data=b"" if is_head else body)
        for event in (start, content, h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")


def _readable(app: ASGIApp) -> ASGIApp:
    """Refuse a request that someone before us may have read in another way; settle its target."""

    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        fault = _fault_of_framing(scope) or settle(scope)
        if fault is None:
            await app(scope, receive, send)
            return
        head, body = _response(MALFORMED, fault)
        await send({"type": "http.response.start", "status": MALFORMED.status, "headers": head})
        await send({"type": "http.response.body", "body": body})

    return reading


def _fault_of_framing(scope: Scope) -> str | None:
    """Say why a body's end is not clear (RFC 9112, 6.1)."""
    names = {name for name, _ in scope["headers"]}
    if b"transfer-encoding" not in names:
        return None
    if b"content-length" in names:
        return "Content-Length and Transfer-Encoding exclude each other"
    if scope["http_version"] == "1.0":
        return "HTTP/1.0 has no Transfer-Encoding"
    return None


def _response(kind: Kind, detail: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The headers and the body of the last answer on a connection."""
    body = json.dumps(kind.problem(detail)).encode()
    head = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    return head, body
