"""PutEvents: up to ten entries and 1 MB a call, any of which may fail behind HTTP 200."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from contracts.outbox import OutboxRecord
from relay.ports import CallRefused, Failure, Limits
from runtime.aws import asking, error_code, error_message, reaching
from runtime.errors import Misconfigured

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

LIMITS = Limits(entries=10, total_bytes=1024 * 1024 - 1)
"""PutEvents quotas: 10 entries; the entries' sizes add up to less than 1 MB."""


class EventBus:
    """A Target: one event bus."""

    limits = LIMITS

    def __init__(self, events: "EventBridgeClient", bus: str) -> None:
        self._events, self._bus = events, bus

    def check(self) -> None:
        """Raise Misconfigured if there is no such bus: PutEvents to it would succeed, silently."""
        with asking("EventBridge"):
            try:
                self._events.describe_event_bus(Name=self._bus)
            except ClientError as error:
                if error_code(error) == "ResourceNotFoundException":
                    raise Misconfigured(
                        f"the event bus {self._bus} does not exist: provision it first"
                    ) from None
                raise

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
        return [
            Failure(entry["ErrorCode"], entry.get("ErrorMessage", ""))
            if entry.get("ErrorCode")
            else None
            for entry in response["Entries"]
        ]

    def _entry(self, record: OutboxRecord) -> "PutEventsRequestEntryTypeDef":
        return {
            "EventBusName": self._bus,
            "Source": record.source,
            "DetailType": record.event_type,
            "Detail": record.detail,
            "Time": record.occurred_at,
        }
