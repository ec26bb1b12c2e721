"""How often a stream is looked at: often while it tells something, rarely once it is quiet."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

QUIET_AFTER = 10.0
"""Seconds since the stream last told something from which on it counts as quiet."""


@dataclass
class Pace:
    """Tells the seconds to wait after each look.

    A look costs a core 2 ms, nearly all of it boto3's. Twenty a second, which let an event wait
    25 ms in the mean, would keep an idle relay at 4 % of a core.
    """

    busy: float
    quiet: float
    elapsed: Callable[[], float] = monotonic
    _told_at: float | None = field(default=None, init=False)

    def after(self, *, told: bool) -> float:
        """The wait after a look: none if it told something, since there may be more."""
        if told:
            self._told_at = self.elapsed()
            return 0.0
        if self._told_at is None or self.elapsed() - self._told_at > QUIET_AFTER:
            return self.quiet
        return self.busy
