"""An HTTP load as a process: `python -m verification.benchmarks.http_load`, described at stdin.

Some connections, each of which sends its next request when it has the answer to the last (a closed
loop). Requests are made before the clock starts, and one asyncio loop reads no more of an answer
than its status and its length: a package for loads takes more CPU for a request than what answers
it, and on two cores that is most of what is measured. Any status but the wanted one ends it all.
"""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from itertools import cycle
from time import perf_counter
from typing import Any

_HEAD_ENDS = b"\r\n\r\n"


class RequestFailed(Exception):
    """An answer with another status than the wanted one, or a connection that ended."""


class HttpLoad:
    """Requests that are sent in turn until `seconds` are over; how long each answer took."""

    def __init__(self, requests: Sequence[bytes], wanted: int, seconds: float) -> None:
        self._requests = cycle(requests)
        self._wanted = b"HTTP/1.1 %d " % wanted
        self._seconds = seconds
        self.taken: list[float] = []
        self._ended = 0.0

    async def run(self, port: int, connections: int) -> float:
        """Send until the time is over; the seconds until the last answer. Raises RequestFailed."""
        loop = asyncio.get_running_loop()
        opened: list[_Connection] = []
        for _ in range(connections):
            _, connection = await loop.create_connection(
                lambda: _Connection(self, loop.create_future()), "127.0.0.1", port
            )
            opened.append(connection)
        started = perf_counter()
        self._until = started + self._seconds
        for connection in opened:
            connection.send()
        await asyncio.gather(*(connection.done for connection in opened))
        return self._ended - started

    def next_request(self) -> bytes | None:
        return next(self._requests) if perf_counter() < self._until else None

    def note(self, sent: float, head: bytes) -> None:
        """Keep how long an answer took; raises RequestFailed."""
        if not head.startswith(self._wanted):
            raise RequestFailed(head.decode(errors="replace"))
        self._ended = perf_counter()
        self.taken.append(self._ended - sent)


class _Connection(asyncio.Protocol):
    def __init__(self, load: HttpLoad, done: "asyncio.Future[None]") -> None:
        self._load, self.done = load, done
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def send(self) -> None:
        request = self._load.next_request()
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent = perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, ended, body = self._received.partition(_HEAD_ENDS)
        if not ended:
            return
        try:
            if len(body) < _length(head):
                return
            self._received = b""
            self._load.note(self._sent, head)
        except RequestFailed as error:
            self._fail(error)
        else:
            self.send()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(RequestFailed(f"the connection ended: {error}"))

    def _fail(self, error: RequestFailed) -> None:
        if not self.done.done():
            self.done.set_exception(error)


def _length(head: bytes) -> int:
    """The length of the body; raises RequestFailed for an answer that does not say it."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise RequestFailed("an answer without a length")


def request(
    method: str, path: str, port: int, headers: Mapping[str, str], body: bytes = b""
) -> bytes:
    """A request as it is sent."""
    every = {"Host": f"127.0.0.1:{port}", **headers}
    if body:
        every |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in every.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def main() -> None:
    """Play what stdin describes; write how long it took, and each answer in milliseconds."""
    asked = json.load(sys.stdin)
    port, headers = asked["port"], asked["headers"]
    bodies = [json.dumps(body).encode() for body in asked["bodies"]] or [b""]
    requests = [request(asked["method"], asked["path"], port, headers, body) for body in bodies]
    load = HttpLoad(requests, asked["wanted"], asked["seconds"])
    seconds = asyncio.run(load.run(port, asked["connections"]))
    taken = [1000 * each for each in load.taken]
    json.dump({"seconds": seconds, "milliseconds": taken}, sys.stdout)


if __name__ == "__main__":
    main()
