"""Connections: what each may take, seen from a socket of ours."""

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from time import monotonic

import h11
import pytest
import uvicorn
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from infra.local_system.ports import LOOPBACK
from runtime.http.connection_limits import ClientConnections, ConnectionLimits
from runtime.http.connections import LimitedConnection, OneWrite, limited
from runtime.http.middleware import LimitedBody
from runtime.http.problem_kinds import Kind
from tests.raw_http import Answer, sent
from tests.threads import beside
from verification.testkit.waiting import eventually

LARGE = b"x" * 20_000_000


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads a body whole, or answers with one that no socket's buffer takes, or in pieces."""
    if scope["method"] == "POST":
        while (await receive()).get("more_body"):
            pass
    if scope["path"] == "/pieces":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done", "more_body": True})
        await send({"type": "http.response.body"})
        return
    body = LARGE if scope["path"] == "/large" else b"done"
    await PlainTextResponse(body)(scope, receive, send)


SHORT = ConnectionLimits(head=0.3, body=0.3, send=0.3, linger=0.3)
"""Limits of a test's patience."""

PATIENT = replace(SHORT, head=60, body=60, send=60, linger=60)
"""Limits that a busy machine does not meet, where another limit is the point."""


@contextmanager
def running(
    limits: ConnectionLimits = SHORT, *, stop_seconds: int = 1, at_most: int | None = None
) -> Iterator[tuple[uvicorn.Server, int]]:
    """A server of such limits, and its port."""
    listening = socket.create_server((LOOPBACK, 0))
    config = limited(app, listening, stop_seconds=stop_seconds, at_most=at_most, limits=limits)
    server = uvicorn.Server(config)
    with beside(lambda: server.run([listening]), lambda: setattr(server, "should_exit", True)):
        eventually(lambda: server.started, what="it serves")
        yield server, listening.getsockname()[1]


def refusal(answer: bytes) -> str:
    """The kind of the one problem that came, before the connection was closed."""
    found = Answer.of(answer)
    assert found.headers["connection"].lower() == "close"
    assert json.loads(found.body)["status"] == found.status
    return found.kind


GET = b"GET / HTTP/1.1\r\nHost: x\r\n"


def test_a_connection_that_says_nothing_is_closed() -> None:
    """Without an answer: there was no request."""
    with running() as (_, port):
        assert sent(port) == b""


def test_headers_that_do_not_come_are_408() -> None:
    """Also where a whole request came before them."""
    with running() as (_, port):
        assert refusal(sent(port, GET)) == "request-too-slow"
        first, _, second = sent(port, GET + b"\r\n", b"GET").partition(b"done")
        assert first.startswith(b"HTTP/1.1 200 ")
        assert refusal(second) == "request-too-slow"


def test_a_body_that_does_not_come_ends_the_connection() -> None:
    """Whoever reads it gives up first and says why; where nobody does, the connection is cut."""
    with running() as (_, port):
        assert sent(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n") == b""


def test_headers_that_are_too_large_are_431() -> None:
    """In one piece, in many, and without an end; the client can read why."""
    with running(PATIENT) as (_, port):
        for pieces in (
            [GET + b"X: " + b"x" * 40_000 + b"\r\n\r\n"],
            [GET, *[b"X-More: x\r\n"] * 6000],
            [b"GET /" + b"x" * 40_000],
        ):
            assert refusal(sent(port, *pieces)) == "headers-too-large"


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x16\x03\x01\x00" + bytes(32) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno\r\n",
        GET + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET + b"\r\n",
    ],
    ids=["TLS", "no host", "two lengths", "no chunk", "a length and chunks"],
)
def test_what_is_not_http_is_400(wrong: bytes) -> None:
    """Once, and whatever stands behind it is not read as a request."""
    with running(PATIENT) as (_, port):
        assert refusal(sent(port, wrong)) == "malformed-request"


def test_a_head_request_is_refused_without_a_body(caplog: pytest.LogCaptureFixture) -> None:
    """By its status and headers alone, as HTTP wants it, and without an error of ours."""
    with running(PATIENT) as (_, port):
        answer = sent(
            port, b"HEAD / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno\r\n"
        )
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b"\r\n\r\n")
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_client_that_does_not_read_is_dropped() -> None:
    """The rest of its answer is thrown away; one that reads gets all of it."""
    request = b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with running() as (server, port), socket.create_connection((LOOPBACK, port)) as client:
        client.sendall(request)
        eventually(lambda: server.server_state.connections, what="a connection")
        eventually(lambda: not server.server_state.connections, what="none")
    with running(replace(SHORT, send=60)) as (_, port):
        assert sent(port, request).endswith(LARGE)


