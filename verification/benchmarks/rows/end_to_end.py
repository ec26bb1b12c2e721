"""From a request to each of its effects, through the whole system."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from statistics import median

from verification.benchmarks.floors.journey import Hops
from verification.benchmarks.journeys import MEASURED_EFFECTS, travel
from verification.benchmarks.lines import BenchmarkLine, Goal, Series
from verification.benchmarks.rounds import is_narrow, rounds
from verification.benchmarks.sizes import Size
from verification.benchmarks.sustainable import highest_rate
from verification.benchmarks.whole_system import WholeSystem, whole_system
from verification.load.report import percentile
from verification.testkit.engines import Engines

ROW = "End to end: request → effect"
_OURS, RAW_HOPS = "system", "raw hops"
LOW_RATE = 4.0
"""Customers a second at which no customer waits for another."""

LOW, SUSTAINABLE = f"{LOW_RATE:g} customers/s", "sustainable rate"
SHARES = {share: f"{share:.0%} of the sustainable rate" for share in (0.5, 0.8)}
LOADS = (LOW, *SHARES.values())
"""At which latencies are taken."""

TURN_SECONDS = 2.0
"""For which customers come before it is the raw hops' turn."""

HOPS_A_TURN = 5
"""Raw journeys to each effect."""

RAW_GOAL = Goal("at most", 2.0)
"""For the median of a turn: a journey through the system is less than two without it."""

EFFECTS_WITHIN = 120.0


class RequestsFailed(Exception):
    """The system refused requests, each named by its method and status."""


def run(engines: Engines, size: Size) -> Sequence[BenchmarkLine]:
    with whole_system(engines) as system:
        lines = _low_rate(system, Hops(engines), size)
        if size.is_quick:
            return lines
        rate = highest_rate(system, size.steady_seconds)
        note = f"the highest rate at which nothing piles up in {size.steady_seconds:g} s"
        lines.append(BenchmarkLine(ROW, SUSTAINABLE, "customers/s", rate, note=note))
        for share, load in SHARES.items():
            lines += _loaded(system, size, rate.median * share, load)
        return lines


def latency(effect: str, part: float, load: str = LOW) -> str:
    """What a line of a percentile (0 to 1) of an effect's latency is called."""
    return f"{effect}, at {load}: p{part * 100:g}"


def _low_rate(system: WholeSystem, hops: Hops, size: Size) -> list[BenchmarkLine]:
    """Latencies without a queue anywhere, beside the engines' own, taken in turns with them."""
    found: dict[str, dict[str, list[list[float]]]] = {
        effect: {_OURS: [], RAW_HOPS: []} for effect in MEASURED_EFFECTS
    }

    def travel_in(turn: int) -> None:
        for effect, waits in _travelled(system, LOW_RATE, TURN_SECONDS, turn).items():
            found[effect][_OURS].append(waits)

    def hop() -> None:
        for effect, journey in hops.journeys().items():
            found[effect][RAW_HOPS].append([journey() for _ in range(HOPS_A_TURN)])

    def is_known() -> bool:
        return all(is_narrow(*map(_medians, each.values())) for each in found.values())

    for turn in rounds(is_known, seconds=2 * size.compare_seconds):
        plays: list[Callable[[], None]] = [partial(travel_in, turn), hop]
        for play in plays if turn % 2 == 0 else reversed(plays):
            play()
    return [line for effect, each in found.items() for line in _beside(effect, each)]


def _beside(effect: str, found: Mapping[str, Sequence[Sequence[float]]]) -> Iterator[BenchmarkLine]:
    """The medians of the turns, whose ratio has a goal; and the higher percentiles of all turns."""
    ours, raw = (Series(name, tuple(_medians(turns))) for name, turns in found.items())
    yield BenchmarkLine(ROW, latency(effect, 0.5), "ms", ours, raw, RAW_GOAL)
    for part in (0.95, 0.99):
        ours, raw = (
            Series(name, (1000 * percentile([each for turn in turns for each in turn], part),))
            for name, turns in found.items()
        )
        yield BenchmarkLine(ROW, latency(effect, part), "ms", ours, raw)


def _medians(turns: Sequence[Sequence[float]]) -> list[float]:
    """Of each turn, in milliseconds."""
    return [1000 * median(turn) for turn in turns]


def _loaded(system: WholeSystem, size: Size, rate: float, load: str) -> list[BenchmarkLine]:
    found = _travelled(system, rate, size.steady_seconds / 2, seed=7)
    return [
        BenchmarkLine(
            ROW,
            latency(effect, part, load),
            "ms",
            Series(_OURS, (1000 * percentile(found[effect], part),)),
        )
        for effect in MEASURED_EFFECTS
        for part in (0.5, 0.95, 0.99)
    ]


def _travelled(
    system: WholeSystem, rate: float, seconds: float, seed: int
) -> Mapping[str, list[float]]:
    """Latencies in seconds, by effect, once all have come."""
    journeys = travel(system, rate=rate, seconds=seconds, seed=seed)
    if journeys.failed:
        raise RequestsFailed(journeys.failed)
    journeys.wait(within=EFFECTS_WITHIN)
    return journeys.latencies()
