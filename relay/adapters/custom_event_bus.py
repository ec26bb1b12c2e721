"""PutEvents to a Custom Event Bus: in order per aggregate, and each event once in five minutes."""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from contracts.outbox import OutboxRecord
from relay.adapters.eventbridge import failures_of
from relay.ports import CallRefused, Failure
from runtime.aws import error_code, error_message, reaching
from runtime.custom_event_bus import CUSTOM_BUS_LIMITS, CustomEventBusClient
from runtime.errors import Unavailable
from runtime.identifiers import identifier
from runtime.verdicts import Family


class CustomEventBus:
    """A Target: events in order per aggregate (group), each once in 300 s (deduplication id).

    The order is that of the calls: who publishes has one event of an aggregate in flight. A copy
    within 300 s is accepted as DEDUPLICATED, and is not on the bus a second time.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-custom-bus-ordering.html
    """

    limits = CUSTOM_BUS_LIMITS

    def __init__(self, events: CustomEventBusClient, arn: str) -> None:
        self._events, self._arn = events, arn

    def size_of(self, record: OutboxRecord) -> int:
        return record.entry_size

    def publish(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None]:
        try:
            with reaching("EventBridge", "PutEvents"):
                response = self._events.put_events(
                    EventBusArn=self._arn, Entries=[self._entry(record) for record in records]
                )
        except ClientError as error:
            code = error_code(error)
            if code == "InvalidStateException":  # the bus's, not an entry's: it is being changed
                raise Unavailable("EventBridge", code, Family.MISSING, call="PutEvents") from error
            raise CallRefused(Failure(code, error_message(error))) from error
        return failures_of(response["Entries"])

    def _entry(self, record: OutboxRecord) -> dict[str, Any]:
        return {
            "Source": record.source,
            "DetailType": record.event_type,
            "Detail": record.detail,
            "Time": record.occurred_at,
            "SystemMetadata": {
                "EventGroupId": identifier(record.aggregate_id),
                "DeduplicationId": identifier(record.event_id),
            },
        }
