"""Follows a stream from its end on, and rings for a sweep whenever it had to start there."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

import structlog

from relay.ports import LostPlace, Stream
from relay.sweeper import Sweeper
from relay.window import Window
from runtime.errors import Unavailable
from runtime.outbox.rows import Row
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.retry import backoff

log = structlog.get_logger(__name__)

PART = "stream"

MAX_LAG = timedelta(seconds=30)
"""How far behind a tail goes on; the age at which rows are the sweep's by default, too."""


def _unmeasured(_: float) -> None:
    """Nobody asks how far behind it is."""


class Tail:
    """Offers the window what the stream tells. It keeps no position: losing its place is no loss.

    Whatever was committed before the stream was opened is in the outbox, if it is not published,
    and the sweep that follows each opening finds it there. So a tail that has fallen behind by
    `max_lag`, after an outage or under a burst, opens at the end as well: rows of that age are the
    sweep's, and what it has delivered since must not be told once more.

    `lag` is told, of each row whose time can be read, the seconds between its occurrence and its
    reading; of nothing while the stream tells nothing.
    """

    def __init__(
        self,
        stream: Stream,
        sweeper: Sweeper,
        window: Window,
        *,
        stop: Stop,
        readiness: Readiness,
        now: Callable[[], datetime],
        max_lag: timedelta = MAX_LAG,
        lag: Callable[[float], object] = _unmeasured,
    ) -> None:
        self._stream, self._sweeper, self._window = stream, sweeper, window
        self._stop, self._readiness, self._now = stop, readiness, now
        self._max_lag, self._lag = max_lag, lag

    def run(self) -> None:
        """Follow the stream until a stop is requested, through every outage."""
        failures = 0
        is_open = False
        while not self._stop.requested:
            try:
                if not is_open:
                    self._stream.open()
                    self._sweeper.ask(before=self._now())
                    is_open = True
                    self._readiness.up(PART)
                self._window.offer(self._young(self._stream.read()))
                self._readiness.up(PART)
                failures = 0
            except LostPlace as error:
                failures += 1
                log.warning("lost the stream's place: opening at its end", reason=str(error))
                is_open = False
                self._stop.wait(backoff(failures, first=0.05, longest=5))
            except Unavailable as error:
                failures += 1
                log.warning("stream unavailable", reason=str(error))
                self._readiness.down(PART, str(error))
                self._stop.wait(backoff(failures, first=0.1, longest=5))

    def _young(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            if row.occurred_at:
                behind = self._now() - row.occurred_at
                self._lag(max(0.0, behind.total_seconds()))
                if behind > self._max_lag:
                    raise LostPlace(f"it is {self._max_lag.total_seconds():g} s behind")
            yield row
