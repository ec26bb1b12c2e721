"""Committed rows of a DynamoDB outbox → on the bus: beside the raw floor, and the naive relay."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from local.child import wait_until_listening
from verification.benchmarks.contenders import BENCH_BUS, BusDrain, floor
from verification.benchmarks.floors.aws import delete_rows
from verification.benchmarks.lines import BESIDE_A_FLOOR, BenchmarkLine, Goal, Series
from verification.benchmarks.rounds import interleaved
from verification.benchmarks.sizes import Size
from verification.load.outboxes import LoadedTable
from verification.testkit.engines import Engines
from verification.testkit.launcher import running

ROW = "Relay: committed rows → on the bus"
_RELAY, _FLOOR, NAIVE = "relay", "raw floor", "naive relay"
WORKLOAD = "subscriptions-relay"
ON_BENCH_BUS: Mapping[str, str] = {"EVENT_BUS": BENCH_BUS}

ON_LOOPBACK = "drain on loopback"

NAIVE_GOALS = {0: BESIDE_A_FLOOR, 20: Goal("at least", 3.0), 100: Goal("at least", 12.0)}
"""By milliseconds added to every call to AWS.

On loopback both are limited by CPU, and ours does more: it deletes. Far away the naive relay is
limited by the delay (5 events a call, one call at a time) and ours by the CPU, so the ratio grows
with the machine. These goals ask for some 600 events a second of the relay, a third or less of what
it did on the machines that we had.
"""

NAIVE_SECONDS = 3
"""How long the naive relay is watched where each of its calls takes 20 ms or more."""


def run(engines: Engines, size: Size) -> Sequence[BenchmarkLine]:
    drains = _Drains(engines)
    lines = _near(drains, size)
    for milliseconds in () if size.is_quick else (20, 100):
        lines += _far(drains, size, milliseconds)
    return lines


def _near(drains: "_Drains", size: Size) -> list[BenchmarkLine]:
    contenders: dict[str, Callable[[], float]] = {
        _RELAY: lambda: drains.by_relay(size.events, {}),
        _FLOOR: lambda: drains.by_floor(size.events),
    }
    if not size.is_quick:
        contenders |= {NAIVE: lambda: drains.by_naive_relay(size.events, {})}
    found = interleaved(contenders, seconds=1.5 * size.compare_seconds)
    goals = {_FLOOR: BESIDE_A_FLOOR, NAIVE: NAIVE_GOALS[0]}
    return [
        _line(ON_LOOPBACK, found[_RELAY], found[name], goal)
        for name, goal in goals.items()
        if name in found
    ]


def _far(drains: "_Drains", size: Size, milliseconds: int) -> list[BenchmarkLine]:
    naive_rows = round(NAIVE_SECONDS * 5 / (milliseconds / 1000 + 0.002))
    with _delayed(drains.engines, milliseconds) as far:
        contenders = {
            _RELAY: lambda: drains.by_relay(size.events, far),
            NAIVE: lambda: drains.by_naive_relay(naive_rows, far),
        }
        found = interleaved(contenders, seconds=1.5 * size.compare_seconds)
    return [_line(added(milliseconds), found[_RELAY], found[NAIVE], NAIVE_GOALS[milliseconds])]


@contextmanager
def _delayed(engines: Engines, milliseconds: int) -> Iterator[Mapping[str, str]]:
    """Give the settings of a process that is so far away from AWS, until the block ends."""
    command = f"{urlsplit(engines.endpoint).port} {milliseconds}"
    with running(
        engines.folder,
        "verification.testkit.tcp_proxy",
        command,
        {},
        port_name="PROXY_PORT",
        is_measured=False,
    ) as proxy:
        wait_until_listening(proxy.port, timeout=60, what=proxy.name, child=proxy.child)
        yield {"AWS_ENDPOINT_URL": proxy.url}


def added(milliseconds: int) -> str:
    """What a drain is called for which AWS is so far away."""
    return f"drain with {milliseconds} ms added to every call"


def _line(what: str, relay: Series, peer: Series, goal: Goal) -> BenchmarkLine:
    return BenchmarkLine(ROW, what, "events/s", relay, peer, goal)


class _Drains:
    """Events a second by each contender; `far` has the settings of one that is far from AWS."""

    def __init__(self, engines: Engines) -> None:
        self.engines = engines
        self._dynamodb: Any = engines.aws.client("dynamodb")
        outbox = LoadedTable(engines)
        self._table = outbox.table
        self._drain = BusDrain(engines, outbox, lambda: not self._rows(Limit=1))

    def by_relay(self, rows: int, far: Mapping[str, str]) -> float:
        return self._drain.rate([self.engines.running(WORKLOAD, {**ON_BENCH_BUS, **far})], rows)

    def by_floor(self, rows: int) -> float:
        return self._drain.rate([floor(self.engines, "relay", WORKLOAD, ON_BENCH_BUS)], rows)

    def by_naive_relay(self, rows: int, far: Mapping[str, str]) -> float:
        """And take away the rows, of which it deletes none."""
        naive = floor(self.engines, "naive_relay", WORKLOAD, {**ON_BENCH_BUS, **far})
        found = self._drain.publishing_rate([naive], rows)
        self._delete_all()
        return found

    def _delete_all(self) -> None:
        while items := self._rows():
            delete_rows(self._dynamodb, self._table, items)

    def _rows(self, **most: int) -> list[Any]:
        found: list[Any] = self._dynamodb.scan(TableName=self._table, **most)["Items"]
        return found
