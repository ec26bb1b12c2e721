"""Hands what happens to every page that listens, and the newest events to each that joins.

Written to by threads, read by the event loop. A page that is slow gets the newest snapshot and the
newest events; what it missed is gone, and the counts in the snapshots include it.
"""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any

MOST_PAGES = 20
"""At a time; each has a connection and up to KEPT events."""

EVENTS_A_SECOND = 30
"""Events shown at most; the others are only counted. A person cannot see more."""

KEPT_EVENTS = 100
"""The newest, for a page that joins: as many as it shows."""

KEPT_MESSAGES = 60
"""Events that wait for a slow page, and other messages: the oldest are dropped."""


class Full(Exception):
    """Twenty pages listen already."""

    def __init__(self) -> None:
        super().__init__(f"{MOST_PAGES} pages follow the console already: close one")


class Listener:
    """One that listens. `take` is called on the event loop, everything else by the hub."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._awake = asyncio.Event()
        self._lock = threading.Lock()
        self._snapshot: bytes | None = None
        self._events: deque[bytes] = deque(maxlen=KEPT_MESSAGES)
        self.closed = False

    def give(self, text: bytes) -> None:
        with self._lock:
            self._events.append(text)
        self._wake()

    def replace_snapshot(self, text: bytes) -> None:
        with self._lock:
            self._snapshot = text
        self._wake()

    def close(self) -> None:
        self.closed = True
        self._wake()

    async def take(self, within: float) -> list[bytes]:
        """Wait up to `within` seconds for something, and take all of it."""
        try:
            await asyncio.wait_for(self._awake.wait(), within)
        except TimeoutError:
            return []
        self._awake.clear()
        with self._lock:
            found = [*self._events, *([self._snapshot] if self._snapshot else [])]
            self._events.clear()
            self._snapshot = None
        return found

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._awake.set)
        except RuntimeError:
            self.closed = True  # the loop has ended: so has the connection


class Hub:
    """`clock` is in seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._pages: set[Listener] = set()
        self._newest: bytes | None = None
        self._past: deque[Mapping[str, Any]] = deque(maxlen=KEPT_EVENTS)
        self._number = 0
        self._second, self._shown = 0, 0
        self._closed = False

    @property
    def pages(self) -> int:
        return len(self._pages)

    def join(self, loop: asyncio.AbstractEventLoop) -> Listener:
        """Begin to listen, with the newest snapshot and what has passed. Raises Full."""
        past = self._message("past", tuple(self._past))
        with self._lock:
            if len(self._pages) >= MOST_PAGES:
                raise Full
            page = Listener(loop)
            page.closed = self._closed
            self._pages.add(page)
            if self._newest:
                page.replace_snapshot(self._newest)
            if self._past:
                page.give(past)
        return page

    def leave(self, page: Listener) -> None:
        with self._lock:
            self._pages.discard(page)

    def snapshot(self, document: Mapping[str, Any]) -> None:
        """Give every page the newest snapshot; one that it has not read yet is replaced."""
        self._newest = self._message("snapshot", document)  # first: a page that joins now has it
        with self._lock:
            for page in self._pages:
                page.replace_snapshot(self._newest)

    def event(self, document: Callable[[], Mapping[str, Any]]) -> None:
        """Show an event, unless enough were shown this second."""
        if self._may_show_another():
            shown = document()
            self._past.append(shown)
            self.say("event", shown)

    def say(self, name: str, document: Mapping[str, Any]) -> None:
        """Publish something under its name: beside those above "replay" or "trouble"."""
        text = self._message(name, document)
        with self._lock:
            for page in self._pages:
                page.give(text)

    def close(self) -> None:
        """End every page's stream: the process leaves."""
        self._closed = True
        for page in tuple(self._pages):
            page.close()

    def _may_show_another(self) -> bool:
        with self._lock:
            second = int(self._clock())
            if second != self._second:
                self._second, self._shown = second, 0
            if self._shown >= EVENTS_A_SECOND:
                return False
            self._shown += 1
            return True

    def _message(self, name: str, document: Mapping[str, Any] | Sequence[Any]) -> bytes:
        data = json.dumps(document, separators=(",", ":"), default=str)
        with self._lock:
            self._number += 1
            return f"id: {self._number}\nevent: {name}\ndata: {data}\n\n".encode()
