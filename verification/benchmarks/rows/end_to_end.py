"""From a request to each of its effects, through the whole system: time, CPU, and how many."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import median

from verification.benchmarks.baseline import BASELINE
from verification.benchmarks.floors.journey import Hops
from verification.benchmarks.intervals import FEWEST, resampled_interval
from verification.benchmarks.journeys import MEASURED_EFFECTS, Travels, travel
from verification.benchmarks.lines import BenchmarkLine, Goal, Series
from verification.benchmarks.rounds import rounds
from verification.benchmarks.sizes import Size
from verification.benchmarks.sustainable import highest_rate
from verification.benchmarks.whole_system import (
    DEFAULTS,
    THIS_SYSTEM,
    WholeSystem,
    competing_systems,
)
from verification.load.report import percentile
from verification.testkit.engines import Engines

ROW = "End to end: request → effect"
RAW_HOPS = "raw hops"
LOW_RATE = 4.0
"""Customers a second at which no customer waits for another."""

BUSY_RATE = 10.0
"""Customers a second while CPU is measured: well below what the machine can do."""

LOW, SUSTAINABLE = f"{LOW_RATE:g} customers/s", "sustainable rate"
SHARES = {share: f"{share:.0%} of the sustainable rate" for share in (0.5, 0.8)}
LOADS = (LOW, *SHARES.values())
"""At which latencies are taken."""

TURN_SECONDS = 2.0
"""For which customers come before it is another system's turn."""

BACKLOG_CUSTOMERS = 100
"""Who come within a second, for the rate at which a backlog is worked off."""

HOPS_A_TURN = 5
"""Raw journeys to each effect."""

PERCENTILES = (0.5, 0.95, 0.99)
ABOVE_GOALS = {
    0.5: Goal("at most", 40, "end to end above the raw hops, p50, ms", "64"),
    0.99: Goal("at most", 120, "end to end above the raw hops, p99, ms", "228"),
}
"""For each effect."""

CPU_GOAL = Goal("at most", 45, "our CPU for one customer, ms", "72 to 86")
CPU_RATIO_GOAL = Goal("at most", 0.572, "the same, in CPU of 071a447", "1")
"""45 over the geometric middle of what was found before."""

RATE_GOAL = Goal("at least", 1.35, "rate of the whole system without the generator's share", "1")

EFFECTS_WITHIN = 120.0


class RequestsFailed(Exception):
    """The system refused requests, each named by its method and status."""


@dataclass
class Found:
    """What the turns of one system found, turn by turn: latencies in ms by effect."""

    latencies: dict[str, list[list[float]]] = field(
        default_factory=lambda: {effect: [] for effect in MEASURED_EFFECTS}
    )
    cpu: list[float] = field(default_factory=list)
    """Milliseconds of our processes' CPU for a customer."""
    rates: list[float] = field(default_factory=list)
    """Customers a second, were all cores the system's and the engines'."""
    shares: list[float] = field(default_factory=list)
    """Percent of all cores that made the load."""


def run(engines: Engines, size: Size) -> Sequence[BenchmarkLine]:
    with competing_systems(engines, size) as systems:
        found = {name: Found() for name in systems}
        raw = _play(systems, found, Hops(engines), size)
        lines = [*_above(found, raw), *_costs(found)]
        if not size.is_quick:
            lines += _sustainable(systems[THIS_SYSTEM], size)
        return lines


def latency(effect: str, part: float, load: str = LOW) -> str:
    """What a line of a percentile (0 to 1) of an effect's latency is called."""
    return f"{effect}, at {load}: p{part * 100:g}"


def _play(
    systems: Mapping[str, WholeSystem], found: Mapping[str, Found], hops: Hops, size: Size
) -> dict[str, list[list[float]]]:
    """Play turns of each system and of the raw hops, whose latencies (ms) are returned.

    As many as a full run needs for intervals, and then for as long as there is time.
    """
    raw: dict[str, list[list[float]]] = {effect: [] for effect in MEASURED_EFFECTS}

    def hop() -> None:
        for effect, journey in hops.journeys().items():
            raw[effect].append([1000 * journey() for _ in range(HOPS_A_TURN)])

    turns: list[Callable[[], None]] = [
        hop,
        *(partial(_turn, systems[name], found[name], size) for name in systems),
    ]
    for turn in rounds(lambda: len(raw["paid"]) >= 2 * FEWEST, seconds=size.system_seconds):
        print(f"         turn {turn + 1} of the whole system", file=sys.stderr, flush=True)
        shift = turn % len(turns)
        for play in turns[shift:] + turns[:shift]:
            play()
    return raw


def _turn(system: WholeSystem, found: Found, size: Size) -> None:
    seed = len(found.cpu)
    for effect, waits in _travelled(system, LOW_RATE, TURN_SECONDS, seed).items():
        found.latencies[effect].append([1000 * each for each in waits])
    before = sum(system.cpu_seconds().values())
    customers = len(_travelled(system, BUSY_RATE, TURN_SECONDS, seed)["allocated"])
    found.cpu.append(1000 * (sum(system.cpu_seconds().values()) - before) / customers)
    if not size.is_quick:
        _burst(system, found, size.cores)


def _burst(system: WholeSystem, found: Found, cores: int) -> None:
    """Work a backlog off: at the rate that the machine would have were the generator elsewhere."""
    started, generator = time.monotonic(), time.process_time()
    journeys = travel(system, rate=BACKLOG_CUSTOMERS, seconds=1)
    settled = _settled(journeys)
    seconds, generator = time.monotonic() - started, time.process_time() - generator
    share = generator / (seconds * cores)
    found.rates.append(len(settled["allocated"]) / seconds / (1 - share))
    found.shares.append(100 * share)


