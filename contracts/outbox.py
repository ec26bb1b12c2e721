"""The outbox record: an event that is committed with its aggregate and waits to be published.

Services write it, and so may a migration, a script or another language's driver. One rule says
what a relay takes, the same on DynamoDB, on MongoDB and in the FIFO queue. As JSON Schema it is
`schemas/OutboxRecord.v1.json`.

- `aggregateId`, `eventId`, `eventType`, `source`: texts, not empty.
- `sequence`: a whole number from 1 to 2^63 - 1.
- `occurredAt`: any text that `contracts.timestamps` reads; in MongoDB a BSON date of the years 1
  to 9999 as well. It is published as UTC with milliseconds, and is as old as that moment says.
- `detail`: the text of a JSON object. `correlationId`: a text.
- `traceparent`: a text, null or absent.
- An empty `correlationId`, and a `traceparent` that is null or absent, are those of `detail`'s
  `metadata`, where it has them: `to_row` leaves out what is there already. A relay of before
  publishes such a row like any other; its log and its spans lack the two.
- No text holds a lone surrogate, and the record's JSON takes at most MAX_RECORD_BYTES.
- Fields that are not named here are ignored.

Anything else is malformed: its row is set aside in the dead-letter queue, with the reason and what
it holds, and leaves the outbox. What the dead-letter queue cannot take stays where it is.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from pydantic_core import PydanticSerializationError, from_json, to_json

from contracts.timestamps import format_timestamp, parse_timestamp

MAX_RECORD_BYTES = 1024 * 1024 - 4096
"""An SQS message and a PutEvents entry hold 1 MiB; 4 KiB are left for the envelope around them.

Sources: the PutEvents entry limit and the SQS message quota, both 1 MiB since 2026, and
EventBridge's remark that an event is larger than the entry it was made of.
"""


MAX_SEQUENCE = 2**63 - 1
"""The largest whole number that BSON holds; DynamoDB's may have 38 digits."""


DYNAMODB_JSON, BASE64_BSON, ROW_KEY = "dynamodb-json", "base64-bson", "row-key"
"""bodyEncoding of a dead letter whose body is not the row as plain JSON: DynamoDB's JSON of the
item, the document's BSON in base64, or the key alone of a row that stays in its outbox."""


class EventTooLarge(ValueError):
    """An event that no bus or queue would take; raised when it is appended, not when it is sent."""

    def __init__(self, event_type: str, size: int, limit: int) -> None:
        super().__init__(f"{event_type} takes {size} bytes; an event may take {limit}")
        self.event_type, self.size, self.limit = event_type, size, limit


class MalformedRecord(ValueError):
    """A stored document that is not an outbox record; says which fields are missing or wrong."""


@dataclass(frozen=True, order=True)
class RecordKey:
    """Where a record is: one aggregate's records share a partition, in order of sequence."""

    aggregate_id: str
    sequence: int


