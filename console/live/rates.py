"""Counts by the second, of the last ten: memory does not grow with what is counted."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from time import monotonic

WINDOW = 10
"""Seconds."""


class Rates:
    """Counts by key; the running second counts when it is over. `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seconds: deque[tuple[int, Counter[str]]] = deque(maxlen=WINDOW + 1)

    def count(self, keys: Iterable[str], weight: int = 1) -> None:
        """Count something that represents `weight` of its kind."""
        with self._lock:
            counted = self._counter_of(int(self._clock()))
            for key in keys:
                counted[key] += weight

    def _counter_of(self, second: int) -> Counter[str]:
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append((second, Counter()))
        return self._seconds[-1][1]

    def per_second(self, over: int = WINDOW) -> dict[str, float]:
        """Average the last `over` whole seconds; what did not happen is not in it."""
        now = int(self._clock())
        total: Counter[str] = Counter()
        with self._lock:
            for second, counted in self._seconds:
                if now - over <= second < now:
                    total.update(counted)
        return {key: round(count / over, 2) for key, count in total.items()}
