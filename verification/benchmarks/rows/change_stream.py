"""Committed documents → change stream → FIFO queue → bus, beside the same calls in loops."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from verification.benchmarks.contenders import SHORT_POLL, Entry, floor, rate
from verification.benchmarks.lines import BESIDE_A_FLOOR, BenchmarkLine
from verification.benchmarks.outboxes import BENCH_BUS, BusSample, fill, wait_until_empty
from verification.benchmarks.rounds import interleaved
from verification.benchmarks.sizes import Size
from verification.load.outboxes import LoadedCollection
from verification.load.queues import depth
from verification.testkit.engines import Engines, running_engines

ROW = "Change stream → FIFO queue → bus"
_RELAY, _FLOOR = "relay and forwarder", "raw floor"
STREAM, FORWARD = "payments-change-stream", "payments-forward"
SETTINGS = {"EVENT_BUS": BENCH_BUS, **SHORT_POLL}
FIFO_QUEUE = "payment-events.fifo"


def run(size: Size) -> Sequence[BenchmarkLine]:
    events = size.events // 3  # MiniStack's FIFO queue takes some hundreds a second
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        running_engines(Path(folder)) as engines,
    ):
        drain = _Drain(engines)
        found = interleaved(
            {
                _RELAY: lambda: drain.rate(
                    [engines.running(STREAM), engines.running(FORWARD, SETTINGS)], events
                ),
                _FLOOR: lambda: drain.rate(
                    [
                        floor(engines, "verification.benchmarks.floors.change_stream", STREAM),
                        floor(
                            engines,
                            "verification.benchmarks.floors.forward",
                            FORWARD,
                            SETTINGS,
                            polls=True,
                        ),
                    ],
                    events,
                ),
            },
            seconds=2 * size.compare_seconds,
        )
    return [BenchmarkLine(ROW, "drain", "events/s", found[_RELAY], found[_FLOOR], BESIDE_A_FLOOR)]


class _Drain:
    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._outbox = LoadedCollection(engines)
        engines.aws.client("events").create_event_bus(Name=BENCH_BUS)
        self._sampler = BusSample(engines, BENCH_BUS)
        client: MongoClient[dict[str, Any]] = MongoClient(engines.mongodb_uri)
        self._collection = client[engines.database]["outbox"]

    def rate(self, entry: Entry, events: int) -> float:
        """Events a second, until all are on the bus and both the outbox and the queue are empty."""

        def wait() -> None:
            self._sampler.wait_for(events)
            wait_until_empty(self._is_empty)

        found = rate(entry, events, prepare=lambda: fill(self._outbox, events), wait=wait)
        self._sampler.clear()
        return found

    def _is_empty(self) -> bool:
        return self._collection.find_one({}, {"_id": 1}) is None and not depth(
            self._engines, FIFO_QUEUE
        )
