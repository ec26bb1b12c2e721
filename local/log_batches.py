"""Cuts log events into batches that one PutLogEvents call takes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_PUT_EVENTS = 10_000
"""Events in one PutLogEvents call."""

MAX_PUT_BYTES = 1_048_576
"""Bytes of one PutLogEvents call: the messages in UTF-8 plus `OVERHEAD` for each."""

OVERHEAD = 26
"""Bytes that each event counts beside its message. All four numbers: the PutLogEvents reference."""

MAX_SPAN = 24 * 3600 * 1000
"""Milliseconds between the first and the last event of one call."""


@dataclass(frozen=True)
class LogEvent:
    """A line of a log stream; `timestamp` in milliseconds, `receipt` of the message it came in."""

    timestamp: int
    message: str
    receipt: str

    @property
    def size(self) -> int:
        """Bytes that it counts in a call."""
        return len(self.message.encode()) + OVERHEAD


def batches(events: Iterable[LogEvent]) -> Iterator[list[LogEvent]]:
    """Yield the events in chronological order, in batches within every limit of one call.

    An event that is too large by itself comes alone: it is for the caller to refuse.
    """
    batch: list[LogEvent] = []
    size = 0
    for event in sorted(events, key=lambda event: event.timestamp):
        if batch and (
            len(batch) == MAX_PUT_EVENTS
            or size + event.size > MAX_PUT_BYTES
            or event.timestamp - batch[0].timestamp > MAX_SPAN
        ):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += event.size
    if batch:
        yield batch