@pytest.mark.parametrize(
    "begun",
    [
        b"GET / HTTP/1.1\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
        b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["headers", "body", "answer"],
)
def test_a_stop_does_not_wait_for_slow_clients(begun: bytes) -> None:
    """Whatever they have begun, long before their own time would be up."""
    with (
        running(replace(PATIENT, leave=0.2), stop_seconds=60) as (server, port),
        socket.create_connection((LOOPBACK, port)) as client,
    ):
        client.sendall(begun)
        eventually(lambda: server.server_state.connections, what="a connection")
        server.should_exit = True
        eventually(lambda: not server.server_state.connections, what="none", timeout=30)


@contextmanager
def begun(server: uvicorn.Server, port: int) -> Iterator[socket.socket]:
    """A client whose request the server has begun to read, and so may not close for another."""

    def reading() -> int:
        open_ = list(server.server_state.connections)
        return sum(
            isinstance(each, H11Protocol) and bool(each.conn.trailing_data[0]) for each in open_
        )

    before = reading()
    with socket.create_connection((LOOPBACK, port), timeout=60) as client:
        client.sendall(GET)
        eventually(lambda: reading() > before, what="it reads the request")
        yield client


def test_more_connections_than_are_served_are_503() -> None:
    """One too many is told so at once; when another has left there is room again."""
    with running(replace(SHORT, connections=1, head=60)) as (server, port):
        with begun(server, port):
            assert refusal(sent(port)) == "too-many-connections"
        last = GET + b"Connection: close\r\n\r\n"
        eventually(lambda: sent(port, last).endswith(b"done"), what="room again")


def asked(client: socket.socket, request: bytes = GET + b"\r\n") -> bytes:
    """What comes to a request until the answer's end; nothing where the other side has closed."""
    client.sendall(request)
    answer = b""
    while not answer.endswith(b"done") and (data := client.recv(65536)):
        answer += data
    return answer


def test_a_connection_is_kept_after_an_answer() -> None:
    """Longer than a request's headers may take: others that said nothing meanwhile are gone."""
    with running() as (_, port), socket.create_connection((LOOPBACK, port), timeout=60) as client:
        for _ in "123":
            assert asked(client).startswith(b"HTTP/1.1 200 ")
            assert sent(port) == b""
            assert sent(port) == b""


def test_it_is_kept_longer_than_a_load_balancer_keeps_it() -> None:
    """60 s is an Application Load Balancer's default, 350 s a Network Load Balancer's."""
    with socket.create_server((LOOPBACK, 0)) as listening:
        assert limited(app, listening, stop_seconds=1).timeout_keep_alive > 350


def test_a_connection_that_is_not_used_again_is_closed() -> None:
    """Without an answer: there was no request."""
    with running(replace(SHORT, keep_alive=1)) as (_, port):
        assert sent(port, GET + b"\r\n").endswith(b"done")


def test_the_longest_idle_connection_makes_room() -> None:
    """However many are kept after an answer, a new client is served; one that is busy stays."""
    with running(replace(SHORT, connections=3, head=60)) as (server, port), ExitStack() as stack:

        def connected() -> socket.socket:
            return stack.enter_context(socket.create_connection((LOOPBACK, port), timeout=60))

        reading = stack.enter_context(begun(server, port))
        first, second = connected(), connected()
        for client in (first, second, first):
            assert asked(client).endswith(b"done")
        third = connected()
        assert asked(third).endswith(b"done")
        assert second.recv(1) == b""
        assert asked(connected()).endswith(b"done")
        assert first.recv(1) == b""
        assert asked(third).endswith(b"done")
        assert asked(reading, b"\r\n").endswith(b"done")


def test_a_connection_that_says_nothing_makes_room_first() -> None:
    """The answer says why; one that idles after an answer, and may be used again, stays."""
    with (
        running(replace(SHORT, connections=2, head=60)) as (_, port),
        socket.create_connection((LOOPBACK, port), timeout=60) as kept,
        socket.create_connection((LOOPBACK, port), timeout=60) as silent,
    ):
        assert asked(kept).endswith(b"done")
        assert sent(port, GET + b"Connection: close\r\n\r\n").endswith(b"done")
        assert refusal(silent.recv(65536)) == "too-many-connections"
        assert asked(kept).endswith(b"done")


def test_an_answer_is_not_held_back() -> None:
    """Where it is in pieces: the second does not wait 40 ms for the first's ACK."""
    took: list[float] = []
    with (
        running(PATIENT) as (_, port),
        socket.create_connection((LOOPBACK, port), timeout=60) as client,
    ):
        for _ in range(100):
            since = monotonic()
            client.sendall(b"GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not answer.endswith(b"0\r\n\r\n"):
                answer += client.recv(65536)
            took.append(monotonic() - since)
    assert sorted(took)[50] < 0.04  # of a hundred, more than sixty would wait


@pytest.mark.parametrize(
    ("headers", "pieces"),
    [
        ([(b"content-length", b"4")], [b"", b"done", b""]),
        ([], [b"", b"4\r\ndone\r\n", b"0\r\n\r\n"]),
    ],
    ids=["known", "unknown"],
)
def test_a_head_is_written_with_what_follows(
    headers: list[tuple[bytes, bytes]], pieces: list[bytes]
) -> None:
    """Where the length is known before, and so the end is near; a stream's head is not held."""
    connection = OneWrite(h11.SERVER)
    connection.receive_data(GET + b"\r\n")
    connection.next_event()
    events = (
        h11.Response(status_code=200, headers=headers),
        h11.Data(data=b"done"),
        h11.EndOfMessage(),
    )
    written = [connection.send(event) for event in events]
    head, end, _ = b"".join(written).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    pieces[1 if headers else 0] = head + end + pieces[1 if headers else 0]
    assert written == pieces


def test_a_slow_body_is_408_to_whoever_reads_it() -> None:
    """What comes in time is read, and waiting for the client's leaving has no limit."""

    async def reads(receive: Receive) -> list[Message]:
        found: list[Message] = []

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            found.extend([await receive(), await receive()])

        async def send(message: Message) -> None:
            raise AssertionError(message)

        await LimitedBody(application, 100, 0.1)({"type": "http", "headers": []}, receive, send)
        return found

    def receiving(*messages: Message) -> Receive:
        waiting = list(messages)

        async def receive() -> Message:
            if not waiting:
                await asyncio.sleep(0.3)
                return {"type": "http.disconnect"}
            return waiting.pop(0)

        return receive

    first: Message = {"type": "http.request", "body": b"{", "more_body": True}
    with pytest.raises(HTTPException) as refusal:
        asyncio.run(reads(receiving(first)))
    assert refusal.value.status_code == 408
    whole: Message = {"type": "http.request", "body": b"{}", "more_body": False}
    assert asyncio.run(reads(receiving(whole))) == [whole, {"type": "http.disconnect"}]


class Resetting(LimitedConnection):
    """One whose client resets it between the answer to a bad request and the end of the stream."""

    reset: Callable[[], None]
    ended: asyncio.Future[None]

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.ended.set_result(None)

    def _answer(self, kind: Kind, detail: str) -> None:
        super()._answer(kind, detail)
        self.reset()


def test_a_client_that_resets_while_it_is_refused_is_no_error() -> None:
    """The end of a stream that is gone cannot be written: ENOTCONN."""

    async def refused() -> list[object]:
        loop, errors, client = asyncio.get_running_loop(), list[object](), socket.socket()
        loop.set_exception_handler(lambda _, context: errors.append(context))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        listening = socket.create_server((LOOPBACK, 0))
        config = limited(app, listening, stop_seconds=1, limits=PATIENT)
        config.load()
        made = Resetting(
            PATIENT, ClientConnections(0), config=config, server_state=ServerState(), app_state={}
        )
        made.reset, made.ended = client.close, loop.create_future()
        server = await loop.create_server(lambda: made, sock=listening)
        client.connect(listening.getsockname())
        client.sendall(b"no HTTP\r\n\r\n")
        await made.ended
        server.close()
        return errors

    assert asyncio.run(asyncio.wait_for(refused(), 60)) == []
