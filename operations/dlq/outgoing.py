"""What is sent for a dead letter to be where it belongs, or why it cannot be sent."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contracts.outbox import ROW_KEY, EventTooLarge, MalformedRecord, OutboxRecord
from contracts.timestamps import parse_timestamp
from operations.sources.dead_letters import BATCH_INFO, DeadLetter
from operations.sources.origins import BackToQueue, Destination, OnToBus, OutToBus


@dataclass(frozen=True)
class Message:
    """For a queue; `group` for a FIFO one."""

    body: str
    group: str | None = None

    @property
    def size(self) -> int:
        return len(self.body.encode())


@dataclass(frozen=True)
class Event:
    """For a bus. `time` is when it occurred, as its first publication said."""

    source: str
    detail_type: str
    detail: str
    time: datetime
    resources: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that PutEvents counts; see contracts.outbox.OutboxRecord.entry_size."""
        texts = (self.source, self.detail_type, self.detail, *self.resources)
        return 14 + sum(len(text.encode()) for text in texts)


class Unsendable(ValueError):
    """Sending this dead letter would not help; the message says why, and what would."""


def content_of(dead_letter: DeadLetter, destination: Destination) -> Message | Event:
    """Make what is sent for a dead letter. Raises Unsendable; that one stays where it is."""
    if BATCH_INFO in _object(dead_letter.body):
        raise Unsendable(
            "it names a batch that Lambda gave up: its rows are in the outbox, and the sweep"
            " brings them; drop it once the outbox is empty"
        )
    if dead_letter.encoding == ROW_KEY:
        raise Unsendable(
            "it names a row that stays in its outbox: repair or delete the row, then drop it"
        )
    if dead_letter.encoding is not None:
        raise Unsendable(
            f"its body is {dead_letter.encoding}, of which no event can be made: repair what wrote"
            " it, or drop it"
        )
    match destination:
        case BackToQueue(fifo=True):
            record = _record(dead_letter.body)
            return Message(dead_letter.body, dead_letter.group or record.aggregate_id)
        case BackToQueue():
            return Message(dead_letter.body)
        case OnToBus():
            return _delivered(dead_letter.body)
        case OutToBus():
            return _published(_record(dead_letter.body))


def _record(body: str) -> OutboxRecord:
    try:
        return OutboxRecord.from_json(body)
    except (MalformedRecord, EventTooLarge) as error:
        raise Unsendable(
            f"it is still no event that can be published ({error}): fix what wrote it, or drop it"
        ) from None


def _published(record: OutboxRecord) -> Event:
    return Event(record.source, record.event_type, record.detail, record.occurred_at)


def _delivered(body: str) -> Event:
    """Read the event that EventBridge could not deliver; its envelope's `id` will be another."""
    document = _object(body)
    source, detail_type = document.get("source"), document.get("detail-type")
    detail, time = document.get("detail"), document.get("time")
    if not (
        isinstance(source, str)
        and isinstance(detail_type, str)
        and isinstance(detail, dict)
        and isinstance(time, str)
    ):
        raise Unsendable("its body is not an EventBridge event: drop it")
    try:
        occurred = parse_timestamp(time).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unsendable("the time in its body cannot be read: drop it") from None
    resources = tuple(each for each in document.get("resources") or () if isinstance(each, str))
    try:
        text = json.dumps(detail, ensure_ascii=False, separators=(",", ":"))
        (text + source + detail_type + "".join(resources)).encode()
    except (RecursionError, UnicodeEncodeError):
        raise Unsendable("no bus would take its body: drop it") from None
    return Event(source, detail_type, text, occurred, resources)


def _object(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
