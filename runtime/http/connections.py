"""Limits on HTTP connections that uvicorn does not have: no client holds one by being slow.

uvicorn closes a connection that idles between two requests. One that never begins a request, that
trickles its headers or its body, or that does not read its answer it would keep for ever. Where
there is no room for a new connection, in all or for its client, the one that has idled longest
makes room. Decision 19 has why this builds on h11.
"""

import asyncio
import json
import math
import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any, cast

import h11
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from runtime.http.connection_limits import (
    LIMITS,
    ClientConnections,
    ConnectionLimits,
    allow_files,
    per_client,
)
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


def limited(
    app: ASGIApp,
    listening: socket.socket,
    *,
    stop_seconds: int,
    at_most: int | None = None,
    limits: ConnectionLimits = LIMITS,
) -> uvicorn.Config:
    """Configure uvicorn to serve on a listener within limits; a stop waits that many seconds.

    `at_most` is how many connections a client may have, 0 any number; else it depends on the
    listener. The process may open more files from here on.
    """
    allow_files()
    clients = ClientConnections[LimitedConnection](
        per_client(listening) if at_most is None else at_most
    )
    return uvicorn.Config(
        _readable(app),
        http=cast("type[asyncio.Protocol]", partial(LimitedConnection, limits, clients)),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # any client on this machine could write them
        server_header=False,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_keep_alive=limits.keep_alive,
        timeout_graceful_shutdown=stop_seconds,
    )


class LimitedConnection(H11Protocol):
    """One connection. What it waits for has one timer, what it writes has another."""

    def __init__(
        self,
        limits: ConnectionLimits,
        clients: ClientConnections["LimitedConnection"],
        *args: Any,
        **named: Any,
    ) -> None:
        super().__init__(*args, **named)
        self.conn = OneWrite(h11.SERVER, MAX_HEAD_BYTES)
        self.access_log = False  # its lines have queries, and those may have account numbers
        self._limits, self._clients = limits, clients
        self._address = ""  # of a client that has left before we saw it
        self._waits_for: object = None
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._refused = False
        self.idle_since = math.inf  # by the loop's clock: a request's first byte is waited for

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio sets it on sockets that name their protocol, which a listener of
        # socket.create_server does not: an answer in two pieces would wait 40 ms between them.
        with suppress(OSError):  # the client has left
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.client:
            self._address = self.client[0]
        if reason := self._no_room():
            self.turn_away(reason)
        else:
            self._clients.add(self._address, self)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._deadline, self._stalled):
            if timer:
                timer.cancel()
        self._unset_keepalive_if_required()
        self._clients.discard(self._address, self)
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
            is_idle = not begun
            is_kept = is_idle and self.cycle is not None
            waits_for, then = (h11.IDLE, self.cycle, is_kept), self._give_up
            seconds = self._limits.keep_alive if is_kept else self._limits.head
        elif self.conn.their_state is h11.SEND_BODY:
            # Twice as long as the application waits for the body: that one says why.
            waits_for, seconds = (h11.SEND_BODY, self.cycle), 2 * self._limits.body
        if not is_idle:
            self.idle_since = math.inf
        elif self.idle_since == math.inf:
            self.idle_since = self.loop.time()
        if waits_for == self._waits_for:
            return
        self._waits_for = waits_for
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

    def _no_room(self) -> str | None:
        """Say which bound this new connection breaks, where no idle one makes room for it."""
        of_client, bound = self._clients.of(self._address), self._clients.at_most
        if bound and len(of_client) >= bound and not _make_room(of_client):
            return f"it serves {bound} at a time to one address; use fewer, or close some"
        bound = self._limits.connections
        if len(self.connections) > bound and not _make_room(self.connections):
            return f"it serves {bound} at a time; try again"
        return None

    def turn_away(self, reason: str) -> None:
        """End a connection at once, for a flood must hold no files; one without an answer gets one.

        It does not count from here on, while the loop has yet to close it.
        """
        self.connections.discard(self)
        self._clients.discard(self._address, self)
        if self.cycle is None:
            self._refuse(TOO_MANY_CONNECTIONS, reason)
        self.transport.abort()

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


class OneWrite(h11.Connection):
    """Gives the head of an answer of known length to be written with what follows: one call."""

    _head = b""

    def send(self, event: h11.Event) -> bytes:  # type: ignore[override]  # it has overloads
        output = super().send(event) or b""
        if isinstance(event, h11.Response) and any(
            name == b"content-length" for name, _ in event.headers
        ):
            self._head = output
            return b""
        output, self._head = self._head + output, b""
        return output


def _make_room(among: Iterable[object]) -> bool:
    """Close the connection that has idled longest, if any idles.

    First of those that never had an answer: their clients lose nothing.
    """
    ours = (each for each in among if isinstance(each, LimitedConnection))
    idle = [each for each in ours if each.idle_since < math.inf]
    if not idle:
        return False
    longest = min(idle, key=lambda each: (each.cycle is not None, each.idle_since))
    longest.turn_away("another connection needed its room; try again")
    return True


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
