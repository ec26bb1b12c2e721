"""The tail: it rings for what it hears, and for a sweep whenever it may have missed something."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import pytest

from relay.feed_reader import PART, Tail
from relay.ports import LostPlace
from relay.sweeper import Sweeper
from relay.window import Window
from runtime.ids import utc_now
from runtime.metrics import RelayMetrics, new_registry
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from tests.relay_fakes import MemoryOutbox, MemoryStream, MemoryTarget, away, poison, row_of
from verification.testkit.waiting import eventually


@dataclass
class Tailing:
    """A tail over a fake stream. `events` is what it did, in order."""

    max_rows: int = 1000
    stream: MemoryStream = field(default_factory=MemoryStream)
    stop: Stop = field(default_factory=Stop)
    readiness: Readiness = field(default_factory=lambda: Readiness(PART))
    events: list[tuple[str, datetime]] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.window = Window(max_rows=self.max_rows, max_bytes=16_000_000)
        sweeper = RecordingSweeper(
            MemoryOutbox(),
            self.window,
            stop=self.stop,
            metrics=RelayMetrics(new_registry()),
            now=utc_now,
            min_age=timedelta(seconds=30),
            interval=timedelta(seconds=30),
        )
        sweeper.events = self.events
        self.stream.on_open = lambda: self.events.append(("open", utc_now()))
        self.tail = Tail(
            self.stream,
            sweeper,
            self.window,
            stop=self.stop,
            readiness=self.readiness,
            now=utc_now,
            lag=self.lags.append,
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.tail.run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.stop.request()
            self.window.close()
            thread.join(timeout=60)
            assert not thread.is_alive(), "the tail did not stop"

    def names(self) -> list[str]:
        return [name for name, _ in self.events]


class RecordingSweeper(Sweeper):
    """Remembers for which moments it was asked."""

    events: list[tuple[str, datetime]]

    def ask(self, *, before: datetime) -> None:
        self.events.append(("sweep", before))
        super().ask(before=before)


pytestmark = pytest.mark.usefixtures("quiet")


def test_opens_then_asks_for_a_sweep_up_to_then() -> None:
    """Between the two nothing can fall: the sweep's moment is later than the opening."""
    tailing = Tailing()
    with tailing.running():
        eventually(lambda: not tailing.readiness.reasons(), what="readiness")
    assert tailing.names() == ["open", "sweep"]
    (_, opened), (_, before) = tailing.events
    assert before >= opened


def test_what_the_stream_tells_is_in_the_window() -> None:
    """Rows arrive in the order in which they were told."""
    tailing = Tailing()
    tailing.stream.tell(row_of("a", 1), row_of("b", 1), row_of("a", 2))
    with tailing.running():
        eventually(lambda: len(tailing.window) == 3, what="three rows")
        batch = tailing.window.take(MemoryTarget())
    assert [row.key for row in batch] == [("a", 1), ("b", 1)]


def test_a_lost_place_is_opened_anew_and_swept() -> None:
    """What was committed in between is the sweep's: it is asked after each opening."""
    tailing = Tailing()
    tailing.stream.tell(LostPlace("trimmed"), row_of("a", 1), LostPlace("expired"), row_of("b", 1))
    with tailing.running():
        eventually(lambda: len(tailing.window) == 2, what="both rows")
    assert tailing.names() == ["open", "sweep"] * 3


def test_an_outage_keeps_the_place_and_shows_as_unready() -> None:
    """A read that fails is tried again without opening; /readyz says so meanwhile."""
    tailing = Tailing()
    unready = threading.Event()
    down = tailing.readiness.down

    def noticed(part: str, reason: str) -> None:
        down(part, reason)
        unready.set()

    tailing.readiness.down = noticed  # type: ignore[method-assign]
    tailing.stream.tell(row_of("a", 1), away(), away(), row_of("b", 1))
    with tailing.running():
        eventually(lambda: len(tailing.window) == 2, what="both rows")
        eventually(lambda: not tailing.readiness.reasons(), what="readiness")
    assert unready.is_set()
    assert tailing.names() == ["open", "sweep"]


def test_a_stream_that_cannot_be_opened_is_tried_again() -> None:
    """No sweep is asked for before an opening that worked, or the gap would be open again."""
    tailing = Tailing()
    tries = count(1)

    def on_open() -> None:
        if next(tries) < 3:
            raise away()
        tailing.events.append(("open", utc_now()))

    tailing.stream.on_open = on_open
    with tailing.running():
        eventually(lambda: not tailing.readiness.reasons(), what="readiness")
    assert tailing.names() == ["open", "sweep"]
    assert tailing.stream.opened == 3


def test_a_place_that_is_lost_again_and_again_is_not_hammered() -> None:
    """Openings back off when each of them is lost at once."""
    tailing = Tailing()
    tailing.stream.tell(*(LostPlace("no such shard") for _ in range(1000)))
    with tailing.running():
        eventually(lambda: tailing.stream.opened >= 4, what="a few openings")
        assert tailing.stream.opened < 20


def test_a_tail_that_is_far_behind_leaves_the_backlog_to_the_sweep() -> None:
    """Rows as old as the sweep's are not told: the sweep may have delivered them long since."""
    tailing = Tailing()
    old = row_of("old", 1, occurred_at=utc_now() - timedelta(minutes=5))
    tailing.stream.tell(row_of("a", 1), old, row_of("b", 1))
    with tailing.running():
        eventually(lambda: len(tailing.window) == 2, what="the two young rows")
        assert {row.aggregate_id for row in tailing.window.take(MemoryTarget())} == {"a", "b"}
    assert tailing.names() == ["open", "sweep"] * 2


def test_a_full_window_holds_the_tail_and_a_stop_lets_it_go() -> None:
    """The tail reads no further than the window takes, so a burst cannot fill the memory."""
    tailing = Tailing(max_rows=3)
    tailing.stream.tell(*(row_of("a", n) for n in range(100)))
    with tailing.running():
        eventually(lambda: len(tailing.window) == 3, what="a full window")
        assert len(tailing.stream.told) >= 96


def test_how_far_behind_it_is_is_told_of_each_row() -> None:
    """Also of the row that is too far behind to go on, and of none whose time cannot be read."""
    tailing = Tailing()
    late = row_of("late", 1, occurred_at=utc_now() - timedelta(seconds=20))
    too_late = row_of("old", 1, occurred_at=utc_now() - timedelta(minutes=5))
    ahead = row_of("ahead", 1, occurred_at=utc_now() + timedelta(minutes=5))
    tailing.stream.tell(poison("a", 1), late, too_late, ahead)
    with tailing.running():
        eventually(lambda: len(tailing.lags) == 3, what="three rows with a time")
    assert tailing.lags == [pytest.approx(20, abs=5), pytest.approx(300, abs=5), 0.0]
