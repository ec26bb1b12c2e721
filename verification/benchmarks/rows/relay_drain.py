"""The same drain on an emulator, which shares the machine's cores with what is measured."""

from collections.abc import Callable, Sequence
from typing import Any

from verification.benchmarks.contenders import BENCH_BUS, BusDrain, floor
from verification.benchmarks.floors.aws import delete_rows
from verification.benchmarks.lines import BenchmarkLine
from verification.benchmarks.rounds import interleaved
from verification.benchmarks.rows.relay_stub import LEAN_FLOOR, NAIVE, RELAY, ROW, WORKLOAD
from verification.benchmarks.sizes import Size
from verification.load.outboxes import LoadedTable
from verification.testkit.engines import Engines

ON_BENCH_BUS = {"EVENT_BUS": BENCH_BUS}
ON_MINISTACK = "drain on MiniStack"


def run(engines: Engines, size: Size) -> Sequence[BenchmarkLine]:
    drains = _Drains(engines)
    contenders: dict[str, Callable[[], float]] = {
        RELAY: lambda: drains.by_relay(size.events),
        LEAN_FLOOR: lambda: drains.by_floor(size.events),
        NAIVE: lambda: drains.by_naive_relay(size.events),
    }
    found = interleaved(contenders, seconds=1.5 * size.compare_seconds)
    ours, *peers = found.values()
    return [BenchmarkLine(ROW, ON_MINISTACK, "events/s", ours, peer) for peer in peers]


class _Drains:
    """Events a second by each contender."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._dynamodb: Any = engines.aws.client("dynamodb")
        outbox = LoadedTable(engines)
        self._table = outbox.table
        self._drain = BusDrain(engines, outbox, lambda: not self._rows(Limit=1))

    def by_relay(self, rows: int) -> float:
        return self._drain.rate([self._engines.running(WORKLOAD, ON_BENCH_BUS)], rows)

    def by_floor(self, rows: int) -> float:
        return self._drain.rate([floor(self._engines, "relay", WORKLOAD, ON_BENCH_BUS)], rows)

    def by_naive_relay(self, rows: int) -> float:
        """And take away the rows, of which it deletes none."""
        naive = floor(self._engines, "naive_relay", WORKLOAD, ON_BENCH_BUS, client="boto3")
        found = self._drain.publishing_rate([naive], rows)
        self._delete_all()
        return found

    def _delete_all(self) -> None:
        while items := self._rows():
            delete_rows(self._dynamodb, self._table, items)

    def _rows(self, **most: int) -> list[Any]:
        found: list[Any] = self._dynamodb.scan(TableName=self._table, **most)["Items"]
        return found
