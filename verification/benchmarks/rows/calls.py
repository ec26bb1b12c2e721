"""Calls to AWS of a lifecycle and of a drained event, and what they cost beside other designs."""

from collections.abc import Sequence

from verification.benchmarks.calls.drain import (
    DRAINED_EVENTS,
    count_lambda,
    count_stepped,
    count_threaded,
)
from verification.benchmarks.calls.lifecycle import CANCELLED, CREATED, count_lifecycle
from verification.benchmarks.calls.tally import CallTally, Sections, total
from verification.benchmarks.costs.book import load
from verification.benchmarks.costs.document import SERVICE_TITLES
from verification.benchmarks.costs.model import Cost, costs
from verification.benchmarks.lines import BenchmarkLine, Goal, Series
from verification.benchmarks.sizes import Size
from verification.testkit.engines import Engines

ROW = "AWS calls and cost"

COST_OF_A_MILLION = "a million full lifecycles"

DRAINED_GOAL = Goal("at most", 0.15)
"""PutEvents of ten and deletes of 25 are 0.14; the rest is for GetRecords."""

THREADED_RUNS = 3
"""The daemon's threads are counted that often: a slow machine fills fewer calls."""


def run(engines: Engines, _size: Size) -> Sequence[BenchmarkLine]:
    lifecycle = count_lifecycle(engines).sections()
    dollars = (line for cost in costs(lifecycle, load()) for line in _dollars(cost))
    return [*_lifecycle(lifecycle), *_drains(engines), *dollars]


def _lifecycle(found: Sections) -> list[BenchmarkLine]:
    parts = ", ".join(
        f"{name} {total(found, 'calls', service=service)}"
        for service, name in SERVICE_TITLES.items()
    )
    created, cancelled = (total(found, "calls", phase=each) for each in (CREATED, CANCELLED))
    note = f"{created} until created, {cancelled} until cancelled; {parts}"
    return [
        _line(
            "calls to AWS of a full lifecycle at batch size 1", "calls", note, created + cancelled
        )
    ]


def _drains(engines: Engines) -> list[BenchmarkLine]:
    what = f"relay's calls for each of {DRAINED_EVENTS} drained events"
    threaded = [_each(count_threaded(engines)) for _ in range(THREADED_RUNS)]
    return [
        _line(f"{what}, stepped", "calls", "", _each(count_stepped(engines)), goal=DRAINED_GOAL),
        _line(f"{what}, daemon's threads", "calls", "", *threaded, goal=DRAINED_GOAL),
        _line(f"{what}, Lambda", "calls", "", _each(count_lambda(engines)), goal=DRAINED_GOAL),
    ]


def _each(tally: CallTally) -> float:
    return total(tally.sections(), "calls") / DRAINED_EVENTS


def _dollars(cost: Cost) -> list[BenchmarkLine]:
    note = f"{cost.created_only:.0f} if none is cancelled; docs/costs.md"
    return [
        _line(f"{COST_OF_A_MILLION}, {cost.design}", "US dollars", note, cost.full),
        _line(f"an idle month, {cost.design}", "US dollars", "docs/costs.md", cost.idle),
    ]


def _line(
    what: str, unit: str, note: str, *values: float, goal: Goal | None = None
) -> BenchmarkLine:
    return BenchmarkLine(ROW, what, unit, Series("counted", values), goal=goal, note=note)
