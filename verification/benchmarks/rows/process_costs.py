"""What each process costs: to start, to leave on, in memory; and a relay in a long drain."""

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from infra.local_system.settings import ROOT
from infra.topology import WORKLOADS
from verification.benchmarks.baseline import BASELINE, baseline
from verification.benchmarks.lines import BenchmarkLine, Goal, Series
from verification.benchmarks.sizes import Size
from verification.benchmarks.whole_system import (
    DEFAULTS,
    FIRST_VERSION,
    THIS_SYSTEM,
    WholeSystem,
    competing_systems,
    whole_system,
)
from verification.load.outboxes import LoadedTable, a_backlog
from verification.testkit.engines import Engines
from verification.testkit.launcher import running_up
from verification.testkit.ports import settings_on_free_ports
from verification.testkit.waiting import eventually

ROW = "Processes"
_RELAY = "subscriptions-relay"
RELAY_BACKLOG = 50_000
"""Rows that the relay drains while its memory is watched."""

MEMORY_GOAL = Goal("at most", 150)
"""Megabytes that the relay may ever take: of the code and its packages, hardly of the machine. It
takes under 100; the rest is for another Python, allocator and number of cores. AWS gives it 512."""

IDLE_CPU, IDLE_MEMORY, START = "CPU while idle", "memory while idle", "start"
PROCESS_GOALS = {
    IDLE_CPU: Goal("at most", 0.5, "one idle process: % of a core", ""),
    IDLE_MEMORY: Goal("at most", 60, "one idle process: MB", "85"),
    START: Goal("at most", 0.65, "one process: s until it is ready", "1.0"),
}
"""For each process: the table of goals has the one that takes most."""

UNITS = {IDLE_CPU: "% of a core", IDLE_MEMORY: "MB", START: "s"}

ROUNDS = 6
"""Of starts, and of seconds in which all are idle."""

REST_SECONDS = 10.0
REST_BEGINS_AFTER = 15.0
"""Seconds until relays poll as they do for good (relay.poll_interval)."""

Found = Mapping[str, Mapping[str, Sequence[float]]]
"""By system and process."""


def run(engines: Engines, size: Size) -> Sequence[BenchmarkLine]:
    if size.is_quick:
        return _quick(engines)
    starts = _starts(engines)
    with competing_systems(engines, size) as systems:
        found = {START: starts, **_idle(systems, ROUNDS)}
    return [*_lines_of_all(found), *_others(engines)]


def _quick(engines: Engines) -> Sequence[BenchmarkLine]:
    """One start of each process, which is then left on; of this code alone."""
    with whole_system(engines) as system:
        starts = {name: [seconds] for name, seconds in system.start_seconds.items()}
        found = {START: {THIS_SYSTEM: starts}, **_idle({THIS_SYSTEM: system}, 1)}
    return _lines_of_all(found)


def _lines_of_all(found: Mapping[str, Found]) -> list[BenchmarkLine]:
    return [line for what, by_system in found.items() for line in _lines(what, by_system)]


def _starts(engines: Engines) -> Found:
    """Seconds until each process is ready, started alone, this code's and the other in turns."""
    root = baseline()
    codes = {THIS_SYSTEM: ROOT} | ({BASELINE: root} if root else {})
    found: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in codes}
    for number in range(ROUNDS):
        for workload in WORKLOADS:
            for name in sorted(codes, reverse=number % 2 == 0):
                started = time.monotonic()
                with engines.running(workload.name, FIRST_VERSION, root=codes[name]):
                    found[name][workload.name].append(time.monotonic() - started)
    return found


def _idle(systems: Mapping[str, WholeSystem], rounds: int) -> dict[str, Found]:
    """Percent of a core and megabytes of each process while nothing is asked of any."""
    time.sleep(REST_BEGINS_AFTER)
    cpu: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in systems}
    memory: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in systems}
    for _ in range(rounds):
        before = {name: system.cpu_seconds() for name, system in systems.items()}
        time.sleep(REST_SECONDS)
        for name, system in systems.items():
            for process, seconds in system.cpu_seconds().items():
                used = seconds - before[name][process]
                cpu[name][process].append(100 * used / REST_SECONDS)
                memory[name][process].append(system.processes[process].resident_megabytes)
    return {IDLE_CPU: cpu, IDLE_MEMORY: memory}


def _lines(what: str, found: Found) -> Iterator[BenchmarkLine]:
    """A line for each process; the one that takes most has the goal that is in the table."""
    for name in (THIS_SYSTEM, DEFAULTS):
        if name not in found:
            continue
        most = max(found[name], key=lambda process: median(found[name][process]))
        for process, values in found[name].items():
            before = found.get(BASELINE, {}).get(process)
            goal = PROCESS_GOALS[what]
            yield BenchmarkLine(
                ROW,
                f"{process}: {what}" + (", with the defaults" if name == DEFAULTS else ""),
                UNITS[what],
                Series(name, tuple(values)),
                goal=goal.of(f"most, {process}") if process == most else replace(goal, measure=""),
                is_timed=True,
                with_defaults=name == DEFAULTS,
                baseline=median(before) if before else None,
            )


def _others(engines: Engines) -> Iterator[BenchmarkLine]:
    """All of `make up`, and the relay's peak of resident memory while it drains that backlog."""
    yield BenchmarkLine(ROW, f"make up: {START}", "s", Series(THIS_SYSTEM, (_up_seconds(),)))
    outbox = LoadedTable(engines)
    outbox.write(a_backlog(outbox, RELAY_BACKLOG, one_in=RELAY_BACKLOG))
    with engines.running(_RELAY) as relay:
        eventually(lambda: outbox.oldest() is None, timeout=600, what="an empty outbox", every=0.5)
        peak = relay.peak_megabytes
    what = f"{_RELAY}: peak memory while it drains {RELAY_BACKLOG:,} rows"
    yield BenchmarkLine(ROW, what, "MB", Series(THIS_SYSTEM, (peak,)), goal=MEMORY_GOAL)


def _up_seconds() -> float:
    """How long `make up` takes until it is ready, on empty engines and free ports."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-up-") as folder,
        settings_on_free_ports(Path(folder) / "state") as settings,
    ):
        started = time.monotonic()
        with running_up("local.up", settings, Path(folder) / "up.log"):
            return time.monotonic() - started