@dataclass(frozen=True)
class OutboxRecord:
    """One event, as committed. `detail` is the JSON text exactly as it will be published.

    Raises EventTooLarge if its JSON form passes MAX_RECORD_BYTES (UTF-8 bytes).
    """

    aggregate_id: str
    sequence: int
    event_id: str
    event_type: str
    source: str
    occurred_at: datetime
    detail: str
    correlation_id: str
    traceparent: str | None = None

    def __post_init__(self) -> None:
        if not self._is_surely_small() and self.size > MAX_RECORD_BYTES:
            raise EventTooLarge(self.event_type, self.size, MAX_RECORD_BYTES)

    def _is_surely_small(self) -> bool:
        """Whether `size`, which takes a serialization, need not be known.

        JSON has six bytes for a character of ASCII at most; names and numbers take a few hundred.
        """
        texts = (
            *(self.aggregate_id, self.event_id, self.event_type, self.source),
            *(self.detail, self.correlation_id, self.traceparent or ""),
        )
        together = "".join(texts)
        return together.isascii() and 6 * len(together) + 1024 <= MAX_RECORD_BYTES

    @property
    def key(self) -> RecordKey:
        return RecordKey(self.aggregate_id, self.sequence)

    @cached_property
    def size(self) -> int:
        """Bytes of the record's JSON form: what it takes in a queue and, roughly, in memory."""
        return len(self._to_bytes())

    @property
    def entry_size(self) -> int:
        """Bytes that PutEvents counts: source, detail-type and detail in UTF-8, 14 for the time.

        Source: "Calculating PutEvents event entry size" in the EventBridge user guide.
        """
        return 14 + sum(len(text.encode()) for text in (self.source, self.event_type, self.detail))

    def to_document(self) -> dict[str, str | int]:
        """The record as both databases and the FIFO queue hold it; absent values are left out."""
        document: dict[str, str | int] = {
            "aggregateId": self.aggregate_id,
            "sequence": self.sequence,
            "eventId": self.event_id,
            "eventType": self.event_type,
            "source": self.source,
            "occurredAt": format_timestamp(self.occurred_at),
            "detail": self.detail,
            "correlationId": self.correlation_id,
        }
        if self.traceparent is not None:
            document["traceparent"] = self.traceparent
        return document

    def to_row(self) -> dict[str, str | int]:
        """The record as DynamoDB holds it, which bills by the KB: nothing twice.

        What the detail's metadata says as well is empty or left out: some 100 bytes.
        """
        row = self.to_document()
        try:
            detail = from_json(self.detail)
        except ValueError:
            return row
        repeated = _repeated(detail)
        if repeated.get("correlationId") == self.correlation_id:
            row["correlationId"] = ""
        if repeated.get("traceparent") == self.traceparent:
            row.pop("traceparent", None)
        return row

    def to_json(self) -> str:
        return self._to_bytes().decode()

    def _to_bytes(self) -> bytes:
        # Pydantic's writer takes a quarter of the time of json.dumps, and every row is measured.
        return to_json(self.to_document())

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read `to_document`'s form or `to_row`'s; raises MalformedRecord, naming every fault."""
        wrong = list(_faults(document))
        if wrong:
            raise MalformedRecord("; ".join(wrong))
        try:
            occurred_at = parse_timestamp(document["occurredAt"])
            detail = _loads(document["detail"])
        except ValueError as error:
            raise MalformedRecord(f"occurredAt or detail cannot be read: {error}") from None
        if not isinstance(detail, dict):
            raise MalformedRecord("detail is not a JSON object")
        repeated, traceparent = _repeated(detail), document.get("traceparent")
        try:
            return cls(
                aggregate_id=document["aggregateId"],
                sequence=document["sequence"],
                event_id=document["eventId"],
                event_type=document["eventType"],
                source=document["source"],
                occurred_at=occurred_at,
                detail=document["detail"],
                correlation_id=document["correlationId"] or repeated.get("correlationId", ""),
                traceparent=repeated.get("traceparent") if traceparent is None else traceparent,
            )
        except PydanticSerializationError:
            raise MalformedRecord("a text in it holds half a surrogate pair") from None

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read `to_json`'s form; raises MalformedRecord."""
        try:
            document = _loads(text)
        except ValueError as error:
            raise MalformedRecord(f"not JSON: {error}") from None
        if not isinstance(document, dict):
            raise MalformedRecord("not a JSON object")
        return cls.from_document(document)


def _faults(document: Mapping[str, Any]) -> Iterator[str]:
    for name, kind in _REQUIRED.items():
        if name not in document:
            yield f"{name} is missing"
        elif not _is(document[name], kind):
            yield f"{name} is not {kind.__name__}"
        elif name in _NOT_EMPTY and not document[name]:
            yield f"{name} is empty"
        elif kind is int and not 1 <= document[name] <= MAX_SEQUENCE:
            yield f"{name} is not a number from 1 to 2^63 - 1"
    traceparent = document.get("traceparent")
    if traceparent is not None and not _is(traceparent, str):
        yield "traceparent is not str"


def _repeated(detail: object) -> Mapping[str, str]:
    """What a detail's metadata says that a record says too; ASCII alone, as ours are."""
    metadata = detail.get("metadata") if isinstance(detail, dict) else None
    if not isinstance(metadata, dict):
        return {}
    found = ((name, metadata.get(name)) for name in ("correlationId", "traceparent"))
    return {name: text for name, text in found if isinstance(text, str) and text.isascii()}


def _is(value: object, kind: type) -> bool:
    """Whether it is of the kind; True and False are int to Python, but no number to us."""
    return isinstance(value, kind) and not isinstance(value, bool)


def _loads(text: str) -> object:
    """Read JSON; raises ValueError, also for what is nested deeper than Python can follow.

    Pydantic's reader takes a quarter of the time of json.loads, and refuses some that is JSON to
    it: deeper than 200 levels, or with half a surrogate pair.
    """
    with suppress(ValueError):
        return from_json(text)
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


_REQUIRED: dict[str, type] = {
    "aggregateId": str,
    "sequence": int,
    "eventId": str,
    "eventType": str,
    "source": str,
    "occurredAt": str,
    "detail": str,
    "correlationId": str,
}

_NOT_EMPTY = {"aggregateId", "eventId", "eventType", "source"}
"""Texts that name the event: EventBridge takes no entry without a source and a type."""
