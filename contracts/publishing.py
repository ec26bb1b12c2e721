"""Makes the outbox record of an event: one call, so that detail and record cannot disagree."""

from contracts.envelope import EventDetail
from contracts.names import Source
from contracts.outbox import OutboxRecord


def outbox_record(detail: EventDetail, source: Source) -> OutboxRecord:
    """Wrap a detail as the record to commit; raises EventTooLarge."""
    metadata = detail.metadata
    return OutboxRecord(
        aggregate_id=metadata.aggregate_id,
        sequence=metadata.sequence,
        event_id=metadata.event_id,
        event_type=detail.event,
        source=source,
        occurred_at=metadata.occurred_at,
        detail=detail.model_dump_json(),
        correlation_id=metadata.correlation_id,
        traceparent=metadata.traceparent,
    )
