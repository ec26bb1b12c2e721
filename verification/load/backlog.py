"""A relay that was down for a day: its backlog drains, and new events do not wait for it."""

import math
import time
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from runtime.ids import utc_now
from verification.load.outboxes import (
    FRESH,
    SAMPLED,
    LoadedOutbox,
    LoadedTable,
    a_backlog,
    a_record,
)
from verification.load.queues import TapQueue, event_id_of, tap, untap
from verification.load.report import LoadReport, percentile, spread
from verification.testkit.engines import Engines
from verification.testkit.launcher import LaunchedProcess
from verification.testkit.meanwhile import every
from verification.testkit.waiting import wait_until

MAX_SAMPLED = 10_000
"""Events of a backlog that are looked for on the bus: more in a queue would slow the emulator."""

GAUGE = "outbox_oldest_age_seconds"

PER_SECOND = 10
"""New events during the drain."""

RELAY_MEMORY = 120.0
"""Megabytes that a relay may ever take: it holds a window and a page, whatever the backlog."""

GAUGE_SLACK = 1.5
"""Seconds between a look at the truth and one at the gauge."""

FALLS_WITHIN = 60.0
"""Seconds after the last old row has left in which the gauge must say so."""

ROWS_AHEAD = 2_500
"""Rows of a backlog that may be before a new event: half a window (1 000) and, with a FIFO queue
behind it, the most that a sweep finds in that (500) and the page that it adds (500); a quarter
more, since the emulator is not always as fast as in the mean."""

GRACE = 2.0
"""Seconds that the p99 of new events may take on top of the time for those, on a busy machine."""


@dataclass
class AgeSamples:
    """What the relay said of its oldest row, beside the truth, sample by sample; seconds."""

    samples: list[tuple[float, float, float]] = field(default_factory=list)
    """The gauge, and the truth just before it and just after it."""

    def take(self, relay: LaunchedProcess, outbox: LoadedOutbox) -> bool:
        """Take a sample; False once nothing old is left.

        A gauge that says that it does not know yet is no sample.
        """
        before = _age(outbox.oldest())
        gauge = relay.total(GAUGE)
        after = _age(outbox.oldest())
        if not math.isnan(gauge):
            self.samples.append((gauge, before, after))
        return after > 0

    @property
    def too_young(self) -> float:
        """By how much the gauge was ever below the truth."""
        return max([0.0, *(min(before, after) - gauge for gauge, before, after in self.samples)])

    @property
    def too_old(self) -> float:
        return max([0.0, *(gauge - max(before, after) for gauge, before, after in self.samples)])


@dataclass
class Drain:
    """What was measured; times in seconds, commits in seconds since the epoch by event."""

    sampled: TapQueue
    fresh: TapQueue
    relays: Sequence[LaunchedProcess]
    rows: int
    expected: int
    """Events of the backlog that come to `sampled`."""
    written: dict[str, float] = field(default_factory=dict)
    during: Collection[str] = ()
    """New events that were written while the backlog drained."""
    afterwards: Collection[str] = ()
    ages: AgeSamples = field(default_factory=AgeSamples)
    outbox_seconds: float = 0.0
    bus_seconds: float = 0.0
    gauge_fell: bool = False

    def missing(self, fresh: Collection[str]) -> int:
        """How many of the looked for and of these new events have not come to the bus."""
        return self.expected - len(self.sampled.seen) + len(set(fresh) - self.fresh.came.keys())

    def waits(self, written: Collection[str]) -> list[float]:
        """From commit to bus, of those of these new events that came."""
        came = self.fresh.came
        return [came[each] - self.written[each] for each in written if each in came]


