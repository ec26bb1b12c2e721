"""A row of an outbox, as it was read: an outbox record, or what cannot be published."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.outbox import EventTooLarge, MalformedRecord, OutboxRecord

EVER = datetime.max.replace(tzinfo=UTC)
"""Later than any row: every row is older, whether or not its time can be read."""

AHEAD = timedelta(hours=1)
"""How far ahead of a moment a database is trusted to know a young row by its text alone.

What lies further ahead is read and judged here: a text may look like a time and be none.
"""


_OTHER_FIELDS = 600
"""Bytes of a record beside its detail: what they take as JSON in the events of this system."""


@dataclass(frozen=True)
class Unpublishable:
    """A row that no retry can make right: what it holds, as text, and the reason.

    `encoding` names how the text is written; None for plain JSON.
    """

    body: str
    error: Exception
    encoding: str | None = None


@dataclass(frozen=True)
class Row:
    """A row's key, what its outbox deletes it by, and what is in it."""

    aggregate_id: str
    sequence: int
    handle: Any
    content: OutboxRecord | Unpublishable

    @property
    def key(self) -> tuple[str, int]:
        return self.aggregate_id, self.sequence

    @property
    def occurred_at(self) -> datetime | None:
        """When the event happened; None where that cannot be read."""
        return self.content.occurred_at if isinstance(self.content, OutboxRecord) else None

    @property
    def size(self) -> int:
        """Bytes, roughly, that the row holds in memory."""
        if isinstance(self.content, OutboxRecord):
            return len(self.content.detail) + _OTHER_FIELDS
        return len(self.content.body)


def parse(
    document: Mapping[str, Any], as_stored: Callable[[], tuple[str, str]]
) -> OutboxRecord | Unpublishable:
    """Read a stored document by the rule of contracts.outbox; never raises.

    One that is no outbox record is set aside as JSON, or as text and encoding of `as_stored` where
    JSON has no way to write what is in it.
    """
    try:
        return OutboxRecord.from_document(document)
    except (MalformedRecord, EventTooLarge) as error:
        text = _plain_json(document)
        body, encoding = (text, None) if text is not None else as_stored()
        return Unpublishable(body, error, encoding)


def is_old(row: Row, moment: datetime) -> bool:
    """Whether a scan up to a moment wants a row: one whose time cannot be read counts as old."""
    return row.occurred_at is None or row.occurred_at < moment


def _plain_json(document: Mapping[str, Any]) -> str | None:
    """Write a document as JSON; None where it holds what JSON or UTF-8 cannot."""
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError):
        return None
    return text
