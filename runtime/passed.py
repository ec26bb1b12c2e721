"""Which calls pass for others while one piece of work fails: then it is poison, no outage."""

import threading
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Call = tuple[str, str]
"""A dependency, and what was asked of it."""

_noted: ContextVar[set[Call] | None] = ContextVar("noted", default=None)


def note(dependency: str, call: str) -> None:
    """Say that a call passed; it counts for the work that this thread is at, if for any."""
    noted = _noted.get()
    if noted is not None:
        noted.add((dependency, call))


class Passed:
    """Counts, for each call, the pieces of work for which it passed. For any number of threads."""

    def __init__(self) -> None:
        self._counts: Counter[Call] = Counter()
        self._overcome: Counter[Hashable] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Count what passes in this block, once for each call."""
        calls: set[Call] = set()
        token = _noted.set(calls)
        try:
            yield
        finally:
            _noted.reset(token)
            with self._lock:
                self._counts.update(calls)

    def count(self, call: Call) -> int:
        with self._lock:
            return self._counts[call]

    def overcame(self, calls: Iterable[Hashable]) -> None:
        """Say that a piece of work has passed for which these calls had failed before."""
        with self._lock:
            self._overcome.update(calls)

    def overcome(self, call: Call) -> int:
        """The pieces of work for which it failed first, and passed in the end."""
        with self._lock:
            return self._overcome[call]
