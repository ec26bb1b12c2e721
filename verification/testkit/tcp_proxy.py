"""A TCP proxy before an engine: it can be cut, be slow, and lose requests or answers on their way.

As a process of its own, `tcp_proxy TARGET_PORT MILLISECONDS` on PROXY_PORT, it delays each answer.
"""

import asyncio
import os
import sys
import threading
from dataclasses import dataclass
from math import inf

from infra.local_system.ports import LOOPBACK
from verification.testkit.loopback import LoopbackServer

READ_BYTES = 256 * 1024
"""Bytes read at a time."""


class TcpProxy(LoopbackServer):
    """Forwards to `target`, a port on loopback; each answer comes `delay` seconds late.

    A request is recognized by a `marker` that it contains. A client that a fault affects finds its
    connection closed, as when a machine goes away.
    """

    def __init__(self, target: int, *, port: int = 0, delay: float = 0) -> None:
        super().__init__(port)
        self._target, self._delay = target, delay
        self._is_cut = self._is_silent = False
        self._swallowed = self._unanswered = b""
        self._answers_to_lose: float = 0

    def cut(self) -> None:
        """Close every connection, and each new one as soon as it is made."""
        self._is_cut = True
        self._do(self._abort_all)

    def swallow(self, marker: bytes) -> None:
        """Forward no request that contains `marker`: the engine never sees it."""
        self._swallowed = marker

    def lose_answers_to(
        self, marker: bytes, *, times: float = inf, is_silent: bool = False
    ) -> None:
        """Forward requests that contain `marker`, wait for their answers, and lose those.

        `is_silent` leaves the connection open: the client waits until its own patience ends.
        """
        self._unanswered, self._answers_to_lose, self._is_silent = marker, times, is_silent

    def restore(self) -> None:
        """Carry everything again; connections that were closed stay closed."""
        self._is_cut = False
        self._swallowed = self._unanswered = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            return
        onward_reader, onward = await asyncio.open_connection(LOOPBACK, self._target)
        self._open.add(onward)
        link = _Link()
        carrying = {
            asyncio.ensure_future(self._carry_requests(link, reader, onward)),
            asyncio.ensure_future(self._carry_answers(link, onward_reader, writer)),
        }
        try:
            await asyncio.wait(carrying, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in carrying:
                task.cancel()
            await asyncio.gather(*carrying, return_exceptions=True)
            onward.transport.abort()
            self._open.discard(onward)

    async def _carry_requests(
        self, link: "_Link", client: asyncio.StreamReader, engine: asyncio.StreamWriter
    ) -> None:
        before = b""
        while data := await client.read(READ_BYTES):
            if _contains(before, data, self._swallowed):
                return
            if _contains(before, data, self._unanswered):
                # Before the request goes out: the answer must not be quicker than this.
                self._answers_to_lose -= 1
                link.loses_answer = self._answers_to_lose >= 0
            engine.write(data)
            await engine.drain()
            before = data

    async def _carry_answers(
        self, link: "_Link", engine: asyncio.StreamReader, client: asyncio.StreamWriter
    ) -> None:
        """Hold each piece for the delay after it came; none waits for the piece before it."""
        while data := await engine.read(READ_BYTES):
            if link.loses_answer and not self._is_silent:
                return
            if self._delay:
                self._loop.call_later(self._delay, client.write, data)
            elif not link.loses_answer:
                client.write(data)
                await client.drain()
        await asyncio.sleep(self._delay)


@dataclass
class _Link:
    """One connection of a client, and the proxy's to the engine that belongs to it."""

    loses_answer: bool = False


def _contains(before: bytes, data: bytes, marker: bytes) -> bool:
    """Whether the marker is in what came now, or begins in what came before it."""
    return bool(marker) and marker in before[1 - len(marker) :] + data


def main() -> None:
    target, milliseconds = map(int, sys.argv[1:])
    port = int(os.environ["PROXY_PORT"])
    with TcpProxy(target, port=port, delay=milliseconds / 1000).running():
        threading.Event().wait()


if __name__ == "__main__":
    main()
