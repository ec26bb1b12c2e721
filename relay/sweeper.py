"""Scans the outbox: what stayed in it is offered again, whatever the reason it stayed."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic

import structlog

from relay.ports import RelayAdapters
from relay.window import Window
from runtime.errors import Unavailable
from runtime.metrics import RelayMetrics
from runtime.process.shutdown import Stop
from runtime.retry import backoff

log = structlog.get_logger(__name__)

TICK = 0.25
"""Seconds between checks of whether a sweep is due."""

CROWDED_WAIT = 0.1
"""Seconds between checks of whether the target has room for another page."""


@dataclass(frozen=True)
class Backlog:
    """What may be left behind in an outbox, and where it is offered again.

    Rows that are older than `min_age` are looked for every `interval`; `now` gives their ages.
    """

    adapters: RelayAdapters
    window: Window
    _: KW_ONLY
    stop: Stop
    metrics: RelayMetrics
    now: Callable[[], datetime]
    min_age: timedelta
    interval: timedelta


class Sweeper:
    """Sweeps on request, and every interval for the rows that are old enough.

    Younger rows are left to the change feed. So even a bug in its reader delays an event by no more
    than `min_age` and `interval` together. `elapsed` measures the interval in seconds: a clock that
    is set must not put a sweep off. While the target is crowded by what waits in it, a sweep waits
    too: in a queue, a backlog would wait before all that is new.
    """

    def __init__(self, backlog: Backlog, *, elapsed: Callable[[], float] = monotonic) -> None:
        self._backlog, self._window, self._stop = backlog, backlog.window, backlog.stop
        self._now, self._elapsed = backlog.now, elapsed
        self._interval = backlog.interval.total_seconds()
        self._lock = Lock()
        self._requested: datetime | None = None
        self._due = elapsed() + self._interval
        self._failures = 0

    def request(self, *, before: datetime) -> None:
        """Have everything swept, soon, that occurred before this moment."""
        with self._lock:
            self._requested = before

    def run(self) -> None:
        """Sweep until a stop is requested."""
        while not self._stop.wait(TICK):
            self.sweep_if_due()

    def sweep_if_due(self) -> None:
        """Sweep on request, or if the interval is over; after an outage, wait a while."""
        with self._lock:
            requested, self._requested = self._requested, None
        if requested is None and self._elapsed() < self._due:
            return
        try:
            self.sweep(before=requested or self._now() - self._backlog.min_age)
            self._failures = 0
            self._due = self._elapsed() + self._interval
        except Unavailable as error:
            self._failures += 1
            log.warning("sweep failed", reason=str(error))
            with self._lock:
                self._requested = self._requested or requested
            self._stop.wait(backoff(self._failures, first=0.5, longest=15))

    def sweep(self, *, before: datetime) -> int:
        """Offer every row that occurred before a moment; returns how many were new to the window.

        Reads a page at a time and waits while the window is full, so memory stays bounded
        whatever the backlog. Raises Unavailable.
        """
        started = self._now()
        found = new = 0
        age = 0.0
        oldest: datetime | None = None
        stuck = set(self._window.stuck)
        for rows in self._backlog.adapters.outbox.scan(before):
            if self._stop.requested:
                break
            if not rows:
                continue
            found += len(rows)
            stuck -= {row.key for row in rows}
            times = (oldest, *(row.occurred_at for row in rows))
            oldest = min((when for when in times if when), default=None)
            age = (started - oldest).total_seconds() if oldest else 0.0
            self._wait_for_the_target()
            new += self._window.offer(rows, swept=True)
        else:
            self._window.have_left(stuck)
        self._backlog.metrics.swept.inc(new)
        if found:
            # An alarm reads this line where the gauge is not scraped.
            log.info("swept", found=found, new=new, oldestAgeSeconds=round(age, 1))
        return new

    def _wait_for_the_target(self) -> None:
        try:
            while self._backlog.adapters.is_crowded() and not self._stop.wait(CROWDED_WAIT):
                pass
        except Unavailable as error:
            # No reason to hold rows back: publishing finds out what is away.
            log.warning("target backlog unknown", reason=str(error))
