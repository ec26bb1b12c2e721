"""Work around an inbox: how long after its commit an event had its effect, and the span of that.

The span is by the semantic conventions for messaging (in development, 1.36):
https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

from collections.abc import Callable
from datetime import datetime

from contracts.envelope import ReceivedEvent
from runtime.ids import utc_now
from runtime.metrics import ConsumerMetrics
from runtime.process.tracing import Attributes, Tracer
from runtime.sqs.inbox import Inbox


class Effects:
    """A queue's Work: hands each event to the inbox, measures it and, if traced, follows it.

    A try is a CONSUMER span, a child of the one that the event was committed in; what the event
    leads to is committed in the try's, so that a trace goes on from event to event.
    """

    def __init__(
        self,
        inbox: Inbox,
        queue: str,
        metrics: ConsumerMetrics,
        tracer: Tracer | None = None,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._inbox, self._queue, self._metrics = inbox, queue, metrics
        self._tracer, self._now = tracer, now

    def handle(self, body: str) -> None:
        """Handle one body; raises what the inbox's own `handle` raises."""
        event = ReceivedEvent.parse(body)
        if self._tracer is None:
            self._inbox.take(event)
        else:
            self._follow(event, self._tracer)
        waited = self._now() - event.metadata.occurred_at
        self._metrics.effect(self._queue, event.detail_type, waited.total_seconds())

    def is_permanent(self, error: Exception) -> bool:
        return self._inbox.is_permanent(error)

    def _follow(self, event: ReceivedEvent, tracer: Tracer) -> None:
        name, parent = f"process {self._queue}", event.metadata.traceparent
        with tracer.span(name, "consumer", self._attributes(event), parent=parent) as span:
            self._inbox.take(event.within(span.traceparent))

    def _attributes(self, event: ReceivedEvent) -> Attributes:
        return {
            "messaging.system": "aws_sqs",
            "messaging.destination.name": self._queue,
            "messaging.operation.type": "process",
            "messaging.operation.name": "process",
            "messaging.message.id": event.metadata.event_id,
            "messaging.message.conversation_id": event.metadata.correlation_id,
        }
