"""A target that adds a PRODUCER span for each event, to the trace that the event was committed in.

By the semantic conventions for messaging (in development, 1.36):
https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

from collections.abc import Sequence
from time import time_ns
from typing import Literal

from contracts.outbox import OutboxRecord
from relay.ports import CallRefused, Failure, Target
from runtime.batches import Limits
from runtime.process.tracing import Attributes, Tracer

MessagingSystem = Literal["aws_eventbridge", "aws_sqs"]
"""messaging.system: the conventions know SQS, and have no name for EventBridge."""


def traced(target: Target, system: MessagingSystem, name: str, tracer: Tracer | None) -> Target:
    """The target itself where tracing is off; `name` is the queue's or the bus's."""
    return target if tracer is None else TracedTarget(target, system, name, tracer)


class TracedTarget:
    """A Target. A span lasts as long as the call that carried its event; each try has its own.

    The wait before it, in the outbox, is the gap between the commit's span and this one. What is
    published is the record as it was committed, so its readers' spans are children of the commit's
    and stand beside this one.
    """

    def __init__(self, target: Target, system: MessagingSystem, name: str, tracer: Tracer) -> None:
        self._target, self._system, self._name, self._tracer = target, system, name, tracer

    def publish(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None]:
        started = time_ns()
        try:
            failures = self._target.publish(records)
        except Exception as error:
            for record in records:
                self._add(record, started, _error_type(error))
            raise
        for record, failure in zip(records, failures, strict=True):
            self._add(record, started, failure.code if failure else None)
        return failures

    def size_of(self, record: OutboxRecord) -> int:
        return self._target.size_of(record)

    @property
    def limits(self) -> Limits:
        return self._target.limits

    def _add(self, record: OutboxRecord, started: int, error_type: str | None) -> None:
        self._tracer.add(
            f"send {self._name}",
            "producer",
            self._attributes(record),
            parent=record.traceparent,
            started=started,
            error_type=error_type,
        )

    def _attributes(self, record: OutboxRecord) -> Attributes:
        return {
            "messaging.system": self._system,
            "messaging.destination.name": self._name,
            "messaging.operation.type": "send",
            "messaging.operation.name": "send",
            "messaging.message.id": record.event_id,
            "messaging.message.conversation_id": record.correlation_id,
        }


def _error_type(error: Exception) -> str:
    return error.failure.code if isinstance(error, CallRefused) else type(error).__qualname__
