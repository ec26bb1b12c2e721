"""A row of an outbox as a person is shown it, also one that no event can be made of."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.outbox import OutboxRecord
from operations.sources.ledger import EventKey, type_of
from runtime.outbox.rows import Row


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A row in an outbox. Of one that cannot be read, `problem` says why not.

    Its `event_id` is unknown then, and `occurred_at` is when it was looked at.
    """

    key: EventKey
    event_id: str | None
    occurred_at: datetime
    causation_id: str | None
    outbox: str
    relay: str
    problem: str | None = None


def waiting_row(row: Row, *, domain: str, outbox: str, relay: str) -> WaitingRow:
    """Describe a row by its record, or by its key and what is wrong with it."""
    record = row.content
    if isinstance(record, OutboxRecord):
        return WaitingRow(
            key=EventKey(record.event_type, record.aggregate_id, record.sequence),
            event_id=record.event_id,
            occurred_at=record.occurred_at,
            causation_id=_causation(record.detail),
            outbox=outbox,
            relay=relay,
        )
    event_type = type_of(domain, row.sequence) or "a row that cannot be read"
    return WaitingRow(
        key=EventKey(event_type, row.aggregate_id, row.sequence),
        event_id=None,
        occurred_at=datetime.now(UTC),
        causation_id=None,
        outbox=outbox,
        relay=relay,
        problem=str(record.error),
    )


def _causation(detail: str) -> str | None:
    """The event that led to this one; the detail is a JSON object, of whatever shape."""
    metadata = json.loads(detail).get("metadata")
    found = metadata.get("causationId") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) else None
