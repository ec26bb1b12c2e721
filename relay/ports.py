"""A row of an outbox as a relay sees it, and what a relay needs of outboxes and targets."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from contracts.outbox import EventTooLarge, MalformedRecord, OutboxRecord
from runtime.batches import Limits

EVER = datetime.max.replace(tzinfo=UTC)
"""Later than any row: every row is older, whether or not its time can be read."""

AHEAD = timedelta(hours=1)
"""How far ahead of a moment a database is trusted to know a young row by its text alone.

What lies further ahead is read and judged here: a text may look like a time and be none.
"""


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
    """Where a row stands, what its outbox deletes it by, and what is in it."""

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
            return self.content.size
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
    """Whether a sweep up to a moment wants a row: one whose time cannot be read counts as old."""
    return row.occurred_at is None or row.occurred_at < moment


def _plain_json(document: Mapping[str, Any]) -> str | None:
    """Write a document as JSON; None where it holds what JSON or UTF-8 cannot."""
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError):
        return None
    return text


class Outbox(Protocol):
    """The truth: a row is in it exactly as long as its event is not in durable hands."""

    def older_than(self, moment: datetime) -> Iterator[Sequence[Row]]:
        """Read the rows that occurred before `moment`, page by page, in sequence per aggregate.

        A page may be empty with others behind it. A row whose time cannot be read counts as old.
        Raises Unavailable.
        """
        ...

    def delete(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Delete rows, at most MAX_DELETES; returns those that are still there. Unavailable."""
        ...

    @property
    def max_deletes(self) -> int: ...


class Stream(Protocol):
    """The bell: tells of rows soon after they were committed, and may miss any of them."""

    def open(self) -> None:
        """Stand at the stream's end, so that every later commit is told. Raises Unavailable."""
        ...

    def read(self) -> Iterable[Row]:
        """What was told since the last read; waits a moment for it. Raises LostPlace, Unavailable.

        Rows of one aggregate come in the order in which the stream has them.
        """
        ...


class LostPlace(Exception):
    """The stream cannot go on from where it stood: open it again, and sweep for what was missed."""


@dataclass(frozen=True)
class Failure:
    """Why an entry was refused; `permanent` if it would be refused every time."""

    code: str
    message: str
    permanent: bool


class NeverAccepted(Exception):
    """The target refuses this entry and always will; becomes the errorType of a dead letter."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.code}: {failure.message}")


class Target(Protocol):
    """Durable hands: once it has accepted an event, the event's row may go."""

    def publish(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None]:
        """Send one batch within `limits`; answers, in order, None for what was accepted.

        Raises Unavailable if nothing is known to have been accepted.
        """
        ...

    def size_of(self, record: OutboxRecord) -> int:
        """Bytes that a record counts for against `limits`."""
        ...

    @property
    def limits(self) -> Limits: ...


class CannotBeSetAside(Exception):
    """The dead-letter queue can never take this body."""


class StaysInOutbox(Exception):
    """A row that can neither be published nor set aside; the errorType of what is sent for it."""

    def __init__(self, error: Exception, refusal: Exception) -> None:
        super().__init__(
            f"{type(error).__name__}: {error}; its row stays in the outbox, because it cannot be"
            f" set aside: {type(refusal).__name__}: {refusal}"
        )


class DeadLetters(Protocol):
    """Where rows go that can never be published."""

    def send(
        self,
        aggregate_id: str,
        body: str,
        error: Exception,
        *,
        encoding: str | None = None,
        once: bool = False,
    ) -> None:
        """Set a body aside with its reason; `once` in the life of this object, if so asked.

        Raises Unavailable, and CannotBeSetAside for what no try will bring there.
        """
        ...
