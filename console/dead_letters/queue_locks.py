"""One request at a time in a dead-letter queue: what one leases, another would not find there."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock
from time import monotonic

from operations.errors import OperatorError


class Busy(OperatorError):
    """Another request is using the queue."""

    def __init__(self, queue: str) -> None:
        super().__init__(f"another console request is using {queue}; retry")


class QueueLocks:
    """A list waits `list_seconds` for all of `queues`, an action `action_seconds` for its own."""

    def __init__(
        self, queues: Iterable[str], *, list_seconds: float = 1.0, action_seconds: float = 30.0
    ) -> None:
        self._locks = {name: Lock() for name in queues}
        self._list_seconds, self._action_seconds = list_seconds, action_seconds

    @contextmanager
    def exclusive(self, queue: str) -> Iterator[None]:
        """Lock a queue. Raises Busy."""
        lock = self._locks[queue]
        if not lock.acquire(timeout=self._action_seconds):
            raise Busy(queue)
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def idle(self) -> Iterator[frozenset[str]]:
        """Lock all queues that no other request uses, or not for long; yields their names."""
        deadline = monotonic() + self._list_seconds
        with ExitStack() as held:
            idle: set[str] = set()
            for name, lock in self._locks.items():
                if lock.acquire(timeout=max(0, deadline - monotonic())):
                    held.callback(lock.release)
                    idle.add(name)
            yield frozenset(idle)
