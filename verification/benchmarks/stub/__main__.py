"""AWS in a process of its own that does next to nothing: `python -m` runs it on STUB_PORT.

It answers as AWS does, in its JSON over HTTP/1.1 with keep-alive, from one asyncio loop. What an
emulator spends on expressions, rules and stores is left out, so that what is measured against it
limits itself. It checks no signature and throttles nothing.
"""

import asyncio
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import from_json, to_json

from infra.local_system.ports import LOOPBACK
from verification.benchmarks.stub.outbox import StubOutbox
from verification.benchmarks.stub.queues import StubQueues
from verification.benchmarks.stub.tables import StubTables

_ASKED = re.compile(rb"(?:GET|POST) /(state|reset|delay)(?:/(\d+))? ")
"""What a benchmark asks of it beside AWS's calls: a delay is in milliseconds."""

_TARGET = re.compile(rb"\r\nx-amz-target: *(\S+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD_ENDS = b"\r\n\r\n"

Operation = Callable[[Any], Any]
"""Answers a request's JSON, at once or later."""


class UnknownOperation(Exception):
    """What is asked of AWS is none of what the stub has."""


class StubAws:
    """All that it has, and the calls that were made of it; `delay` is in seconds."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self.delay = 0.0
        self.reset()

    def reset(self) -> None:
        """Forget everything; who still follows the stream finds it empty."""
        self._outbox, self._queues = StubOutbox(), StubQueues(self._port)
        self._operations: Mapping[str, Operation] = {
            **self._outbox.operations,
            **self._queues.operations,
            **StubTables().operations,
        }
        self._calls: Counter[str] = Counter()

    def answer(self, action: str, body: bytes) -> "bytes | asyncio.Future[bytes]":
        """Do what is asked. Raises UnknownOperation."""
        if action not in self._operations:
            raise UnknownOperation(action)
        self._calls[action] += 1
        found: bytes | asyncio.Future[bytes] = self._operations[action](from_json(body))
        return found

    def state(self) -> bytes:
        """Say what is left and what was done, as JSON."""
        return to_json({**self._outbox.state(), **self._queues.state(), "calls": self._calls})


class Connection(asyncio.Protocol):
    """One connection of a client, which sends a request when it has the answer to the last."""

    def __init__(self, aws: StubAws) -> None:
        self._aws = aws
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_ends = self._received.find(_HEAD_ENDS)
        if head_ends < 0:
            return
        head, start = self._received[:head_ends], head_ends + len(_HEAD_ENDS)
        found = _LENGTH.search(head)
        if len(self._received) < start + (int(found[1]) if found else 0):
            return
        body, self._received = self._received[start:], b""
        self._serve(head, body)

    def _serve(self, head: bytes, body: bytes) -> None:
        asked = _ASKED.match(head)
        if asked is None:
            self._call(head, body)
            return
        if asked[1] == b"reset":
            self._aws.reset()
        elif asked[1] == b"delay":
            self._aws.delay = int(asked[2]) / 1000
        self._transport.write(_http(b"200 OK", self._aws.state()))

    def _call(self, head: bytes, body: bytes) -> None:
        target = _TARGET.search(head)
        action = target[1].decode().rpartition(".")[2] if target else ""
        try:
            answer = self._aws.answer(action, body)
        except UnknownOperation as error:
            print(f"the stub has no operation {error}", file=sys.stderr, flush=True)
            self._write(_http(b"400 Bad Request", b'{"__type":"UnknownOperationException"}'))
            return
        if isinstance(answer, bytes):
            self._write(_http(b"200 OK", answer))
        else:
            answer.add_done_callback(lambda done: self._write(_http(b"200 OK", done.result())))

    def _write(self, message: bytes) -> None:
        if self._aws.delay:
            asyncio.get_running_loop().call_later(self._aws.delay, self._transport.write, message)
        else:
            self._transport.write(message)


def _http(status: bytes, body: bytes) -> bytes:
    return (
        b"HTTP/1.1 %b\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: %d\r\n"
        b"x-amzn-RequestId: 8Q0J3V3EXAMPLE\r\n\r\n%b" % (status, len(body), body)
    )


async def serve(port: int) -> None:
    """Answer on loopback until SIGTERM."""
    aws, loop, stopped = StubAws(port), asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(lambda: Connection(aws), LOOPBACK, port)
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(os.environ["STUB_PORT"])))
