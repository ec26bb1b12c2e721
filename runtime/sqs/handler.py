"""Handles a queue's events: parse, find the use case, call it; measured and traced."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

import structlog
from pydantic import ValidationError

from contracts.causes import Cause
from contracts.envelope import PAYLOAD_VERSION, NotAnEvent, ReceivedEvent, WireModel, describe
from contracts.names import EventType
from contracts.outbox import EventTooLarge
from runtime.ids import utc_now
from runtime.metrics import ConsumerMetrics
from runtime.process.tracing import Tracer, messaging_attributes, spanned

log = structlog.get_logger(__name__)

M = TypeVar("M", bound=WireModel)


class Handler(Protocol):
    """What a consumer does with a body, and which of its errors are permanent."""

    def handle(self, body: str, /) -> None: ...

    def is_permanent(self, error: Exception, /) -> bool: ...


class UnexpectedEvent(ValueError):
    """An event of a type, or a version of it, that this queue's consumer does not handle."""

    def __init__(self, found: str, expected: list[str]) -> None:
        super().__init__(f"{found} is not handled here, only {', '.join(expected)}")


class SchemaViolation(ValueError):
    """An event whose detail breaks the reader's schema; names each field, never the values."""


@dataclass(frozen=True)
class Reader(Generic[M]):
    """Reads one version of an event's detail as `model`, strictly, for the use case `call`."""

    model: type[M]
    call: Callable[[M, Cause], object]
    version: int = PAYLOAD_VERSION

    def and_version(self, version: int) -> tuple["Reader[M]", "Reader[M]"]:
        """Read another version with the same model as well: one that has all its fields."""
        return self, replace(self, version=version)

    def read(self, event: ReceivedEvent) -> M:
        try:
            return self.model.model_validate(event.detail, strict=True)
        except ValidationError as error:
            raise SchemaViolation(describe(error)) from None


@dataclass(frozen=True)
class Instruments:
    """What the handling of a queue's events is measured and traced with."""

    queue: str
    metrics: ConsumerMetrics
    tracer: Tracer | None = None
    now: Callable[[], datetime] = utc_now

    @contextmanager
    def observed(self, event: ReceivedEvent) -> Iterator[Cause]:
        """Measure the time from commit to effect, and follow the event; gives its cause.

        A try is a CONSUMER span, a child of the one that the event was committed in. The cause
        carries the try's span, so that a trace goes on from event to event.
        """
        cause, parent = Cause.of(event), event.metadata.traceparent
        attributes = messaging_attributes("aws_sqs", self.queue, "process", event.metadata)
        name = f"process {self.queue}"
        with spanned(self.tracer, name, "consumer", attributes, parent=parent) as span:
            yield cause if span is None else replace(cause, traceparent=span.traceparent)
        waited = self.now() - event.metadata.occurred_at
        self.metrics.effect(self.queue, event.detail_type, waited.total_seconds())


@dataclass(frozen=True)
class EventHandler:
    """Handles bodies from one queue, each event type by its reader, or by one for each version."""

    readers: Mapping[EventType, Reader[Any] | tuple[Reader[Any], ...]]
    domain_errors: tuple[type[Exception], ...]
    instruments: Instruments | None = None

    def handle(self, body: str) -> None:
        """Handle one body; raises what `is_permanent` knows, or what the use case raises."""
        event = ReceivedEvent.parse(body)
        with (
            self._observed(event) as cause,
            structlog.contextvars.bound_contextvars(
                eventId=event.metadata.event_id,
                correlationId=event.metadata.correlation_id,
                eventType=event.detail_type,
            ),
        ):
            reader = self._reader(event)
            reader.call(reader.read(event), cause)
            log.info("handled")

    def is_permanent(self, error: Exception) -> bool:
        """Whether no retry can succeed: the message itself is wrong, or the domain refuses it."""
        own = NotAnEvent, UnexpectedEvent, SchemaViolation, EventTooLarge
        return isinstance(error, (*own, *self.domain_errors))

    def _observed(self, event: ReceivedEvent) -> AbstractContextManager[Cause]:
        if self.instruments is None:
            return nullcontext(Cause.of(event))
        return self.instruments.observed(event)

    def _reader(self, event: ReceivedEvent) -> Reader[Any]:
        found = f"{event.detail_type} version {event.metadata.version}"
        if found not in self._by_version:
            raise UnexpectedEvent(found, list(self._by_version))
        return self._by_version[found]

    @cached_property
    def _by_version(self) -> Mapping[str, Reader[Any]]:
        return {
            f"{event_type} version {reader.version}": reader
            for event_type, given in self.readers.items()
            for reader in (given if isinstance(given, tuple) else (given,))
        }
