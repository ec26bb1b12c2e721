"""A server on loopback in a thread of its own, whose behaviour is changed while it serves."""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar

from infra.local_system.ports import LOOPBACK

MAX_HEAD = 64 * 1024
"""Bytes that are read ahead; an HTTP head of AWS has at most 16 KB."""

T = TypeVar("T")


class LoopbackServer(ABC):
    """Serves each connection with `serve`, on `port`; 0 is replaced by a free one."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._changed = asyncio.Event()

    @property
    def endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @contextmanager
    def running(self) -> Iterator[Self]:
        thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        thread.start()
        server = self.call(asyncio.start_server(self._accept, LOOPBACK, self.port, limit=MAX_HEAD))
        self.port = int(server.sockets[0].getsockname()[1])
        try:
            yield self
        finally:
            self.call(self._end(server))
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    def call(self, work: Coroutine[Any, Any, T], *, timeout: float = 60) -> T:
        """Do something in the server's thread. Raises TimeoutError."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def _do(self, change: Callable[[], object]) -> None:
        """Change something between two steps of the server's thread; what waits looks again."""
        self.call(self._change(change))

    async def _change(self, change: Callable[[], object]) -> None:
        change()
        self._notify()

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._changed.wait()

    def _notify(self) -> None:
        """Have what waits look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    @abstractmethod
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection; it is closed afterwards."""

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            await self.serve(reader, writer)
        except (OSError, asyncio.LimitOverrunError, asyncio.CancelledError):
            writer.transport.abort()  # the client sees a reset, as it would have without us
        finally:
            writer.close()
            self._open.discard(writer)

    async def _end(self, server: asyncio.Server) -> None:
        server.close()
        self._abort_all()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _abort_all(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()
