"""The age of the oldest row: never too young, falling as the oldest leave."""

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from prometheus_client import Gauge
from structlog.testing import capture_logs

from relay.backlog_gauges import SHORTEST_WAIT, BacklogGauges
from relay.ports import RelayAdapters
from relay.sweeper import Backlog
from relay.window import Window
from runtime.metrics import RelayMetrics, new_registry
from runtime.outbox.ports import Outbox
from runtime.outbox.rows import EVER
from runtime.outbox.stats import OutboxStats
from runtime.process.shutdown import Stop
from tests.builders import START
from tests.relay_fakes import MemoryDeadLetters, MemoryTarget, away, row_of

HOUR = timedelta(hours=1)
INTERVAL = timedelta(seconds=30)


@dataclass
class Pages:
    """An outbox of which only the times of its rows are known, page by page."""

    pages: list[list[datetime]] = field(default_factory=list)
    is_away: bool = False
    undated: int = 0

    def stats(self, before: datetime = EVER, **_: Any) -> OutboxStats:
        if self.is_away:
            raise away()
        times = [each for page in self.pages for each in page]
        return OutboxStats.of([*times, *[None] * self.undated], before)


class Looking:
    """Gauges over pages and a window, with a clock of the test's own."""

    def __init__(self) -> None:
        self.outbox, self.stop = Pages(), Stop()
        self.window = Window(max_rows=10, max_bytes=10_000)
        self.metrics, self.now = RelayMetrics(new_registry()), START
        backlog = Backlog(
            RelayAdapters(cast("Outbox", self.outbox), MemoryTarget(), MemoryDeadLetters()),
            self.window,
            stop=self.stop,
            metrics=self.metrics,
            now=lambda: self.now,
            min_age=INTERVAL,
            interval=INTERVAL,
        )
        self.gauges = BacklogGauges(backlog)

    def at(self, *pages: list[datetime], undated: int = 0) -> None:
        """Look at an outbox with these rows."""
        self.outbox.pages, self.outbox.undated = list(pages), undated
        self.gauges.look()

    @property
    def gauge(self) -> float:
        return value_of(self.metrics.oldest)

    @property
    def depth(self) -> float:
        return value_of(self.metrics.depth)


def value_of(gauge: Gauge) -> float:
    ((sample,),) = [metric.samples for metric in gauge.collect()]
    return sample.value


@pytest.fixture
def looking() -> Looking:
    return Looking()


def test_nothing_is_said_before_the_first_look_is_complete(looking: Looking) -> None:
    """Not 0: that would say that all is well."""
    looking.outbox.is_away = True
    with capture_logs():
        assert looking.gauges.look() == SHORTEST_WAIT
    assert math.isnan(looking.gauge)
    looking.outbox.is_away = False
    looking.gauges.look()
    assert looking.gauge == 0


def test_the_oldest_of_all_pages_counts_wherever_it_stands(looking: Looking) -> None:
    """And it grows older with the clock while nobody looks; an outage changes nothing."""
    looking.at([START - HOUR], [], [START - 9 * HOUR, START - HOUR])
    assert looking.gauge == 9 * 3600
    looking.now += HOUR
    looking.outbox.is_away = True
    with capture_logs():
        looking.gauges.look()
    assert looking.gauge == 10 * 3600


def test_each_look_that_finds_something_writes_the_line_that_an_alarm_reads(
    looking: Looking,
) -> None:
    """Also while a sweep waits for room and writes none; an outbox without old rows is silent."""
    looking.outbox.pages = [[START - HOUR]]
    with capture_logs() as lines:
        looking.gauges.look()
        looking.at()
    assert [(line["event"], line["oldestAgeSeconds"]) for line in lines] == [("left behind", 3600)]


def test_it_falls_when_a_look_finds_the_oldest_gone(looking: Looking) -> None:
    """Step by step, and to 0 with the last."""
    looking.at([START - 2 * HOUR], [START - HOUR])
    looking.at([START - HOUR])
    assert looking.gauge == 3600
    looking.at()
    assert looking.gauge == 0


def test_what_is_in_the_window_counts_at_once(looking: Looking) -> None:
    """Rows that a look passes over, because they are the stream's to tell, and that are held up."""
    looking.at([START])
    row = row_of("a", 1, occurred_at=START)
    looking.window.offer([row])
    looking.now += timedelta(seconds=20)
    assert looking.gauge == 20
    looking.window.remove([row])
    assert looking.gauge == 0


def test_looks_are_rare_at_what_is_empty_and_at_what_is_large(looking: Looking) -> None:
    """Seldom where nothing is, soon where something was left, never more often than that."""
    assert looking.gauges.look() == INTERVAL.total_seconds()
    looking.outbox.pages = [[START - HOUR]]
    assert looking.gauges.look() == SHORTEST_WAIT


def test_a_stop_ends_a_look_at_the_next_page(looking: Looking) -> None:
    """What it had seen by then is not taken for all there is."""
    looking.outbox.pages = [[START - HOUR], [START - 9 * HOUR]]
    looking.stop.request()
    looking.gauges.run()
    looking.gauges.look()
    assert math.isnan(looking.gauge)


def test_the_depth_is_what_was_left_behind_and_what_is_younger_in_hand(looking: Looking) -> None:
    """A row that the look has found and a sweep took up counts once; one that is new counts too."""
    with capture_logs():
        looking.outbox.pages = [[START - HOUR], [], [START - 9 * HOUR, START - HOUR]]
        assert math.isnan(looking.depth)
        looking.gauges.look()
    assert looking.depth == 3
    found, new = row_of("a", 1, occurred_at=START - HOUR), row_of("b", 1, occurred_at=START)
    looking.window.offer([found], swept=True)
    assert looking.depth == 3
    looking.window.offer([new])
    assert looking.depth == 4
    looking.window.remove([found, new])
    assert looking.depth == 3
    looking.at()
    assert looking.depth == 0


def test_a_row_whose_time_cannot_be_read_ages_from_the_look_that_found_it(looking: Looking) -> None:
    """It counts in the depth, and is never too young for what is known; gone, it is forgotten."""
    looking.at(undated=2)
    assert (looking.depth, looking.gauge) == (2, 0)
    looking.now += HOUR
    assert looking.gauge == HOUR.total_seconds()
    looking.at(undated=1)
    assert (looking.depth, looking.gauge) == (1, HOUR.total_seconds())
    looking.at(undated=0)
    assert (looking.depth, looking.gauge) == (0, 0)
    looking.at(undated=1)
    assert looking.gauge == 0


def test_an_older_row_whose_time_can_be_read_is_the_oldest(looking: Looking) -> None:
    """The gauge is the age of the oldest of both kinds."""
    looking.at([START - 2 * HOUR], undated=1)
    assert looking.gauge == 2 * HOUR.total_seconds()
