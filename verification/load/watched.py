"""The console beside a busy bus: what it costs, and whether it keeps up and stays small."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Event, Lock
from typing import Any
from uuid import uuid4

import httpx

from contracts.causes import Cause
from infra.topology import WORKLOADS
from runtime.aws import Aws
from runtime.ids import new_event_id, utc_now
from services.stock.events import record_of
from services.stock.model import Stock
from verification.load.queues import untap
from verification.load.report import LoadReport, percentile
from verification.testkit.engines import Engines
from verification.testkit.launcher import LaunchedProcess, running
from verification.testkit.meanwhile import every, meanwhile
from verification.testkit.waiting import wait_until

WATCHED_BUS = "stock-event-bus"
"""What stock publishes goes to no other bus and to no work queue."""

ENTRIES = 10
"""Events of one PutEvents: its quota."""

PUTTERS = 8
"""Calls at a time."""

PAGES = 3
"""Browsers that follow it."""

SETTLES = 20.0
"""Seconds until the console has narrowed its taps, and memory is compared from then on."""

CONSOLE_MEMORY = 200.0
"""Megabytes that the console may ever take: 5,000 sightings of some 2 KB, and Python with boto3."""

MEMORY_GROWTH = 10.0
"""Megabytes by which it may grow once it has settled."""

MOST_BEHIND = 10.0
"""Seconds from an event's arrival to its being shown: beyond, the console throws events away."""

LONGEST_GAP = 5.0
"""Seconds between two snapshots, one a second being the rule, on a machine that is full."""


@dataclass
class FollowedPage:
    """What one page received, by the seconds since the run began."""

    snapshots: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    events: int = 0

    def listening(self, url: str) -> AbstractContextManager[None]:
        """Follow the console's live stream until the block ends."""
        began = time.monotonic()

        def listen(stopping: Event) -> None:
            with httpx.stream("GET", f"{url}/api/live", timeout=30, trust_env=False) as answer:
                name = ""
                for line in answer.iter_lines():
                    if stopping.is_set():
                        return
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
                    elif line.startswith("data: ") and name == "snapshot":
                        seen = json.loads(line.removeprefix("data: "))
                        self.snapshots.append((time.monotonic() - began, seen))
                    elif line.startswith("data: ") and name == "event":
                        self.events += 1

        return meanwhile(listen)

    @property
    def longest_silence(self) -> float:
        times = [at for at, _ in self.snapshots]
        return max((b - a for a, b in pairwise(times)), default=float("inf"))

    def after(self, seconds: float) -> list[dict[str, Any]]:
        return [seen for at, seen in self.snapshots if at > seconds]


@dataclass
class Watched:
    """What was measured; memory in megabytes."""

    rate: int
    seconds: int
    pages: Sequence[FollowedPage]
    elapsed: float = 0.0
    accepted: int = 0
    settled: float = 0.0
    end: float = 0.0
    peak: float = 0.0
    cpu: float = 0.0
    """Of one core, 1 being all of it."""


def run(engines: Engines, rate: int, seconds: int) -> LoadReport:
    """Put `rate` events a second on a bus for `seconds` while pages follow the console."""
    # The tap of the logs would read them all, on the same two cores.
    untap(engines.aws, WATCHED_BUS)
    with ExitStack() as stack:
        console = _console(engines, stack)
        pages = [FollowedPage() for _ in range(PAGES)]
        for page in pages:
            stack.enter_context(page.listening(console.url))
        wait_until(lambda: all(page.snapshots for page in pages), within=30)
        watched = Watched(rate, seconds, pages)
        _load(watched, engines.aws, console)
    return _report(watched)


def _console(engines: Engines, stack: ExitStack) -> LaunchedProcess:
    """Start the console, and the three APIs that it asks."""
    apis = {
        f"{each.name}_url".replace("-", "_").upper(): stack.enter_context(
            engines.running(each.name)
        ).url
        for each in WORKLOADS
        if each.path
    }
    env = {
        "AWS_REGION": engines.region,
        "AWS_ENDPOINT_URL": engines.endpoint,
        "LOG_LEVEL": "WARNING",
        "STREAMED_AUDIT_FILE": str(engines.folder / "operations.jsonl"),
        **apis,
    }
    console = stack.enter_context(
        running(engines.folder, "console", "", env, port_name="CONSOLE_PORT", is_measured=False)
    )
    console.until_ready()
    return console


