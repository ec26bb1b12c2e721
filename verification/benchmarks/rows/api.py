"""POST /subscriptions and GET: the API beside the smallest FastAPI app on the same two tables.

Both processes live all the while and one is loaded at a time. Ours writes its log as it does in
production: a line for each request.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import httpx

from local.journey import DEMO_ORDER as ORDER
from verification.benchmarks.contenders import floor
from verification.benchmarks.lines import BenchmarkLine, Goal, Series
from verification.benchmarks.loads import Met, load
from verification.benchmarks.rounds import interleaved
from verification.benchmarks.sizes import Size
from verification.testkit.engines import Engines
from verification.testkit.launcher import LaunchedProcess

ROW = "API"
_OURS, SMALLEST = "subscription-api", "smallest FastAPI app"
GOALS: Mapping[str, Goal] = {}
"""For throughput, by method."""

WARM_UP_REQUESTS = 100
"""Before the first load: by then a process has its connections, on a busy machine too."""

ROUND_SECONDS = 2
"""Whole ones: locust takes no others. Each load costs another half a second to start and end."""


def run(engines: Engines, size: Size) -> Sequence[BenchmarkLine]:
    if size.is_quick:
        return race(engines, {"POST": (16,)}, 1.5 * size.compare_seconds)
    return race(engines, {"POST": (1, 16, 64), "GET": (16,)}, size.compare_seconds)


def race(
    engines: Engines,
    loads: Mapping[str, Sequence[int]],
    compare_seconds: float,
    *,
    seconds: int = ROUND_SECONDS,
) -> Sequence[BenchmarkLine]:
    """Load both with each method over each number of connections, in rounds of `seconds`.

    Raises LoadFailed.
    """
    settings = {"LOG_LEVEL": "INFO", "EVENT_VERSION": "1"}
    with (
        engines.running(_OURS, settings) as ours,
        floor(engines, "smallest_api", _OURS, settings) as smallest,
    ):
        smallest.until_ready()
        contenders = {_OURS: ours, SMALLEST: smallest}
        env = {"SUBSCRIPTION_ID": _subscribe(contenders[_OURS])}
        for each in contenders.values():
            for _ in range(WARM_UP_REQUESTS):
                _subscribe(each)
        return [
            line
            for method, connections in loads.items()
            for at_once in connections
            for line in _lines(
                f"{method}, {at_once} connection{'s' * (at_once > 1)}",
                {
                    name: partial(load, each, method, connections=at_once, seconds=seconds, env=env)
                    for name, each in contenders.items()
                },
                compare_seconds,
                GOALS.get(method),
            )
        ]


def _lines(
    what: str, loads: Mapping[str, Callable[[], Met]], seconds: float, goal: Goal | None
) -> Iterator[BenchmarkLine]:
    met: dict[str, list[Met]] = {name: [] for name in loads}

    def play(name: str) -> float:
        met[name].append(loads[name]())
        return met[name][-1].throughput

    found = interleaved({name: partial(play, name) for name in loads}, seconds=seconds)
    yield BenchmarkLine(ROW, what, "requests/s", found[_OURS], found[SMALLEST], goal)
    for part, percent in ((0.5, "p50"), (0.99, "p99")):
        ours, smallest = (
            Series(name, tuple(each.milliseconds(part) for each in met[name]))
            for name in (_OURS, SMALLEST)
        )
        yield BenchmarkLine(ROW, f"{what}: {percent}", "ms", ours, smallest)


def _subscribe(process: LaunchedProcess) -> str:
    """Make a subscription, such as the one that is read; its id."""
    answer = httpx.post(f"{process.url}/subscriptions", json=ORDER, trust_env=False)
    return str(answer.raise_for_status().json()["id"])
