"""Why something happens: what an event takes over from the request or the event before it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from contracts.envelope import PAYLOAD_VERSION, Metadata, ReceivedEvent


@dataclass(frozen=True)
class Cause:
    """`causation_id` is the eventId of the event that led to it; None where it was a request.

    `is_of_first_version`: it is an event of this system's first version, where what follows from it
    has no reader.
    """

    correlation_id: str
    causation_id: str | None = None
    traceparent: str | None = None
    is_of_first_version: bool = False

    @classmethod
    def of(cls, event: ReceivedEvent) -> Self:
        """The cause of whatever `event` leads to."""
        return cls(
            correlation_id=event.metadata.correlation_id,
            causation_id=event.metadata.event_id,
            traceparent=event.metadata.traceparent,
            is_of_first_version=event.is_of_first_version,
        )

    def metadata(
        self,
        *,
        event_id: str,
        aggregate_id: str,
        sequence: int,
        occurred_at: datetime,
        version: int = PAYLOAD_VERSION,
    ) -> Metadata:
        """The metadata of an event that happens for this cause."""
        return Metadata(
            event_id=event_id,
            version=version,
            aggregate_id=aggregate_id,
            sequence=sequence,
            occurred_at=occurred_at,
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
            traceparent=self.traceparent,
        )
