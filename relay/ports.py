"""A row of an outbox as a relay sees it, and what a relay needs of outboxes and targets."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from contracts.outbox import EventTooLarge, MalformedRecord, OutboxRecord
from runtime.aws_failures import family_of_code
from runtime.verdicts import Family

T = TypeVar("T")

EVER = datetime.max.replace(tzinfo=UTC)
"""Later than any row: every row is older, whether or not its time can be read."""

AHEAD = timedelta(hours=1)
"""How far ahead of a moment a database is trusted to know a young row by its text alone.

What lies further ahead is read and judged here: a text may look like a time and be none.
"""

DYNAMODB_JSON, BASE64_BSON, ROW_KEY = "dynamodb-json", "base64-bson", "row-key"
"""How the body of a dead letter is written that is not the row as plain JSON: DynamoDB's JSON of
the item, the document's BSON in base64, or the key alone of a row that stays in its outbox."""


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


class ChangeFeed(Protocol):
    """Delivers rows soon after they were committed; may drop any of them."""

    def open(self) -> None:
        """Position at LATEST: every later commit will be read. Raises Unavailable."""
        ...

    def read(self) -> Iterable[Row]:
        """Wait a moment for rows committed since the last read. Raises LostPosition, Unavailable.

        Rows of one aggregate come in the order in which the feed has them.
        """
        ...


class LostPosition(Exception):
    """The feed cannot be read on from its position: open it again, and sweep for what it missed."""


@dataclass(frozen=True)
class Failure:
    """The error code and message with which an entry was refused."""

    code: str
    message: str

    @property
    def is_permanent(self) -> bool:
        """Whether the entry would be refused every time.

        The errors of KMS, say, are not its fault: SQS's own SenderFault blames the sender for a key
        that is disabled for an hour.
        """
        return family_of_code(self.code) is Family.ENTRY

    @property
    def is_unknown(self) -> bool:
        """Whether its code is in no list: it may be the entry's fault or the target's."""
        return family_of_code(self.code) is Family.UNKNOWN


class NeverAccepted(Exception):
    """The target refuses this entry and always will; becomes the errorType of a dead letter."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.code}: {failure.message}")


class CallRefused(Exception):
    """The target refused a whole call for what is in it, perhaps for one of its entries."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.code}: {failure.message}")
        self.failure = failure


class Target(Protocol):
    """A durable service: once it has accepted an event, the event's row may be deleted."""

    def publish(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None]:
        """Send one batch within `limits`; returns, in order, None for what was accepted.

        Raises CallRefused, or Unavailable if nothing is known to have been accepted.
        """
        ...

    def size_of(self, record: OutboxRecord) -> int:
        """Bytes that a record counts for against `limits`."""
        ...

    @property
    def limits(self) -> "Limits": ...


@dataclass(frozen=True)
class Limits:
    """What one call may carry: entries, and bytes in total."""

    entries: int
    total_bytes: int

    def admit(self, entries: int, total_bytes: int, more: int) -> bool:
        """Whether a batch of that many entries and bytes has room for an entry of `more` bytes."""
        return entries < self.entries and total_bytes + more <= self.total_bytes

    def cut(self, items: Iterable[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
        """Cut items, in their order, into batches; one that is too large is a batch alone."""
        batch: list[T] = []
        total = 0
        for item in items:
            size = size_of(item)
            if batch and not self.admit(len(batch), total, size):
                yield batch
                batch, total = [], 0
            batch.append(item)
            total += size
        if batch:
            yield batch


class CannotBeDeadLettered(Exception):
    """The dead-letter queue can never take this body."""


class StaysInOutbox(Exception):
    """A row that can be neither published nor dead-lettered; the errorType of its dead letter."""

    def __init__(self, error: Exception, refusal: Exception) -> None:
        super().__init__(
            f"{type(error).__name__}: {error}; its row stays in the outbox, because it cannot be"
            f" dead-lettered: {type(refusal).__name__}: {refusal}"
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
        """Send a body with its error; `once`: only once in the life of this object.

        Raises Unavailable, and CannotBeDeadLettered for what the queue can never take.
        """
        ...
