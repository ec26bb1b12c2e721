"""What each process costs: to start, to leave on, for each customer, and in memory."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from verification.benchmarks.journeys import travel
from verification.benchmarks.lines import BenchmarkLine, Goal, Series
from verification.benchmarks.sizes import Size
from verification.benchmarks.whole_system import WholeSystem, whole_system
from verification.load.outboxes import LoadedTable, a_backlog
from verification.testkit.engines import Engines
from verification.testkit.launcher import running_up
from verification.testkit.ports import settings_on_free_ports
from verification.testkit.waiting import eventually

ROW = "Processes"
_RELAY = "subscriptions-relay"
RELAY_BACKLOG = 50_000
"""Rows that the relay drains while its memory is watched."""

BUSY_RATE = 10.0
"""Customers a second while CPU and memory are measured: well below what the machine can do."""

MEMORY_GOAL = Goal("at most", 150)
"""Megabytes that the relay may ever take: of the code and its packages, hardly of the machine. It
takes under 100; the rest is for another Python, allocator and number of cores. AWS gives it 512."""


def run(engines: Engines, size: Size) -> Sequence[BenchmarkLine]:
    with whole_system(engines) as system:
        lines = [
            *_each("start", "s", {**system.start_seconds, "make up": _up_seconds()}),
            *_idle(system, size.steady_seconds / 2),
            *_busy(system, size.steady_seconds / 2),
        ]
    if not size.is_quick:
        lines.append(_draining(engines))
    return lines


def _idle(system: WholeSystem, seconds: float) -> list[BenchmarkLine]:
    before = _cpu(system)
    time.sleep(seconds)
    percent = {name: 100 * (cpu - before[name]) / seconds for name, cpu in _cpu(system).items()}
    return _each("CPU while idle", "% of a core", percent)


def _busy(system: WholeSystem, seconds: float) -> list[BenchmarkLine]:
    """CPU per customer: two requests, six events and what the idle process takes meanwhile."""
    before = _cpu(system)
    journeys = travel(system, rate=BUSY_RATE, seconds=seconds)
    journeys.wait(within=60)
    customers = len(journeys.led_to("allocated"))
    each = {name: 1000 * (cpu - before[name]) / customers for name, cpu in _cpu(system).items()}
    memory = {name: process.resident_megabytes for name, process in system.processes.items()}
    return [
        *_each(f"CPU at {BUSY_RATE:g} customers/s", "ms per customer", each),
        *_each("memory afterwards", "MB", memory),
    ]


def _draining(engines: Engines) -> BenchmarkLine:
    """The relay's peak of resident memory while it drains that backlog."""
    outbox = LoadedTable(engines)
    outbox.write(a_backlog(outbox, RELAY_BACKLOG, one_in=RELAY_BACKLOG))
    with engines.running(_RELAY) as relay:
        eventually(lambda: outbox.oldest() is None, timeout=600, what="an empty outbox", every=0.5)
        peak = relay.peak_megabytes
    what = f"{_RELAY}: peak memory while it drains {RELAY_BACKLOG:,} rows"
    return BenchmarkLine(ROW, what, "MB", Series("system", (peak,)), goal=MEMORY_GOAL)


def _cpu(system: WholeSystem) -> dict[str, float]:
    """CPU seconds that each process has used so far."""
    return {name: process.cpu_seconds for name, process in system.processes.items()}


def _up_seconds() -> float:
    """How long `make up` takes until it is ready, on empty engines and free ports."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-up-") as folder,
        settings_on_free_ports(Path(folder) / "state") as settings,
    ):
        started = time.monotonic()
        with running_up("local.up", settings, Path(folder) / "up.log"):
            return time.monotonic() - started


def _each(what: str, unit: str, found: Mapping[str, float]) -> list[BenchmarkLine]:
    return [
        BenchmarkLine(ROW, f"{name}: {what}", unit, Series("system", (value,)))
        for name, value in found.items()
    ]
