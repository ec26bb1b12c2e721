"""Stopping: SIGTERM or SIGINT asks once, the work in flight is finished, the process leaves."""

import _thread
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from math import inf
from time import monotonic
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

CHECK_INTERVAL = 0.5
"""Seconds between two checks whether a stop was requested."""


class Stop:
    """Asked for once, seen by every thread; a wait on it is a sleep that a stop cuts short."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def request(self) -> None:
        self._event.set()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float = inf) -> bool:
        """Wait until a stop is requested, at most `seconds`; says whether it was.

        The main thread polls: the kernel may give a signal to any thread, and Python handles it in
        the main one, which does not wake for it.
        """
        is_main = threading.current_thread() is threading.main_thread()
        longest = CHECK_INTERVAL if is_main else threading.TIMEOUT_MAX
        until = monotonic() + seconds
        while not self._event.wait(min(longest, max(0.0, until - monotonic()))):
            if monotonic() >= until:
                return False
        return True


def unless_stopped(stop: Stop, act: Callable[[], T], *, thread: str) -> T | None:
    """Do what cannot be cut short in a thread that a stop abandons; then there is None.

    Raises what `act` raises.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(act())
        except Exception as error:  # noqa: BLE001 (raised again by the thread that waits)
            outcome.set_exception(error)

    threading.Thread(target=run, name=thread, daemon=True).start()
    while not stop.requested:
        if wait([outcome], timeout=CHECK_INTERVAL).done:
            return outcome.result()
    return None


def join_until(threads: Iterable[threading.Thread], deadline: float) -> None:
    """Wait for threads to end, all of them no longer than until a moment of `monotonic`."""
    for thread in threads:
        thread.join(max(0.0, deadline - monotonic()))


@contextmanager
def on_signal(stop: Stop) -> Iterator[None]:
    """Turn the first SIGTERM or SIGINT into a stop request; a second SIGINT is Python's own again.

    Only the main thread may use it: that is where Python runs signal handlers.
    """
    previous = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def request(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (the signal API)
        signal.signal(signal.SIGINT, previous[signal.SIGINT])
        # Not here: the handler interrupts the main thread wherever it is, and that may hold the
        # very lock that a request takes, or one that starting a threading.Thread takes.
        _thread.start_new_thread(stop.request, ())

    for number in previous:
        signal.signal(number, request)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
