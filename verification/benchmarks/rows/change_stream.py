"""Committed documents → change stream → FIFO queue → bus, beside the same calls in loops."""

from collections.abc import Sequence

from verification.benchmarks.contenders import BENCH_BUS, SHORT_POLL, BusDrain, floor
from verification.benchmarks.lines import BESIDE_A_FLOOR, BenchmarkLine
from verification.benchmarks.rounds import interleaved
from verification.benchmarks.sizes import Size
from verification.load.outboxes import LoadedCollection
from verification.load.queues import depth
from verification.testkit.engines import Engines

ROW = "Change stream → FIFO queue → bus"
_RELAY, _FLOOR = "relay and forwarder", "raw floor"
STREAM, FORWARD = "payments-change-stream", "payments-forward"
SETTINGS = {"EVENT_BUS": BENCH_BUS, **SHORT_POLL}
FIFO_QUEUE = "payment-events.fifo"


def run(engines: Engines, size: Size) -> Sequence[BenchmarkLine]:
    events = size.events // 3  # MiniStack's FIFO queue takes some hundreds a second
    outbox = LoadedCollection(engines)

    def is_empty() -> bool:
        return outbox.collection.find_one({}, {"_id": 1}) is None and not depth(engines, FIFO_QUEUE)

    drain = BusDrain(engines, outbox, is_empty)

    def ours() -> float:
        relay, forwarder = engines.running(STREAM), engines.running(FORWARD, SETTINGS)
        return drain.rate([relay, forwarder], events)

    def loops() -> float:
        relay = floor(engines, "change_stream", STREAM)
        forwarder = floor(engines, "forward", FORWARD, SETTINGS, polls=True)
        return drain.rate([relay, forwarder], events)

    found = interleaved({_RELAY: ours, _FLOOR: loops}, seconds=2 * size.compare_seconds)
    return [BenchmarkLine(ROW, "drain", "events/s", found[_RELAY], found[_FLOOR], BESIDE_A_FLOOR)]
