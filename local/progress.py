"""Whether something still moves: a bound on waiting that every sign of life pushes further away."""

import time
from collections.abc import Callable, Hashable

WORK, MOST_WORK = 0.25, 60.0
"""Seconds of CPU time that are a sign of life, and up to which; a start takes 2."""


class SignsOfLife:
    """Since when nothing new was seen.

    To and fro between two states is no progress: each state counts once.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: set[Hashable] = set()
        self._since = now()

    def see(self, state: Hashable) -> None:
        """Take a state that was not seen before for a sign of life."""
        if state not in self._seen:
            self._seen.add(state)
            self.sign()

    def see_work(self, cpu_seconds: float) -> None:
        """Take CPU time for a sign of life, but not of one that only turns in a circle.

        Where twenty want a processor, the imports of a start take a minute without any line.
        """
        if cpu_seconds < MOST_WORK:
            self.see(("work", int(cpu_seconds / WORK)))

    def sign(self) -> None:
        self._since = self._now()

    def silence(self) -> float:
        """Seconds since the last sign of life, or since this was made."""
        return self._now() - self._since
