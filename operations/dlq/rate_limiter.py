"""A rate limit in messages a second, without bursts."""

import time
from collections.abc import Callable

SLICE = 5.0
"""Seconds between looks at what else is due, in a long wait."""


class RateLimiter:
    """Lets `rate` messages pass a second. `wait` and `now` are seconds, and arguments for tests."""

    def __init__(
        self,
        rate: float,
        *,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._rate, self._now, self._wait = rate, now, wait
        self._free_at = now()

    @property
    def most(self) -> int:
        """How many may pass together, so that a slow rate is not a burst and a long pause."""
        return max(1, int(self._rate))

    def acquire(self, count: int, meanwhile: Callable[[], object]) -> None:
        """Wait until `count` messages may pass; calls `meanwhile` every few seconds of it."""
        while (left := self._free_at - self._now()) > 0:
            self._wait(min(left, SLICE))
            meanwhile()
        self._free_at = max(self._free_at, self._now()) + count / self._rate
