"""Messages in a queue → effects committed: the stock consumer beside a raw loop."""

from collections.abc import Sequence

from verification.benchmarks.contenders import SHORT_POLL, Entry, floor, rate, wait_for
from verification.benchmarks.lines import BESIDE_A_FLOOR, BenchmarkLine
from verification.benchmarks.rounds import interleaved
from verification.benchmarks.sizes import Size
from verification.load import poison
from verification.load.queues import depth, send_all
from verification.testkit.engines import Engines

ROW = "Consumer: messages → effects committed"
_CONSUMER, _FLOOR = "stock-consumer", "raw loop"


def run(engines: Engines, size: Size) -> Sequence[BenchmarkLine]:
    messages = size.events // 3  # some hundreds a second

    def drain(entry: Entry) -> float:
        """Messages a second, until each is handled and deleted."""
        bodies = poison.a_load(messages, 0).bodies
        return rate(
            entry,
            messages,
            prepare=lambda: send_all(engines, poison.QUEUE, bodies),
            wait=lambda: wait_for(lambda: not depth(engines, poison.QUEUE), "an empty queue"),
        )

    found = interleaved(
        {
            _CONSUMER: lambda: drain([engines.running(_CONSUMER, SHORT_POLL)]),
            _FLOOR: lambda: drain([floor(engines, "consumer", _CONSUMER, polls=True)]),
        },
        seconds=2 * size.compare_seconds,
    )
    return [
        BenchmarkLine(ROW, "drain", "messages/s", found[_CONSUMER], found[_FLOOR], BESIDE_A_FLOOR)
    ]
