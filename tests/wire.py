"""A TCP proxy before an engine: it can be cut, and it can lose requests or answers on their way."""

import socket
import threading
from contextlib import suppress
from math import inf
from types import TracebackType
from typing import Self

from infra.local_system.ports import LOOPBACK

CHUNK = 65536
"""Bytes read at a time."""


class Wire:
    """Forwards to `upstream` on loopback until a test interferes. `port` is where it listens.

    Requests are told by a `marker` that they contain. Whoever is affected by a fault finds the
    connection closed, as when a machine goes away.
    """

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._lock = threading.Lock()
        self._links: set[_Link] = set()
        self.is_cut = False
        self.swallowed = self.unanswered = b""
        self.answers_to_lose: float = 0
        self.is_silent = False
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cut()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def cut(self) -> None:
        """Close every connection, and each new one as soon as it is made."""
        self.is_cut = True
        with self._lock:
            for link in self._links:
                link.close()
            self._links.clear()

    def swallow(self, marker: bytes) -> None:
        """Forward no request that contains `marker`: the engine never hears of it."""
        self.swallowed = marker

    def lose_answers_to(
        self, marker: bytes, *, times: float = inf, is_silent: bool = False
    ) -> None:
        """Forward requests that contain `marker`, wait for their answers, and lose those.

        `is_silent` leaves the connection open: the client waits until its own patience ends.
        """
        self.unanswered, self.answers_to_lose, self.is_silent = marker, times, is_silent

    def loses_one_more(self) -> bool:
        with self._lock:
            self.answers_to_lose -= 1
            return self.answers_to_lose >= 0

    def mend(self) -> None:
        """Carry everything again; connections that were closed stay closed."""
        self.is_cut = False
        self.swallowed = self.unanswered = b""

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.is_cut:
                client.close()
                continue
            try:
                engine = socket.create_connection((LOOPBACK, self._upstream))
            except OSError:
                client.close()
                continue
            link = _Link(self, client, engine)
            with self._lock:
                self._links.add(link)
            for carry in (link.carry_requests, link.carry_answers):
                threading.Thread(target=carry, daemon=True).start()


class _Link:
    """One connection of a client, and ours to the engine that belongs to it."""

    def __init__(self, wire: Wire, client: socket.socket, engine: socket.socket) -> None:
        self._wire, self._client, self._engine = wire, client, engine
        for end in (client, engine):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loses_the_answer = False

    def close(self) -> None:
        for end in (self._client, self._engine):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def carry_requests(self) -> None:
        before = b""
        with suppress(OSError):
            while data := self._client.recv(CHUNK):
                swallowed, unanswered = self._wire.swallowed, self._wire.unanswered
                if swallowed and swallowed in before[1 - len(swallowed) :] + data:
                    break
                if unanswered and unanswered in before[1 - len(unanswered) :] + data:
                    # Before the request goes out: the answer must not be quicker than this.
                    self._loses_the_answer = self._wire.loses_one_more()
                self._engine.sendall(data)
                before = data
        self.close()

    def carry_answers(self) -> None:
        with suppress(OSError):
            while data := self._engine.recv(CHUNK):
                if self._loses_the_answer and self._wire.is_silent:
                    continue
                if self._loses_the_answer:
                    break
                self._client.sendall(data)
        self.close()
