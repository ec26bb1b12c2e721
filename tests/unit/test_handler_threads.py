"""Handlers in threads: what they return or raise comes back, whatever becomes of the caller."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from runtime.http.threads import MOST_THREADS, in_thread
from verification.testkit.waiting import eventually

_SAID = ContextVar("said", default="")


def test_it_runs_in_the_context_of_its_caller() -> None:
    """In another thread, with its arguments: what is bound there is in its log lines."""

    def work(first: int, *, second: int) -> tuple[int, str, bool]:
        is_elsewhere = threading.current_thread() is not threading.main_thread()
        return first + second, _SAID.get(), is_elsewhere

    async def calls() -> tuple[int, str, bool]:
        _SAID.set("hello")
        return await in_thread(work, 1, second=2)

    assert asyncio.run(calls()) == (3, "hello", True)


def test_what_it_raises_is_raised() -> None:
    """The same error, where the call is awaited."""

    def work() -> None:
        raise LookupError("none")

    with pytest.raises(LookupError, match="none"):
        asyncio.run(in_thread(work))


def test_more_calls_than_threads_wait_for_one() -> None:
    """All are answered, and never more at a time than there may be threads."""
    lock, now, most = threading.Lock(), 0, 0
    full = threading.Event()

    def work(each: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if now == MOST_THREADS:
                full.set()
        assert full.wait(60)
        with lock:
            now -= 1
        return each

    async def calls() -> list[int]:
        return await asyncio.gather(*(in_thread(work, each) for each in range(3 * MOST_THREADS)))

    assert asyncio.run(calls()) == list(range(3 * MOST_THREADS))
    assert most == MOST_THREADS


def test_a_caller_that_has_gone_is_no_error() -> None:
    """Cancelled, or with its loop closed: the thread drops the answer and serves on."""
    loose, ended = threading.Event(), []

    def work() -> None:
        assert loose.wait(60)
        ended.append(threading.current_thread())

    async def leaves() -> None:
        loop, errors = asyncio.get_running_loop(), list[object]()
        loop.set_exception_handler(lambda _, context: errors.append(context))
        cancelled = asyncio.create_task(in_thread(work))
        lost = asyncio.create_task(in_thread(work))
        await asyncio.sleep(0)
        cancelled.cancel()
        loose.set()
        await lost
        assert errors == []
        loose.clear()
        asyncio.create_task(in_thread(work))  # noqa: RUF006 (asyncio.run cancels it)
        await asyncio.sleep(0)

    asyncio.run(leaves())
    loose.set()
    eventually(lambda: len(ended) == 3, what="each has ended")
    assert all(thread.is_alive() for thread in ended)
    assert asyncio.run(in_thread(lambda: "served")) == "served"
