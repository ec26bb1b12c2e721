"""PutEvents: up to ten entries and 1 MB a call, any of which may fail behind HTTP 200."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from contracts.outbox import OutboxRecord
from relay.ports import CallRefused, Failure
from runtime.aws import error_code, error_message, reaching
from runtime.eventbridge import PUT_EVENTS_LIMITS

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef


def failures_of(results: Sequence[Mapping[str, Any]]) -> Sequence[Failure | None]:
    """What PutEvents says of each entry: None of one that was accepted."""
    return [
        Failure(each["ErrorCode"], each.get("ErrorMessage", "")) if each.get("ErrorCode") else None
        for each in results
    ]


class EventBus:
    """A Target: one event bus."""

    limits = PUT_EVENTS_LIMITS

    def __init__(self, events: "EventBridgeClient", bus: str) -> None:
        self._events, self._bus = events, bus

    def size_of(self, record: OutboxRecord) -> int:
        return record.entry_size

    def publish(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None]:
        try:
            with reaching("EventBridge", "PutEvents"):
                response = self._events.put_events(
                    Entries=[self._entry(record) for record in records]
                )
        except ClientError as error:
            raise CallRefused(Failure(error_code(error), error_message(error))) from error
        return failures_of(response["Entries"])

    def _entry(self, record: OutboxRecord) -> "PutEventsRequestEntryTypeDef":
        return {
            "EventBusName": self._bus,
            "Source": record.source,
            "DetailType": record.event_type,
            "Detail": record.detail,
            "Time": record.occurred_at,
        }
