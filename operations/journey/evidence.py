"""What was found of one aggregate, and how it is read from outbox rows, bus logs and dead letters.

What is read here needs AWS alone; state, and rows of a database, are added by who has access.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self
from uuid import UUID

from contracts.outbox import OutboxRecord
from operations.environment import Environment
from operations.sources.bus_logs import SKEW, BusEvent, log_of, read_bus
from operations.sources.dead_letters import DeadLetter
from operations.sources.lease import MAX_MESSAGES, Opened
from operations.sources.ledger import AggregateState, EventKey, type_of
from operations.sources.peeking import peek
from runtime.ids import utc_now
from runtime.outbox.rows import Row

_UUID7 = 7


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A row in an outbox. Of one that cannot be read, `problem` says why not.

    Its `event_id` is unknown then, and `occurred_at` is when it was read.
    """

    key: EventKey
    event_id: str | None
    occurred_at: datetime
    causation_id: str | None
    outbox: str
    relay: str
    problem: str | None = None

    @classmethod
    def of(cls, row: Row, *, domain: str, outbox: str, relay: str) -> Self:
        """Describe a row by its record, or by its key and what is wrong with it."""
        record = row.content
        if isinstance(record, OutboxRecord):
            return cls(
                key=EventKey(record.event_type, record.aggregate_id, record.sequence),
                event_id=record.event_id,
                occurred_at=record.occurred_at,
                causation_id=_causation(record.detail),
                outbox=outbox,
                relay=relay,
            )
        event_type = type_of(domain, row.sequence) or "a row that cannot be read"
        return cls(
            key=EventKey(event_type, row.aggregate_id, row.sequence),
            event_id=None,
            occurred_at=utc_now(),
            causation_id=None,
            outbox=outbox,
            relay=relay,
            problem=str(record.error),
        )


@dataclass(frozen=True)
class Evidence:
    """All that was found of one aggregate.

    `events` are pairs of a bus and what was on it. `waiting` is how many messages each queue holds,
    of any aggregate.
    """

    aggregate_id: str
    read_at: datetime
    states: Mapping[str, AggregateState] = field(default_factory=dict)
    rows: Sequence[OutboxRow] = ()
    events: Sequence[tuple[str, BusEvent]] = ()
    dead_letters: Sequence[DeadLetter] = ()
    waiting: Mapping[str, int] = field(default_factory=dict)


def read_bus_log(
    environment: Environment, bus: str, name: str, *, since: datetime | None
) -> Iterator[tuple[BusEvent, str]]:
    """Read the events that name an id from a bus's log, each with its text. Raises Unavailable."""
    for line, message in read_bus(*log_of(environment, bus), since=since, containing=name):
        if isinstance(line, BusEvent):
            yield line, message


def read_dead_letters(queues: Sequence[Opened]) -> Iterator[DeadLetter]:
    """Look into dead-letter queues, and leave them as they were. Raises Unavailable."""
    for each in peek(queues, most=MAX_MESSAGES):
        yield from each.dead_letters


def made_at(name: str) -> datetime | None:
    """When an event id was made, less SKEW: a UUIDv7 has milliseconds in its first 48 bits."""
    try:
        uuid = UUID(name)
    except ValueError:
        return None
    if uuid.version != _UUID7:
        return None
    return datetime.fromtimestamp((uuid.int >> 80) / 1000, UTC) - SKEW


def _causation(detail: str) -> str | None:
    """The event that caused this one; the detail is a JSON object, of whatever shape."""
    metadata = json.loads(detail).get("metadata")
    found = metadata.get("causationId") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) else None