def _load(watched: Watched, aws: Aws, console: LaunchedProcess) -> None:
    events, lock = aws.client("events"), Lock()

    def put() -> None:
        answer = events.put_events(Entries=[_entry() for _ in range(ENTRIES)])
        with lock:
            watched.accepted += ENTRIES - answer["FailedEntryCount"]

    started, cpu = time.monotonic(), console.cpu_seconds
    with (
        ThreadPoolExecutor(PUTTERS) as pool,
        every(ENTRIES / watched.rate, lambda: pool.submit(put)),
    ):
        time.sleep(min(SETTLES, watched.seconds / 2))
        watched.settled = console.resident_megabytes
        time.sleep(max(0.0, started + watched.seconds - time.monotonic()))
    watched.elapsed = time.monotonic() - started
    watched.cpu = (console.cpu_seconds - cpu) / watched.elapsed
    watched.end, watched.peak = console.resident_megabytes, console.peak_megabytes


def _entry() -> Any:
    """An event as stock publishes it."""
    allocated = Stock.allocate(str(uuid4()), 2, now=utc_now())
    record = record_of(allocated, Cause(correlation_id=str(uuid4())), event_id=new_event_id())
    return {
        "Source": record.source,
        "DetailType": record.event_type,
        "Detail": record.detail,
        "EventBusName": WATCHED_BUS,
    }


def _report(watched: Watched) -> LoadReport:
    page, rate = watched.pages[0], watched.accepted / watched.elapsed
    report = LoadReport(
        f"The console beside {watched.rate:,.0f} events a second",
        f"make load RUN=console RATE={watched.rate} SECONDS={watched.seconds}",
    )
    settled = [seen for each in watched.pages for seen in each.after(SETTLES)]
    behind = max((seen["consoleBehindSeconds"] for seen in settled), default=float("inf"))
    rates = [sum(seen["busRates"].values()) for seen in page.after(SETTLES)]
    shown = percentile(rates, 0.5)
    shares = sorted({seen["sampling"]["everyNth"] for seen in settled})
    report.numbers |= {
        "events on the bus": (
            f"{watched.accepted:,} in {watched.elapsed:.0f} s, {rate:,.0f} a second"
        ),
        "shares looked at, once settled": ", ".join(f"1 of {each}" for each in shares),
        "rate that the map shows, at the median": f"{shown:,.0f} a second",
        "memory: settled / at the end / peak": (
            f"{watched.settled:.0f} / {watched.end:.0f} / {watched.peak:.0f} MB"
        ),
        "processor": f"{100 * watched.cpu:.0f} % of a core",
        f"snapshots and events to each of {len(watched.pages)} pages": "; ".join(
            f"{len(each.snapshots)} and {each.events:,}" for each in watched.pages
        ),
    }
    report.promise(
        f"memory stays under {CONSOLE_MEMORY:.0f} MB",
        f"{watched.peak:.0f} MB",
        holds=watched.peak < CONSOLE_MEMORY,
    )
    growth = watched.end - watched.settled
    report.promise("it does not grow", f"by {growth:.1f} MB", holds=growth < MEMORY_GROWTH)
    report.promise(
        f"it is never {MOST_BEHIND:g} s behind the bus",
        f"{behind:.1f} s",
        holds=behind < MOST_BEHIND,
    )
    silence = max(each.longest_silence for each in watched.pages)
    report.promise(
        "every page hears of it each second",
        f"{silence:.1f} s at the longest; {LONGEST_GAP:g} are allowed",
        holds=silence < LONGEST_GAP,
    )
    report.promise(
        "what it shows is the rate that passes, within a quarter",
        f"{shown:,.0f} of {rate:,.0f}",
        holds=abs(shown - rate) < rate / 4,
    )
    return report