def run(
    engines: Engines, rows: int, kind: type[LoadedOutbox] = LoadedTable, *, calm: float = 5.0
) -> LoadReport:
    """Fill an outbox, start its relay, and watch it drain while new events are written.

    New events go on for `calm` seconds after the backlog, to compare with.
    """
    outbox = kind(engines)
    untap(engines.aws, outbox.bus)
    queues = [tap(engines.aws, outbox.bus, each) for each in (SAMPLED, FRESH)]
    one_in = max(1, rows // MAX_SAMPLED)
    outbox.write(a_backlog(outbox, rows, one_in=one_in))
    with (
        TapQueue(engines.aws, queues[0]).draining() as sampled,
        TapQueue(engines.aws, queues[1]).draining(1) as fresh,
        ExitStack() as stack,
    ):
        relays = [stack.enter_context(engines.running(name)) for name in outbox.workloads]
        drain = Drain(sampled, fresh, relays, rows, len(range(0, rows, one_in)))
        _watch(drain, outbox, kind(engines), calm)
        return _report(drain, outbox)


def _watch(drain: Drain, outbox: LoadedOutbox, news: LoadedOutbox, calm: float) -> None:
    """Write new events until the backlog is on the bus, and a while longer."""

    def write_one() -> None:
        record = a_record(news, str(uuid4()), 1, utc_now(), FRESH)
        news.write([record])
        drain.written[event_id_of(record.aggregate_id, 1)] = record.occurred_at.timestamp()

    relay = drain.relays[0]
    started = time.monotonic()
    with every(1 / PER_SECOND, write_one):
        while drain.ages.take(relay, outbox):
            time.sleep(0.5)
        drain.outbox_seconds = time.monotonic() - started
        drain.during = frozenset(drain.written)
        wait_until(lambda: not drain.missing(drain.during), within=60 + 4 * drain.outbox_seconds)
        drain.bus_seconds = time.monotonic() - started
        drain.gauge_fell = bool(
            wait_until(lambda: relay.total(GAUGE) < FALLS_WITHIN, within=FALLS_WITHIN, every=1)
        )
        before = frozenset(drain.written)
        time.sleep(calm)
    drain.afterwards = drain.written.keys() - before
    wait_until(lambda: not drain.missing(drain.written), within=30)


def _report(drain: Drain, outbox: LoadedOutbox) -> LoadReport:
    rows = drain.rows
    report = LoadReport(
        f"Backlog: {rows:,} rows of a day in {outbox.database}",
        f"make load RUN={outbox.run} ROWS={rows}",
    )
    relay, waits, ages = drain.relays[0], drain.waits(drain.during), drain.ages
    rate = rows / drain.outbox_seconds
    swept = relay.total("relay_events_swept_total")
    lost_places = relay.output.read_text().count("lost the stream")
    report.numbers |= {
        "outbox drained in": f"{drain.outbox_seconds:.1f} s, {rate:,.0f} rows/s",
        "seen on the bus in": f"{drain.bus_seconds:.1f} s ({drain.expected:,} looked for)",
        **{f"peak memory of {each.name}": f"{each.peak_megabytes:.0f} MB" for each in drain.relays},
        f"new events meanwhile, {PER_SECOND} a second: commit to bus (p50 / p99 / max)": (
            f"{spread(waits)}, {len(waits):,} events"
        ),
        "new events afterwards: the same": spread(drain.waits(drain.afterwards)),
        "rows swept; places lost in the stream": f"{swept:,.0f}; {lost_places}",
        "age of the oldest row, most too young; most too old": (
            f"{ages.too_young:.1f} s; {ages.too_old:,.0f} s, in {len(ages.samples)} samples"
        ),
    }
    _promise(report, drain)
    return report


def _promise(report: LoadReport, drain: Drain) -> None:
    peak = max(each.peak_megabytes for each in drain.relays)
    report.promise(
        f"memory stays under {RELAY_MEMORY:.0f} MB", f"{peak:.0f} MB", holds=peak < RELAY_MEMORY
    )
    lost, written = drain.missing(drain.written), drain.rows + len(drain.written)
    # Of a large backlog a part is looked for on the bus: the relay's own count is of all.
    published = drain.relays[-1].total("relay_events_published_total")
    report.promise(
        "nothing is lost",
        f"{lost} missing; {written:,} events written, {published:,.0f} published",
        holds=lost == 0 and published >= written,
    )
    twice = drain.sampled.duplicates + drain.fresh.duplicates
    unanswered = sum(each.total("relay_publish_failures_total") for each in drain.relays)
    report.promise(
        "nothing is published twice but what had no answer the first time",
        f"{twice} were, {unanswered:,.0f} tries had none",
        holds=twice <= unanswered,
    )
    waits = drain.waits(drain.during)
    slow = percentile(waits, 0.99)
    bound = GRACE + drain.bus_seconds * min(1.0, ROWS_AHEAD / drain.rows)
    report.promise(
        "new events do not wait for the backlog's end",
        f"p99 {slow:.1f} s; {bound:.1f} s are what {ROWS_AHEAD:,} rows take, and {GRACE:g} s",
        holds=bool(waits) and slow < bound,
    )
    report.promise(
        "the oldest row is never reported too young",
        f"by {drain.ages.too_young:.1f} s at most",
        holds=bool(drain.ages.samples) and drain.ages.too_young < GAUGE_SLACK,
    )
    report.promise(
        f"its age falls within {FALLS_WITHIN:.0f} s when the old rows have left",
        "it did" if drain.gauge_fell else "it did not",
        holds=drain.gauge_fell,
    )


def _age(occurred: datetime | None) -> float:
    return (datetime.now(UTC) - occurred).total_seconds() if occurred else 0.0
