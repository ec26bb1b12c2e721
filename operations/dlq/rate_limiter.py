"""A rate limit in messages a second, without bursts."""

import time
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

SLICE = 5.0
"""Seconds between looks at what else is due, in a long wait."""


@dataclass
class RateLimiter:
    """Lets `rate` messages pass a second. `wait` and `now` are seconds, and arguments for tests."""

    rate: float
    _: KW_ONLY
    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], object] = time.sleep

    def __post_init__(self) -> None:
        self._free_at = self.now()

    @property
    def most(self) -> int:
        """How many may pass together, so that a slow rate is not a burst and a long pause."""
        return max(1, int(self.rate))

    def acquire(self, count: int, meanwhile: Callable[[], object]) -> None:
        """Wait until `count` messages may pass; calls `meanwhile` every few seconds of it."""
        while (left := self._free_at - self.now()) > 0:
            self.wait(min(left, SLICE))
            meanwhile()
        self._free_at = max(self._free_at, self.now()) + count / self.rate
