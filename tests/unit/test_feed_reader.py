"""The feed reader: it offers what it reads, and requests a sweep whenever rows may be missing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import pytest

from relay.feed_reader import PART, FeedReader
from relay.ports import LostPosition, RelayAdapters
from relay.sweeper import Backlog, Sweeper
from relay.window import Window
from runtime.ids import utc_now
from runtime.metrics import RelayMetrics, new_registry
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from tests.relay_fakes import (
    MemoryDeadLetters,
    MemoryOutbox,
    MemoryTarget,
    ScriptedFeed,
    away,
    poison,
    row_of,
)
from tests.threads import beside
from verification.testkit.waiting import eventually


@dataclass
class Reading:
    """A reader over a fake feed. `events` is what it did, in order."""

    max_rows: int = 1000
    feed: ScriptedFeed = field(default_factory=ScriptedFeed)
    stop: Stop = field(default_factory=Stop)
    readiness: Readiness = field(default_factory=lambda: Readiness(PART))
    events: list[tuple[str, datetime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.window = Window(max_rows=self.max_rows, max_bytes=16_000_000)
        backlog = Backlog(
            RelayAdapters(MemoryOutbox(), MemoryTarget(), MemoryDeadLetters()),
            self.window,
            stop=self.stop,
            metrics=RelayMetrics(new_registry()),
            now=utc_now,
            min_age=timedelta(seconds=30),
            interval=timedelta(seconds=30),
        )
        sweeper = RecordingSweeper(backlog)
        sweeper.events = self.events
        self.feed.on_open = lambda: self.events.append(("open", utc_now()))
        self.reader = FeedReader(
            self.feed,
            sweeper,
            self.window,
            stop=self.stop,
            readiness=self.readiness,
            now=utc_now,
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        with beside(self.reader.run, self.stop.request, self.window.close):
            yield

    def names(self) -> list[str]:
        return [name for name, _ in self.events]


class RecordingSweeper(Sweeper):
    """Remembers for which moments a sweep was requested."""

    events: list[tuple[str, datetime]]

    def request(self, *, before: datetime) -> None:
        self.events.append(("sweep", before))
        super().request(before=before)


pytestmark = pytest.mark.usefixtures("quiet")


def test_opens_then_requests_a_sweep_up_to_then() -> None:
    """Between the two nothing can fall: the sweep's moment is later than the opening."""
    reading = Reading()
    with reading.running():
        eventually(lambda: not reading.readiness.reasons(), what="readiness")
    assert reading.names() == ["open", "sweep"]
    (_, opened), (_, before) = reading.events
    assert before >= opened


def test_what_the_feed_delivers_is_in_the_window() -> None:
    """Rows arrive in the order in which they were delivered."""
    reading = Reading()
    reading.feed.deliver(row_of("a", 1), row_of("b", 1), row_of("a", 2))
    with reading.running():
        eventually(lambda: len(reading.window) == 3, what="three rows")
        batch = reading.window.take(MemoryTarget())
    assert [row.key for row in batch] == [("a", 1), ("b", 1)]


def test_a_lost_position_is_opened_again_and_swept() -> None:
    """What was committed in between is the sweep's: it is requested after each opening."""
    reading = Reading()
    reading.feed.deliver(
        LostPosition("trimmed"), row_of("a", 1), LostPosition("expired"), row_of("b", 1)
    )
    with reading.running():
        eventually(lambda: len(reading.window) == 2, what="both rows")
    assert reading.names() == ["open", "sweep"] * 3


def test_an_outage_keeps_the_position_and_shows_as_unready() -> None:
    """A read that fails is tried again without opening; /readyz says so meanwhile."""
    reading = Reading()
    unready = threading.Event()
    down = reading.readiness.down

    def noticed(part: str, reason: str) -> None:
        down(part, reason)
        unready.set()

    reading.readiness.down = noticed  # type: ignore[method-assign]
    reading.feed.deliver(row_of("a", 1), away(), away(), row_of("b", 1))
    with reading.running():
        eventually(lambda: len(reading.window) == 2, what="both rows")
        eventually(lambda: not reading.readiness.reasons(), what="readiness")
    assert unready.is_set()
    assert reading.names() == ["open", "sweep"]


def test_a_stream_that_cannot_be_opened_is_tried_again() -> None:
    """No sweep is requested before an opening that worked, or rows could be missed."""
    reading = Reading()
    tries = count(1)

    def on_open() -> None:
        if next(tries) < 3:
            raise away()
        reading.events.append(("open", utc_now()))

    reading.feed.on_open = on_open
    with reading.running():
        eventually(lambda: not reading.readiness.reasons(), what="readiness")
    assert reading.names() == ["open", "sweep"]
    assert reading.feed.opened == 3


def test_a_position_that_is_lost_again_and_again_is_not_hammered() -> None:
    """Openings back off when each of them is lost at once."""
    reading = Reading()
    reading.feed.deliver(*(LostPosition("no such shard") for _ in range(1000)))
    with reading.running():
        eventually(lambda: reading.feed.opened >= 4, what="a few openings")
        assert reading.feed.opened < 20


def test_a_reader_that_is_far_behind_leaves_the_backlog_to_the_sweep() -> None:
    """Rows as old as the sweep's are not offered: the sweep may have published them long since."""
    reading = Reading()
    old = row_of("old", 1, occurred_at=utc_now() - timedelta(minutes=5))
    reading.feed.deliver(row_of("a", 1), old, row_of("b", 1))
    with reading.running():
        eventually(lambda: len(reading.window) == 2, what="the two young rows")
        assert {row.aggregate_id for row in reading.window.take(MemoryTarget())} == {"a", "b"}
    assert reading.names() == ["open", "sweep"] * 2


def test_a_full_window_holds_the_reader_and_a_stop_ends_the_wait() -> None:
    """It reads no further than the window takes, so a burst cannot fill the memory."""
    reading = Reading(max_rows=3)
    reading.feed.deliver(*(row_of("a", n) for n in range(100)))
    with reading.running():
        eventually(lambda: len(reading.window) == 3, what="a full window")
        assert len(reading.feed.pending) >= 96


@pytest.mark.parametrize(("ago", "lag"), [(20, 20), (300, 300), (-300, 0)])
def test_the_lag_is_that_of_the_last_row_whose_time_can_be_read(ago: int, lag: int) -> None:
    """Also of one that is too far behind to go on, or ahead of this clock."""
    reading = Reading()
    assert reading.reader.lag == 0
    row = row_of("a", 1, occurred_at=utc_now() - timedelta(seconds=ago))
    reading.feed.deliver(row_of("b", 1, occurred_at=utc_now() - timedelta(seconds=1)), row)
    reading.feed.deliver(poison("c", 1))
    with reading.running():
        eventually(lambda: not reading.feed.pending, what="a feed that was read")
        eventually(lambda: abs(reading.reader.lag - lag) < 5, what=f"a lag of {lag} s")
