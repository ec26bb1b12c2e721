"""The sweeper: what stayed in the outbox is offered, page by page, and memory stays bounded."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from relay.pipeline import Pipeline
from relay.ports import RelayAdapters
from relay.sweeper import Backlog, Sweeper
from relay.window import Window
from runtime.ids import utc_now
from runtime.metrics import RelayMetrics, new_registry
from runtime.outbox.ports import Outbox
from runtime.process.shutdown import Stop
from tests.relay_fakes import (
    LazyOutbox,
    MemoryDeadLetters,
    MemoryOutbox,
    MemoryTarget,
    away,
    failing,
    poison,
    row_of,
)
from tests.threads import beside
from verification.testkit.waiting import eventually

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[Any]]:
    """What was logged."""
    with capture_logs() as lines:
        yield lines


class Sweeping:
    """A sweeper over an outbox, and what it needs."""

    def __init__(
        self,
        outbox: Outbox,
        *,
        max_rows: int = 1000,
        min_age: timedelta = HOUR,
        interval: timedelta = HOUR,
        is_crowded: Callable[[], bool] = lambda: False,
    ) -> None:
        self.stop, self.metrics = Stop(), RelayMetrics(new_registry())
        self.window = Window(max_rows=max_rows, max_bytes=16_000_000)
        backlog = Backlog(
            RelayAdapters(outbox, MemoryTarget(), MemoryDeadLetters(), is_crowded=is_crowded),
            self.window,
            stop=self.stop,
            metrics=self.metrics,
            now=utc_now,
            min_age=min_age,
            interval=interval,
        )
        self.sweeper = Sweeper(backlog)

    @contextmanager
    def running(self) -> Iterator[None]:
        with beside(self.sweeper.run, self.stop.request, self.window.close):
            yield


def test_offers_what_is_older_than_the_moment() -> None:
    """Younger rows are left to the feed; a row whose time cannot be read is old."""
    outbox = MemoryOutbox(page=2)
    now = utc_now()
    outbox.put(*(row_of("old", n, occurred_at=now - HOUR) for n in (1, 2, 3)))
    outbox.put(row_of("young", 1, occurred_at=now + HOUR), poison("broken", 1))
    sweeping = Sweeping(outbox)
    assert sweeping.sweeper.sweep(before=now) == 4
    assert sweeping.sweeper.sweep(before=now) == 0, "they are in the window now"
    taken = [row.key for _ in range(2) for row in sweeping.window.take(MemoryTarget())]
    assert sorted(taken) == [("broken", 1), ("old", 1)]
    assert sweeping.metrics.swept._value.get() == 4


def test_a_sweep_waits_while_the_target_is_crowded() -> None:
    """Nothing is offered until there is room behind the target; a stop ends the waiting."""
    outbox = MemoryOutbox()
    outbox.put(row_of("a", 1, occurred_at=utc_now() - HOUR))
    crowded = [True, True, False]
    sweeping = Sweeping(outbox, is_crowded=lambda: crowded.pop(0))
    assert sweeping.sweeper.sweep(before=utc_now()) == 1
    assert not crowded
    stopped = Sweeping(outbox, is_crowded=lambda: True)
    with stopped.running():
        stopped.sweeper.request(before=utc_now())


def test_a_sweep_that_found_something_logs_how_old_it_was(logged: list[Any]) -> None:
    """Also when it is in the window already: an alarm reads that line. A tidy outbox says nothing.

    The age is in seconds, to a tenth; 0 where no time can be read.
    """
    outbox = MemoryOutbox(page=1)
    sweeping = Sweeping(outbox)
    sweeping.sweeper.sweep(before=utc_now())
    assert not logged
    outbox.put(poison("broken", 1))
    sweeping.sweeper.sweep(before=utc_now())
    outbox.put(*(row_of("a", n, occurred_at=utc_now() - n * HOUR) for n in (2, 1)))
    sweeping.sweeper.sweep(before=utc_now())
    sweeping.sweeper.sweep(before=utc_now())
    ages = [line.pop("oldestAgeSeconds") for line in logged]
    assert logged == [
        {"event": "swept", "log_level": "info", "found": found, "new": new}
        for found, new in ((1, 1), (3, 2), (3, 0))
    ]
    assert ages == [0, pytest.approx(7200, abs=60), pytest.approx(7200, abs=60)]
    assert all(age == round(age, 1) for age in ages)


def test_a_row_that_the_feed_dropped_is_swept_when_it_is_old_enough() -> None:
    """Without a request: the interval alone brings the row, and not before its time."""
    outbox = MemoryOutbox()
    outbox.put(row_of("a", 1))
    sweeping = Sweeping(outbox, min_age=timedelta(seconds=0.3), interval=timedelta(seconds=0.05))
    with sweeping.running():
        eventually(lambda: len(sweeping.window) == 1, what="the row in the window")
    (row,) = outbox.rows.values()
    assert row.occurred_at is not None
    assert utc_now() - row.occurred_at >= timedelta(seconds=0.3)


def test_a_requested_sweep_that_failed_is_tried_again() -> None:
    """The outbox is away at first: the sweep is tried again, for the same moment or a later one."""
    outbox = MemoryOutbox()
    outbox.put(row_of("a", 1, occurred_at=utc_now() - timedelta(seconds=1)))
    outbox.fault = failing([away()])
    sweeping = Sweeping(outbox)
    with sweeping.running():
        sweeping.sweeper.request(before=utc_now())
        eventually(lambda: len(sweeping.window) == 1, what="the row in the window")


def test_a_stop_cuts_a_sweep_short() -> None:
    """A sweep that waits for room returns when the window is closed."""
    outbox = LazyOutbox(10_000, page=100, detail="{}")
    sweeping = Sweeping(outbox, max_rows=20)
    with sweeping.running():
        sweeping.sweeper.request(before=utc_now())
        eventually(lambda: len(sweeping.window) == 10, what="half of the window")
    assert outbox.read <= 200


def test_a_large_backlog_never_fills_the_memory_and_holds_no_newcomer_up() -> None:
    """20 000 rows of 1 KB pass with a window and a page in memory, and new rows pass meanwhile."""
    page, backlog = 500, 20_000
    outbox = LazyOutbox(backlog, page=page, detail=f'{{"text":"{"x" * 700}"}}')
    target = MemoryTarget()
    sweeping = Sweeping(outbox, max_rows=1000)
    pipeline = Pipeline(
        RelayAdapters(outbox, target, MemoryDeadLetters()),
        stop=sweeping.stop,
        metrics=sweeping.metrics,
        window=sweeping.window,
    )
    widest = 0
    waits: list[int] = []
    with beside(pipeline.run, sweeping.stop.request), sweeping.running():
        sweeping.sweeper.request(before=utc_now())
        eventually(lambda: outbox.read, what="the sweep began")
        news = 0
        while outbox.read < backlog:
            widest = max(widest, len(sweeping.window))
            news += 1
            before = len(outbox.deleted)
            sweeping.window.offer([row_of("new", news)])
            eventually(lambda: target.keys.count(("new", news)), what="the newcomer")  # noqa: B023
            waits.append(len(outbox.deleted) - before)
        eventually(lambda: len(outbox.deleted) == backlog + news, what="all deleted", timeout=30)
    assert news >= 2
    assert max(waits) < 10_000, "a newcomer waited for half of the backlog"
    assert widest <= 1000
    assert outbox.most_ahead <= 1000 + 2 * page
    assert len(set(target.keys)) == len(target.keys) == backlog + news


@pytest.mark.parametrize("gaps", [1, 3])
def test_a_page_that_holds_nothing_is_not_the_last(gaps: int) -> None:
    """A scan answers with empty pages and a key to go on from: what is behind them is offered."""
    outbox = MemoryOutbox(page=2, gaps=gaps)
    now = utc_now()
    outbox.put(*(row_of(f"a{n}", 1, occurred_at=now + HOUR) for n in range(4)))
    outbox.put(*(row_of(f"b{n}", 1, occurred_at=now - HOUR) for n in range(4)))
    assert [len(page) for page in outbox.scan(now)] == [*[0] * gaps, 0, 0, 2, 2]
    sweeping = Sweeping(outbox)
    assert sweeping.sweeper.sweep(before=now) == 4
    assert len(sweeping.window) == 4


def test_a_row_that_is_stuck_counts_until_a_sweep_misses_it() -> None:
    """Deleted by hand, or repaired: the next whole sweep finds it gone."""
    outbox = MemoryOutbox()
    outbox.put(poison("a", 1), poison("b", 1))
    sweeping = Sweeping(outbox)
    sweeping.sweeper.sweep(before=utc_now())
    sweeping.window.leave([poison("a", 1), poison("b", 1)])
    sweeping.sweeper.sweep(before=utc_now())
    assert sweeping.window.stuck == {("a", 1), ("b", 1)}
    del outbox.rows["a", 1]
    sweeping.sweeper.sweep(before=utc_now())
    assert sweeping.window.stuck == {("b", 1)}
    sweeping.window.remove([poison("b", 1)])
    assert not sweeping.window.stuck
