"""Does things when their time has come, in one thread, however many there are."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from threading import Condition
from time import monotonic

Act = Callable[[], object]


class Later:
    """Call it with a delay in seconds and what is to be done then."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._acts: list[tuple[float, int, Act]] = []
        self._numbers = count()
        self._is_closed = False

    def __call__(self, seconds: float, act: Act) -> None:
        with self._changed:
            heappush(self._acts, (monotonic() + seconds, next(self._numbers), act))
            self._changed.notify()

    def run(self) -> None:
        """Do each when it is due, until it is closed; what is not due then is not done."""
        while (act := self._next()) is not None:
            act()

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def _next(self) -> Act | None:
        with self._changed:
            while not self._is_closed:
                wait = self._acts[0][0] - monotonic() if self._acts else None
                if wait is not None and wait <= 0:
                    return heappop(self._acts)[2]
                self._changed.wait(wait)
        return None
