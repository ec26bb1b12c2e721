"""The threads that routes of one row call their handlers in, which wait for a database.

Not anyio's `run_in_threadpool`: with 16 requests at a time its hop takes 40 µs of CPU, this one 15.
Nor asyncio's `to_thread`: a process would not end before each of its threads has.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any, NamedTuple, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

MOST_THREADS = 40
"""As many as anyio has: calls at a time, beside those of plain routes."""


class _Call(NamedTuple):
    """`answered` belongs to `loop`, and may have been cancelled there."""

    work: Callable[[], Any]
    context: Context
    loop: asyncio.AbstractEventLoop
    answered: asyncio.Future[Any]

    def run(self) -> None:
        try:
            settle = partial(self.answered.set_result, self.context.run(self.work))
        except BaseException as error:  # noqa: BLE001 (it is raised where the call is awaited)
            settle = partial(self.answered.set_exception, error)
        with suppress(RuntimeError):  # the loop is closed: the server has stopped
            self.loop.call_soon_threadsafe(self._settle, settle)

    def _settle(self, settle: Callable[[], None]) -> None:
        if not self.answered.done():
            settle()


class _Threads:
    """At most MOST_THREADS, each started when it is needed first; they end with the process."""

    def __init__(self) -> None:
        self._calls = SimpleQueue[_Call]()
        self._idle = threading.Semaphore(0)
        self._started = 0

    def take(self, call: _Call) -> None:
        self._calls.put(call)
        if not self._idle.acquire(blocking=False) and self._started < MOST_THREADS:
            self._started += 1
            threading.Thread(target=self._work, name="handler", daemon=True).start()

    def _work(self) -> None:
        while True:
            self._calls.get().run()
            self._idle.release()


_threads = _Threads()


async def in_thread(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call it in a thread, in the context of its caller; return or raise what it does."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[R] = loop.create_future()
    _threads.take(_Call(partial(work, *args, **kwargs), copy_context(), loop, answered))
    return await answered
