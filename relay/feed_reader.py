"""Reads a change feed from LATEST on, and requests a sweep whenever it had to start there."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

import structlog

from relay.ports import ChangeFeed, LostPosition
from relay.sweeper import Sweeper
from relay.window import Window
from runtime.errors import Unavailable
from runtime.outbox.rows import Row
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.retry import backoff

log = structlog.get_logger(__name__)

PART = "stream"
"""What /readyz calls it."""

MAX_LAG = timedelta(seconds=30)
"""How far behind reading goes on; the age at which rows are the sweep's by default, too."""


class FeedReader:
    """Offers the window what the feed delivers. It stores no position: losing it is no loss.

    What was committed before the feed was opened is in the outbox, if it is not published, and the
    sweep that follows each opening finds it there. So a reader that has fallen behind by MAX_LAG,
    after an outage or under a burst, opens at LATEST as well: rows of that age are the sweep's, and
    what it has published since must not be read once more.

    `lag` is how many seconds the last row, of those whose time can be read, was read after it
    occurred; 0 before the first.
    """

    def __init__(
        self,
        feed: ChangeFeed,
        sweeper: Sweeper,
        window: Window,
        *,
        stop: Stop,
        readiness: Readiness,
        now: Callable[[], datetime],
    ) -> None:
        self._feed, self._sweeper, self._window = feed, sweeper, window
        self._stop, self._readiness, self._now = stop, readiness, now
        self.lag = 0.0

    def run(self) -> None:
        """Read until a stop is requested, through every outage."""
        failures = 0
        is_open = False
        while not self._stop.requested:
            try:
                if not is_open:
                    self._feed.open()
                    self._sweeper.request(before=self._now())
                    is_open = True
                    self._readiness.up(PART)
                self._window.offer(self._young(self._feed.read()))
                self._readiness.up(PART)
                failures = 0
            except LostPosition as error:
                failures += 1
                log.warning("lost the stream position: opening at LATEST", reason=str(error))
                is_open = False
                self._stop.wait(backoff(failures, first=0.05, longest=5))
            except Unavailable as error:
                failures += 1
                log.warning("stream unavailable", reason=str(error))
                self._readiness.down(PART, str(error))
                self._stop.wait(backoff(failures, first=0.1, longest=5))

    def _young(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            if occurred := row.occurred_at:
                behind = self._now() - occurred
                self.lag = max(0.0, behind.total_seconds())
                if behind > MAX_LAG:
                    raise LostPosition(f"it is {MAX_LAG.total_seconds():g} s behind")
            yield row
