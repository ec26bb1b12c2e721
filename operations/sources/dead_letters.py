"""A message of a dead-letter queue: why it is there, who put it there, and the event in it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from contracts.outbox import BASE64_BSON, DYNAMODB_JSON
from operations.output import as_document
from operations.sources.delivery_records import DeliveryRecord, readable, record_in
from operations.sources.origins import Origin
from runtime.masking import MASK, mask, masked

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

BATCH_INFO = "DDBStreamBatchInfo"
"""What Lambda sends to its on-failure destination: a batch it gave up, not the rows in it."""

Putter = Literal["eventbridge", "handler", "lambda", "sqs", "unknown"]


@dataclass(frozen=True)
class EventInside:
    """What can be read of the event in a body; None for what cannot."""

    event_id: str | None = None
    event_type: str | None = None
    aggregate_id: str | None = None
    sequence: int | None = None


@dataclass(frozen=True)
class DeadLetter:
    """`by` names the rule, the process or the queue that gave it up; `tries` is None if unknown.

    `group` is a FIFO queue's. `receives` counts every receive since it was sent. `record` is there
    where the body is one of events that a Custom Event Bus has.
    """

    queue: str
    message_id: str
    body: str
    attributes: Mapping[str, str]
    putter: Putter
    why: str
    by: str
    tries: int | None
    sent_at: datetime | None
    receives: int
    group: str | None
    event: EventInside
    record: DeliveryRecord | None = None

    @property
    def aggregate(self) -> str:
        """What must stay in sequence: the aggregate, or the message alone if that is unknown."""
        return self.group or self.event.aggregate_id or self.message_id

    @property
    def encoding(self) -> str | None:
        """How a relay wrote the body (runtime.outbox.rows); None for plain JSON."""
        return self.attributes.get("bodyEncoding")

    @property
    def names(self) -> set[str | None]:
        inside = (*self.record.ids, *self.record.event_ids) if self.record else ()
        return {self.message_id, self.event.event_id, *inside}

    def is_called(self, name: str) -> bool:
        return name in self.names

    def summary(self) -> dict[str, Any]:
        """What a list shows of it; without the body, and without bank details."""
        return {
            **as_document(self, "queue", "message_id"),
            **as_document(self.event),
            "putBy": self.putter,
            **as_document(self, "by", "why", "tries", "sent_at"),
        }

    def facts(self, *, reveal: bool) -> Mapping[str, str]:
        """The attributes, without bank details unless revealed."""
        if reveal:
            return self.attributes
        return {name: mask(value) for name, value in self.attributes.items()}

    def text(self, *, reveal: bool) -> str:
        """The body to look at: as it is, or laid out and without bank details."""
        if reveal:
            return self.body
        if self.encoding in (DYNAMODB_JSON, BASE64_BSON):
            # Bank details cannot be found in it.
            return f"{MASK} ({self.encoding}, {len(self.body)} characters: --reveal shows them)"
        return laid_out(self.body)


def read(message: "MessageTypeDef", origin: Origin) -> DeadLetter:
    """Read a message as SQS gives it, whatever its body is."""
    system: Mapping[str, str] = message.get("Attributes", {})  # type: ignore[assignment]
    attributes = {
        name: value.get("StringValue", "")
        for name, value in message.get("MessageAttributes", {}).items()
    }
    body = object_in(message["Body"])
    record = record_in(body)
    putter, why, by, tries = _reason_of(record) if record else _reason(attributes, body, origin)
    return DeadLetter(
        queue=origin.dlq,
        message_id=message["MessageId"],
        body=message["Body"],
        attributes=attributes,
        putter=putter,
        why=mask(why),
        by=by,
        tries=tries,
        sent_at=_time(system.get("SentTimestamp")),
        receives=int(system.get("ApproximateReceiveCount", "1")),
        group=system.get("MessageGroupId"),
        event=EventInside(event_id=record.event_id, aggregate_id=record.aggregate_id)
        if record
        else _event(body),
        record=record,
    )


def laid_out(body: str) -> str:
    """Lay a body out without personal data; a record's detail, JSON within JSON, is unfolded."""
    document = object_in(body)
    if not document:
        return mask(body)
    if isinstance(document.get("detail"), str):
        document["detail"] = object_in(document["detail"]) or MASK
    try:
        return json.dumps(masked(document), ensure_ascii=False, indent=2)
    except RecursionError:
        return f"{MASK} (nested too deep to be laid out)"


def _reason_of(record: DeliveryRecord) -> tuple[Putter, str, str, int | None]:
    by = f"subscriber {record.subscriber} of the bus {record.bus}"
    return "eventbridge", _joined(record.code, record.message), by, record.tries


def _reason(
    attributes: Mapping[str, str], body: Mapping[str, Any], origin: Origin
) -> tuple[Putter, str, str, int | None]:
    if "ERROR_CODE" in attributes or "RULE_ARN" in attributes:
        why = _joined(attributes.get("ERROR_CODE"), attributes.get("ERROR_MESSAGE"))
        retries = attributes.get("RETRY_ATTEMPTS", "")
        rule = attributes.get("RULE_ARN", "").rpartition("/")[2]
        by = f"rule {rule or _either(tuple(each.name for each in origin.rules))}"
        return "eventbridge", why, by, 1 + int(retries) if retries.isdecimal() else None
    handlers = _either(origin.handlers)
    if "errorType" in attributes:
        why = _joined(attributes["errorType"], attributes.get("errorMessage"))
        receives = attributes.get("receiveCount", "")
        return "handler", why, handlers, int(receives) if receives.isdecimal() else None
    if BATCH_INFO in body:
        context = body.get("requestContext")
        condition = context.get("condition") if isinstance(context, dict) else None
        why = f"Lambda gave a batch up: {condition or 'it does not say why'}"
        return "lambda", why, handlers, None
    if origin.tries is None:
        return "unknown", "it does not say why", handlers, None
    return "sqs", f"received {origin.tries} times without an end", handlers, origin.tries


def _event(body: Mapping[str, Any]) -> EventInside:
    """Read an event's envelope, or an outbox record, leniently: it is a dead letter."""
    detail = body.get("detail")
    metadata = detail.get("metadata") if isinstance(detail, dict) else None
    fields = metadata if isinstance(metadata, dict) else body
    return EventInside(
        event_id=readable(fields.get("eventId")),
        event_type=readable(body.get("detail-type")) or readable(body.get("eventType")),
        aggregate_id=readable(fields.get("aggregateId")),
        sequence=sequence if isinstance(sequence := fields.get("sequence"), int) else None,
    )


def object_in(text: str | bytes) -> dict[str, Any]:
    """Read a JSON object; empty for whatever else the text is."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _time(milliseconds: str | None) -> datetime | None:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC) if milliseconds else None


def _joined(code: str | None, message: str | None) -> str:
    return ": ".join(part for part in (code, message) if part) or "it does not say why"


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(names) or "no process of this system"
