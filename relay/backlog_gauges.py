"""Depth and oldest age of an outbox as gauges: accurate during a drain, and during an outage."""

import math
from dataclasses import replace
from datetime import datetime
from time import monotonic

import structlog

from relay.sweeper import Backlog
from runtime.errors import Unavailable
from runtime.outbox.stats import OutboxStats

log = structlog.get_logger(__name__)

SHORTEST_WAIT = 5.0
"""Seconds between looks at an outbox in which something was left behind."""

WAIT_PER_LOOK = 5
"""How many times as long as the last look the next one waits: a look at a large table costs reads.
It never waits longer than a sweep's interval: an alarm must not run dry of lines."""


class BacklogGauges:
    """Looks at all that was left behind, and says at any time how old the oldest of it is.

    A sweep cannot say so: DynamoDB reads its pages in no order, and a sweep that waits for room
    reads none. Between two looks the age grows with the clock, so it may be too old until the next
    one finds the oldest row gone; it is never too young for what a look has found. A row whose time
    cannot be read is as old as the first of the looks that have found such a row one after another.
    """

    def __init__(self, backlog: Backlog) -> None:
        self._outbox, self._window = backlog.adapters.outbox, backlog.window
        self._stop, self._now, self._min_age = backlog.stop, backlog.now, backlog.min_age
        self._interval = backlog.interval.total_seconds()
        self._last: tuple[datetime, OutboxStats] | None = None
        """What occurred before a moment, as the last look found it."""
        self._undated_since: datetime | None = None
        backlog.metrics.oldest.set_function(self.age)
        backlog.metrics.depth.set_function(self.depth)

    def run(self) -> None:
        """Look until a stop is requested."""
        wait = 0.0
        while not self._stop.wait(wait):
            wait = self.look()

    def age(self) -> float:
        """Seconds since the oldest row occurred, of those at the last look and in the window.

        0 without any; NaN, which is no number to compare, before the first look.
        """
        if self._last is None:
            return math.nan
        _, found = self._last
        known = [each for each in (found.oldest, self._window.oldest()) if each]
        return max(0.0, (self._now() - min(known)).total_seconds()) if known else 0.0

    def depth(self) -> float:
        """Rows that were left behind at the last look, and younger ones in the window.

        Never the outbox's own count at this moment: what has left since the look still counts, and
        what is too young for it and was not yet read does not. NaN before the first look.
        """
        if self._last is None:
            return math.nan
        before, found = self._last
        return found.depth + self._window.count_since(before)

    def look(self) -> float:
        """Look at the outbox, all of it; returns the seconds to wait before the next look."""
        started, now = monotonic(), self._now()
        before = now - self._min_age
        try:
            found = self._outbox.stats(before, stopped=lambda: self._stop.requested)
        except Unavailable as error:
            log.warning("cannot read the outbox's depth and age", reason=str(error))
            return min(self._interval, SHORTEST_WAIT)
        if self._stop.requested:
            return 0.0
        self._undated_since = (self._undated_since or now) if found.undated else None
        oldest = min(filter(None, (found.oldest, self._undated_since)), default=None)
        self._last = before, replace(found, oldest=oldest)
        if oldest is None:
            return self._interval
        # An alarm reads this line where the gauge is not scraped; a sweep that waits writes none.
        log.info("left behind", oldestAgeSeconds=round(self.age(), 1))
        return min(self._interval, max(SHORTEST_WAIT, WAIT_PER_LOOK * (monotonic() - started)))
