"""What is sent for a dead letter to be where it belongs, or why it cannot be sent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contracts.outbox import ROW_KEY, EventTooLarge, MalformedRecord, OutboxRecord
from contracts.timestamps import parse_timestamp
from operations.sources.dead_letters import BATCH_INFO, DeadLetter, object_in
from operations.sources.origins import BackToQueue, Destination, IntoLog, OnToBus, OutToBus
from runtime.outbox.dynamodb_rows import row_of


@dataclass(frozen=True)
class Outgoing:
    """A dead letter, and the entry of a batch that is sent for it.

    An event's Time is when it occurred, as its first publication said. `size` is in bytes, as SQS
    or PutEvents counts them.
    """

    dead_letter: DeadLetter
    entry: Mapping[str, Any]
    size: int


class Unsendable(ValueError):
    """Sending this dead letter would not help; the message says why, and what would."""


def outgoing_of(dead_letter: DeadLetter, destination: Destination) -> Outgoing:
    """Make what is sent for a dead letter. Raises Unsendable; that one stays where it is."""
    entry = _entry(dead_letter, destination)
    if isinstance(destination, BackToQueue | IntoLog):
        return Outgoing(dead_letter, entry, len(dead_letter.body.encode()))
    # 14 for the time: see contracts.outbox.OutboxRecord.entry_size.
    texts = (entry["Source"], entry["DetailType"], entry["Detail"], *entry["Resources"])
    return Outgoing(dead_letter, entry, 14 + sum(len(text.encode()) for text in texts))


def _entry(dead_letter: DeadLetter, destination: Destination) -> Mapping[str, Any]:
    if BATCH_INFO in object_in(dead_letter.body):
        raise Unsendable(
            "it names a batch that Lambda gave up: its rows are in the outbox, and the sweep"
            " brings them; drop it once the outbox is empty"
        )
    if dead_letter.record:
        raise Unsendable(f"it names events and has none: {dead_letter.record.how_to_read_again}")
    if dead_letter.encoding == ROW_KEY:
        raise Unsendable(
            "it names a row that stays in its outbox: repair or delete the row, then drop it"
        )
    if dead_letter.encoding is not None and not isinstance(destination, OutToBus):
        raise _encoded(dead_letter)
    match destination:
        case BackToQueue(fifo=True):
            record = _record(dead_letter.body)
            group = dead_letter.group or record.aggregate_id
            return {"MessageBody": dead_letter.body, "MessageGroupId": group}
        case BackToQueue():
            return {"MessageBody": dead_letter.body}
        case OnToBus():
            return _delivered(dead_letter.body)
        case IntoLog():
            occurred = _delivered(dead_letter.body)["Time"]
            return {"timestamp": int(occurred.timestamp() * 1000), "message": dead_letter.body}
        case OutToBus():
            encoded = dead_letter.encoding is not None
            record = _stored_record(dead_letter) if encoded else _record(dead_letter.body)
            return _event(record.source, record.event_type, record.detail, record.occurred_at)


def _stored_record(dead_letter: DeadLetter) -> OutboxRecord:
    """Read an item in DynamoDB's JSON: a relay of an older release could not unpack its detail."""
    try:
        content = row_of(object_in(dead_letter.body)).content
    except (KeyError, TypeError, AttributeError):
        raise _encoded(dead_letter) from None
    if isinstance(content, OutboxRecord):
        return content
    raise _encoded(dead_letter)


def _encoded(dead_letter: DeadLetter) -> Unsendable:
    return Unsendable(
        f"its body is {dead_letter.encoding}, of which no event can be made: repair what wrote it,"
        " or drop it"
    )


def _record(body: str) -> OutboxRecord:
    try:
        return OutboxRecord.from_json(body)
    except (MalformedRecord, EventTooLarge) as error:
        raise Unsendable(
            f"it is still no event that can be published ({error}): fix what wrote it, or drop it"
        ) from None


def _delivered(body: str) -> Mapping[str, Any]:
    """Read the event that EventBridge could not deliver; its envelope's `id` will be another."""
    document = object_in(body)
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
    resources = [each for each in document.get("resources") or () if isinstance(each, str)]
    try:
        text = json.dumps(detail, ensure_ascii=False, separators=(",", ":"))
        (text + source + detail_type + "".join(resources)).encode()
    except (RecursionError, UnicodeEncodeError):
        raise Unsendable("no bus would take its body: drop it") from None
    return _event(source, detail_type, text, occurred, resources)


def _event(
    source: str, detail_type: str, detail: str, time: datetime, resources: Sequence[str] = ()
) -> Mapping[str, Any]:
    return {
        "Source": source,
        "DetailType": detail_type,
        "Detail": detail,
        "Time": time,
        "Resources": list(resources),
    }
