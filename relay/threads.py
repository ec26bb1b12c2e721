"""Threads as calls need them: few where answers come at once, many where they take long."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runtime.process.shutdown import join_until

SPARE_THREADS = 3
"""Threads without a call that are kept. Each is woken for nothing now and then; to end one and
start it again for the next call would cost more."""


class GrowingThreads:
    """Runs one work again and again in threads, up to `most`, one of which always waits for more.

    Where they were not started there are none, and `working` counts.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name, self._most = name, most
        self._work: Callable[[], bool] | None = None
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._working = 0

    def start(self, work: Callable[[], bool]) -> None:
        """Begin; `work` waits for some, does it in a block of `working`, and says if more comes."""
        with self._lock:
            self._work = work
            self._add(work)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Have another thread wait in the place of the one that works in this block."""
        with self._lock:
            self._working += 1
            if self._work and self._working == len(self._threads) < self._most:
                self._add(self._work)
        try:
            yield
        finally:
            with self._lock:
                self._working -= 1

    def join_until(self, moment: float) -> None:
        """Wait for all that are left, until a moment of the monotonic clock at most."""
        with self._lock:
            self._work = None
            threads = list(self._threads)
        join_until(threads, moment)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._threads)

    def _add(self, work: Callable[[], bool]) -> None:
        # They do not keep the process alive if a response of AWS's never comes.
        thread = threading.Thread(target=self._run, args=(work,), name=self._name, daemon=True)
        self._threads.add(thread)
        thread.start()

    def _run(self, work: Callable[[], bool]) -> None:
        try:
            while work() and not self._is_superfluous():
                pass
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _is_superfluous(self) -> bool:
        """Whether enough others wait for this one to end; then it no longer counts."""
        with self._lock:
            if len(self._threads) - self._working <= SPARE_THREADS + 1:
                return False
            self._threads.discard(threading.current_thread())
            return True
