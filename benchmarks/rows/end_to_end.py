"""From a request to each of its effects, through the whole system."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.effects import EFFECTS, Effects
from benchmarks.floors.journey import Hops
from benchmarks.journeys import travel
from benchmarks.lines import Goal, Line, Series
from benchmarks.sizes import Size
from benchmarks.sustainable import highest_rate
from benchmarks.whole_system import WholeSystem, whole_system
from local.load.engines import running_engines
from local.load.report import percentile

ROW = "End to end: request → effect"
LOW_RATE = 4.0
"""Customers a second at which nobody waits for another."""

LOW, SUSTAINABLE = f"{LOW_RATE:g} customers/s", "sustainable rate"
SHARES = {share: f"{share:.0%} of the sustainable rate" for share in (0.5, 0.8)}
LOADS = (LOW, *SHARES.values())
"""At which latencies are taken."""

ABOVE_RAW = {0.5: 60.0, 0.99: 200.0}
"""By percentile, the milliseconds that a journey may take above its raw hops."""

SETTLES_WITHIN = 120.0


class RequestsFailed(Exception):
    """The system refused requests, each named by its method and status."""


def run(size: Size) -> Sequence[Line]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        running_engines(Path(folder)) as engines,
        whole_system(engines) as system,
    ):
        lines = _low_rate(system, Hops(engines), size)
        if size.is_quick:
            return lines
        rate = highest_rate(system, size.steady_seconds)
        note = f"the highest rate at which nothing piles up in {size.steady_seconds:g} s"
        lines.append(Line(ROW, SUSTAINABLE, "customers/s", rate, note=note))
        for share, load in SHARES.items():
            lines += _loaded(system, size, rate.median * share, load)
        return lines


def latency(effect: str, part: float, load: str = LOW) -> str:
    """What a line of a percentile (0 to 1) of an effect's latency is called."""
    return f"{effect}, at {load}: p{part * 100:g}"


def _low_rate(system: WholeSystem, hops: Hops, size: Size) -> list[Line]:
    """Latencies without a queue anywhere, beside the engines' own, taken in turns with them."""
    latencies: dict[str, list[float]] = {effect: [] for effect in EFFECTS}
    raw: dict[str, list[float]] = {effect: [] for effect in EFFECTS}
    for turn in range(size.rounds):
        for effect, found in _travelled(system, LOW_RATE, size.steady_seconds / 5, turn).items():
            latencies[effect] += found
        for effect, journey in _journeys(hops).items():
            raw[effect] += [journey() for _ in range(10)]
    return [
        line
        for effect in EFFECTS
        for part in (0.5, 0.95, 0.99)
        for line in _beside(effect, part, latencies[effect], raw[effect])
    ]


def _beside(
    effect: str, part: float, latencies: Sequence[float], raw: Sequence[float]
) -> Iterator[Line]:
    """One percentile of both, and where there is a goal for it what one has above the other."""
    mine, floor = (1000 * percentile(each, part) for each in (latencies, raw))
    what = latency(effect, part)
    yield Line(ROW, what, "ms", Series("system", (mine,)), Series("raw hops", (floor,)))
    if part in ABOVE_RAW:
        above = Series("system", (mine - floor,))
        goal = Goal("at most", ABOVE_RAW[part])
        yield Line(ROW, f"{what}: above the raw hops", "ms", above, goal=goal)


def _journeys(hops: Hops) -> Mapping[str, Callable[[], float]]:
    """The raw hops to each effect: its database is what the last of them writes to."""
    return {
        "allocated": lambda: hops.created(hops.commit_effect),
        "paid": lambda: hops.created(hops.commit_payment),
        "given back": lambda: hops.cancelled(hops.commit_effect),
        "cancelled": lambda: hops.cancelled(hops.commit_effect),
    }


def _loaded(system: WholeSystem, size: Size, rate: float, load: str) -> list[Line]:
    found = _travelled(system, rate, size.steady_seconds / 2, seed=7)
    return [
        Line(
            ROW,
            latency(effect, part, load),
            "ms",
            Series("system", (1000 * percentile(found[effect], part),)),
        )
        for effect in EFFECTS
        for part in (0.5, 0.95, 0.99)
    ]


def _travelled(
    system: WholeSystem, rate: float, seconds: float, seed: int
) -> Mapping[str, list[float]]:
    """Latencies in seconds, by effect, once all have come."""
    effects = Effects(system)
    requests = travel(system, rate=rate, seconds=seconds, seed=seed)
    if requests.failed:
        raise RequestsFailed(requests.failed)
    effects.wait_for(requests, within=SETTLES_WITHIN)
    return effects.latencies(requests)
