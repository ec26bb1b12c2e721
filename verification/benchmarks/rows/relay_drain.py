"""Committed rows of a DynamoDB outbox → on the bus: beside the raw floor, and the naive relay."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.child import wait_until_listening
from verification.benchmarks.contenders import floor, rate
from verification.benchmarks.lines import BESIDE_A_FLOOR, BenchmarkLine, Goal, Series
from verification.benchmarks.outboxes import BENCH_BUS, BusSample, fill, wait_until_empty
from verification.benchmarks.rounds import interleaved
from verification.benchmarks.sizes import Size
from verification.load.outboxes import LoadedTable
from verification.testkit.engines import Engines, running_engines
from verification.testkit.launcher import LaunchedProcess, running

ROW = "Relay: committed rows → on the bus"
_RELAY, _FLOOR, NAIVE = "relay", "raw floor", "naive relay"
WORKLOAD = "subscriptions-relay"

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


def run(size: Size) -> Sequence[BenchmarkLine]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        running_engines(Path(folder)) as engines,
    ):
        drain = _Drain(engines)
        lines = _near(drain, size)
        for milliseconds in () if size.is_quick else (20, 100):
            lines += _far(drain, size, milliseconds)
        return lines


def _near(drain: "_Drain", size: Size) -> list[BenchmarkLine]:
    contenders: dict[str, Callable[[], float]] = {
        _RELAY: lambda: drain.rate(drain.relay(), size.events),
        _FLOOR: lambda: drain.rate(drain.floor(), size.events),
    }
    if not size.is_quick:
        contenders |= {NAIVE: lambda: drain.rate(drain.naive(), size.events, deletes=False)}
    found = interleaved(contenders, seconds=1.5 * size.compare_seconds)
    goals = {_FLOOR: BESIDE_A_FLOOR, NAIVE: NAIVE_GOALS[0]}
    return [
        _line(ON_LOOPBACK, found[_RELAY], found[name], goal)
        for name, goal in goals.items()
        if name in found
    ]


def _far(drain: "_Drain", size: Size, milliseconds: int) -> list[BenchmarkLine]:
    naive_rows = round(NAIVE_SECONDS * 5 / (milliseconds / 1000 + 0.002))
    with _delayed(drain.engines, milliseconds) as far:
        contenders: Mapping[str, Callable[[], float]] = {
            _RELAY: lambda: drain.rate(drain.relay(far), size.events),
            NAIVE: lambda: drain.rate(drain.naive(far), naive_rows, deletes=False),
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


Contender = AbstractContextManager[LaunchedProcess]


class _Drain:
    """One outbox and one bus, drained by one contender after the other."""

    def __init__(self, engines: Engines) -> None:
        self.engines = engines
        self._outbox = LoadedTable(engines)
        engines.aws.client("events").create_event_bus(Name=BENCH_BUS)
        self._sampler = BusSample(engines, BENCH_BUS)
        self._dynamodb: Any = engines.aws.client("dynamodb")

    def relay(self, far: Mapping[str, str] | None = None) -> Contender:
        return self.engines.running(WORKLOAD, _settings(far))

    def floor(self) -> Contender:
        return floor(self.engines, "verification.benchmarks.floors.relay", WORKLOAD, _settings())

    def naive(self, far: Mapping[str, str] | None = None) -> Contender:
        return floor(
            self.engines, "verification.benchmarks.floors.naive_relay", WORKLOAD, _settings(far)
        )

    def rate(self, contender: Contender, rows: int, *, deletes: bool = True) -> float:
        """Events a second: rows are written while it is stopped, then it is resumed.

        The time ends when all are on the bus and, where it `deletes`, have left the outbox.
        """

        def wait() -> None:
            self._sampler.wait_for(rows)
            if deletes:
                wait_until_empty(self._is_empty)

        found = rate([contender], rows, prepare=lambda: fill(self._outbox, rows), wait=wait)
        self._clear()
        return found

    def _is_empty(self) -> bool:
        return not self._dynamodb.scan(TableName=self._outbox.table, Limit=1)["Items"]

    def _clear(self) -> None:
        """Take away what a contender leaves: the sample, and rows where it deletes none."""
        self._sampler.clear()
        while items := self._dynamodb.scan(TableName=self._outbox.table)["Items"]:
            for start in range(0, len(items), 25):
                keys = [_key(item) for item in items[start : start + 25]]
                requests = [{"DeleteRequest": {"Key": key}} for key in keys]
                self._dynamodb.batch_write_item(RequestItems={self._outbox.table: requests})


def _settings(far: Mapping[str, str] | None = None) -> Mapping[str, str]:
    return {"EVENT_BUS": BENCH_BUS, **(far or {})}


def _key(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("aggregateId", "sequence")}
