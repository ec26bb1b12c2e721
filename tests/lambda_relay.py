"""The Lambda relay between fakes, in execution environments that come and go."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from contracts.outbox import OutboxRecord
from relay.aws_lambda import sweep_within
from relay.batch import BatchPublisher, StreamBatchHandler
from relay.ports import RelayAdapters
from relay.settings import SweepSettings
from runtime.congestion import CongestionControl
from runtime.ids import utc_now
from runtime.metrics import RelayMetrics, new_registry
from runtime.outbox.dynamodb_rows import row_of, to_item
from runtime.outbox.rows import Row
from tests.relay_fakes import MemoryDeadLetters, MemoryOutbox, MemoryTarget, record_of
from tests.stream_events import TABLE, insert_of

EVERYTHING = SweepSettings(aws_region="eu-west-1", sweep_min_age_seconds=0)
"""A sweep of all that there is, whatever its age."""


SUCCESS: dict[str, Any] = {"batchItemFailures": []}


@dataclass
class LambdaRelay:
    """`seconds_left` are the invocation's, `waits` those that it would have waited between tries.

    `seconds` is the time, by which answers are late or do not come.
    """

    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    target: MemoryTarget = field(default_factory=MemoryTarget)
    dead_letters: MemoryDeadLetters = field(default_factory=MemoryDeadLetters)
    seconds_left: float = 200
    seconds: float = 0.0
    remembered: int = 1000
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start_environment()

    @property
    def adapters(self) -> RelayAdapters:
        return RelayAdapters(self.outbox, self.target, self.dead_letters)

    def start_environment(self) -> None:
        """Forget, as a new execution environment of Lambda does."""
        metrics = RelayMetrics(new_registry())
        publisher = BatchPublisher(
            self.adapters, metrics, wait=self.waits.append, congestion=self._congestion
        )
        self.handler = StreamBatchHandler(publisher, TABLE, remembered=self.remembered)

    def _congestion(self, calls: int, entries: int) -> CongestionControl:
        return CongestionControl(calls, entries, longest_pause=0.0, now=lambda: self.seconds)

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        return self.handler.handle(event, lambda: self.seconds_left)

    def publish(self, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return self({"Records": list(records)})

    def commit(self, *events: OutboxRecord) -> list[dict[str, Any]]:
        """Put events in the outbox; returns their stream records."""
        return self.put(*(event.to_document() for event in events))

    def put(self, *documents: dict[str, Any]) -> list[dict[str, Any]]:
        self.outbox.put(*(row_of(to_item(document)) for document in documents))
        return [insert_of(document) for document in documents]

    def sweep(self, seconds: float = 10) -> None:
        sweep_within(seconds, self.adapters, EVERYTHING)


def events(*keys: tuple[str, int]) -> list[OutboxRecord]:
    """Events of a moment ago: a sweep of everything asks for what is older than now."""
    then = utc_now() - timedelta(seconds=1)
    return [record_of(name, sequence, occurred_at=then) for name, sequence in keys]


def rows(*keys: tuple[str, int]) -> list[Row]:
    """Rows of such events, as an outbox has them."""
    return [row_of(to_item(event.to_document())) for event in events(*keys)]
