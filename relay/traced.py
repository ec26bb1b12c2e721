"""A target that adds a PRODUCER span for each event, to the trace that it was committed in."""

from collections.abc import Sequence
from time import time_ns

from contracts.outbox import OutboxRecord
from relay.ports import CallRefused, Failure, Target
from runtime.batches import Limits
from runtime.process.tracing import MessagingSystem, Tracer, messaging_attributes


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
            messaging_attributes(self._system, self._name, "send", record),
            parent=record.traceparent,
            started=started,
            error_type=error_type,
        )


def _error_type(error: Exception) -> str:
    return error.failure.code if isinstance(error, CallRefused) else type(error).__qualname__
