"""The wait between two reads of a stream: short while it has rows, long once it is quiet."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from time import monotonic

QUIET_AFTER = 10.0
"""Seconds without a row after which a stream counts as quiet."""


@dataclass
class PollInterval:
    """The seconds to wait after each read.

    A read costs a core 2 ms, nearly all of it boto3's. Twenty a second, which let an event wait
    25 ms in the mean, would keep an idle relay at 4 % of a core.
    """

    busy: float
    quiet: float
    elapsed: Callable[[], float] = monotonic
    _received_at: float = field(default=-inf, init=False)

    def next(self, *, received: bool) -> float:
        """The wait after a read: none if it received rows, since there may be more."""
        if received:
            self._received_at = self.elapsed()
            return 0.0
        is_quiet = self.elapsed() - self._received_at > QUIET_AFTER
        return self.quiet if is_quiet else self.busy