def _above(
    found: Mapping[str, Found], raw: Mapping[str, Sequence[Sequence[float]]]
) -> Iterator[BenchmarkLine]:
    """Latencies beside the engines' own, and what is above those, with its goal."""
    for name, each in found.items():
        if name != BASELINE:
            for effect in MEASURED_EFFECTS:
                before = found[BASELINE].latencies[effect] if BASELINE in found else None
                ours = each.latencies[effect]
                yield from _beside(name, effect, ours, raw[effect], before)


def _beside(
    name: str,
    effect: str,
    ours: Sequence[Sequence[float]],
    raw: Sequence[Sequence[float]],
    before: Sequence[Sequence[float]] | None,
) -> Iterator[BenchmarkLine]:
    has_defaults = name == DEFAULTS
    for part in PERCENTILES:
        what = latency(effect, part) + (", with the defaults" if has_defaults else "")
        pooled = Series(name, (_pooled(ours, part),))
        engines = Series(RAW_HOPS, (_pooled(raw, part),))
        yield BenchmarkLine(ROW, what, "ms", pooled, engines, with_defaults=has_defaults)
        if part not in ABOVE_GOALS:
            continue
        turns = list(zip(ours, raw, strict=True))
        yield BenchmarkLine(
            ROW,
            f"{what}: above the raw hops",
            "ms",
            Series(name, (pooled.median - engines.median,)),
            goal=ABOVE_GOALS[part].of(effect),
            is_timed=True,
            with_defaults=has_defaults,
            bounds=resampled_interval(turns, partial(_above_of, part=part)),
            baseline=_pooled(before, part) - engines.median if before else None,
        )


def _above_of(turns: Sequence[tuple[Sequence[float], Sequence[float]]], *, part: float) -> float:
    """What a percentile of the turns is above that of the raw hops beside them, in ms."""
    ours, raw = zip(*turns, strict=True)
    return _pooled(ours, part) - _pooled(raw, part)


def _pooled(turns: Sequence[Sequence[float]], part: float) -> float:
    """A percentile (0 to 1) of all turns together."""
    every = [each for turn in turns for each in turn]
    return median(every) if part == 0.5 else percentile(every, part)  # noqa: PLR2004


def _costs(found: Mapping[str, Found]) -> Iterator[BenchmarkLine]:
    """CPU for a customer and rates, beside 071a447 where that is there."""
    cpu = {name: Series(name, tuple(each.cpu)) for name, each in found.items()}
    rates = {name: Series(name, tuple(each.rates)) for name, each in found.items() if each.rates}
    of_cpu = f"our CPU for a customer, at {BUSY_RATE:g} customers/s"
    of_rate = f"a backlog of {BACKLOG_CUSTOMERS} customers, without the generator's share"
    line = partial(BenchmarkLine, ROW)
    for name in [each for each in found if each != BASELINE]:
        cpu_of_one = line(of_cpu, "ms", cpu[name], goal=CPU_GOAL, is_timed=True)
        lines = [cpu_of_one]
        if BASELINE in found:
            cpu_before = cpu[BASELINE]
            lines = [replace(cpu_of_one, baseline=cpu_before.median)]
            lines += [line(of_cpu, "ms", cpu[name], cpu_before, CPU_RATIO_GOAL)]
            lines += [line(of_rate, "customers/s", rates[name], rates[BASELINE], RATE_GOAL)]
        yield from (replace(each, with_defaults=name == DEFAULTS) for each in lines)
    if rates:
        shares = Series(THIS_SYSTEM, tuple(found[THIS_SYSTEM].shares))
        what = f"a backlog of {BACKLOG_CUSTOMERS} customers: the generator's share of all cores"
        yield BenchmarkLine(ROW, what, "%", shares, is_timed=True)


def _sustainable(system: WholeSystem, size: Size) -> list[BenchmarkLine]:
    rate = highest_rate(system, size.steady_seconds)
    note = (
        f"the highest rate at which nothing piles up in {size.steady_seconds:g} s;"
        " the generator shares the cores"
    )
    lines = [BenchmarkLine(ROW, SUSTAINABLE, "customers/s", rate, note=note)]
    for share, load in SHARES.items():
        lines += _loaded(system, size, rate.median * share, load)
    return lines


def _loaded(system: WholeSystem, size: Size, rate: float, load: str) -> list[BenchmarkLine]:
    found = _travelled(system, rate, size.steady_seconds / 2, seed=7)
    return [
        BenchmarkLine(
            ROW,
            latency(effect, part, load),
            "ms",
            Series(THIS_SYSTEM, (1000 * percentile(found[effect], part),)),
        )
        for effect in MEASURED_EFFECTS
        for part in (0.5, 0.95, 0.99)
    ]


def _travelled(
    system: WholeSystem, rate: float, seconds: float, seed: int
) -> Mapping[str, list[float]]:
    """Latencies in seconds, by effect, once all have come."""
    return _settled(travel(system, rate=rate, seconds=seconds, seed=seed))


def _settled(journeys: Travels) -> Mapping[str, list[float]]:
    if journeys.failed:
        raise RequestsFailed(journeys.failed)
    journeys.wait(within=EFFECTS_WITHIN)
    return journeys.latencies()
