"""One at a time in a dead-letter queue: what one request holds, another would not find there."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock
from time import monotonic

from operations.errors import OperatorError

LOOK_WITHIN, ACT_WITHIN = 1.0, 30.0
"""Seconds that a list waits for all queues together, and an action for its one."""


class Busy(OperatorError):
    """Somebody else is at it."""

    def __init__(self, queue: str) -> None:
        super().__init__(
            f"the console is at work in {queue} for somebody else: try again when that is done"
        )


class Turns:
    def __init__(self, queues: Iterable[str]) -> None:
        self._locks = {name: Lock() for name in queues}

    @contextmanager
    def of(self, queue: str) -> Iterator[None]:
        """Have a queue for oneself, if there is such a one. Raises Busy."""
        lock = self._locks.get(queue)
        if lock is None:
            yield
            return
        if not lock.acquire(timeout=ACT_WITHIN):
            raise Busy(queue)
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def of_all_free(self) -> Iterator[frozenset[str]]:
        """Have all queues that nobody else is at, or not for long; yields their names."""
        deadline = monotonic() + LOOK_WITHIN
        with ExitStack() as held:
            free: set[str] = set()
            for name, lock in self._locks.items():
                if lock.acquire(timeout=max(0, deadline - monotonic())):
                    held.callback(lock.release)
                    free.add(name)
            yield frozenset(free)
