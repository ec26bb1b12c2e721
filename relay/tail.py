"""Follows a stream from its end on, and rings for a sweep whenever it had to start there."""

from collections.abc import Callable
from datetime import datetime

import structlog

from relay.rows import LostPlace, Stream
from relay.sweep import Sweeper
from relay.window import Window
from runtime.errors import Unavailable
from runtime.health import Readiness
from runtime.retry import backoff
from runtime.stopping import Stop

log = structlog.get_logger(__name__)

PART = "stream"


class Tail:
    """Offers the window what the stream tells. It keeps no position: losing its place is no loss.

    Whatever was committed before the stream was opened is in the outbox, if it is not published,
    and the sweep that follows each opening finds it there.
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
    ) -> None:
        self._stream, self._sweeper, self._window = stream, sweeper, window
        self._stop, self._readiness, self._now = stop, readiness, now

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
                self._window.offer(self._stream.read())
                self._readiness.up(PART)
                failures = 0
            except LostPlace as error:
                log.warning("lost the stream's place: opening at its end", reason=str(error))
                is_open = False
            except Unavailable as error:
                failures += 1
                log.warning("stream unavailable", reason=str(error))
                self._readiness.down(PART, str(error))
                self._stop.wait(backoff(failures, first=0.1, longest=5))
