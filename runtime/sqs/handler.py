"""Turns a queue message's body into a call: parse the event, find its handler, bind the logs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import structlog
from pydantic import ValidationError

from contracts.causes import Cause
from contracts.envelope import PAYLOAD_VERSION, NotAnEvent, ReceivedEvent, WireModel, describe
from contracts.names import EventType
from contracts.outbox import EventTooLarge

M = TypeVar("M", bound=WireModel)


class UnexpectedEvent(ValueError):
    """An event of a type, or a version of it, that this queue's consumer does not handle."""

    def __init__(self, found: str, expected: list[str]) -> None:
        super().__init__(f"{found} is not handled here, only {', '.join(expected)}")


class SchemaViolation(ValueError):
    """An event whose detail breaks the reader's schema; names each field, never the values."""


@dataclass(frozen=True)
class Reader:
    """How one type of event is read and handled. Made by `reads`, which ties the two together."""

    version: int
    call: Callable[[ReceivedEvent], object]


def reads(
    model: type[M], handle: Callable[[M, Cause], object], *, version: int = PAYLOAD_VERSION
) -> Reader:
    """Read that version of the detail as `model`, strictly, and hand it over with its cause."""

    def call(event: ReceivedEvent) -> object:
        try:
            detail = model.model_validate(event.detail, strict=True)
        except ValidationError as error:
            raise SchemaViolation(describe(error)) from None
        return handle(detail, Cause.of(event))

    return Reader(version, call)


class Inbox:
    """Handles bodies from one queue, each event type by its reader, or by one for each version."""

    def __init__(
        self,
        readers: Mapping[EventType, Reader | tuple[Reader, ...]],
        domain_errors: tuple[type[Exception], ...],
    ) -> None:
        self._readers = [
            (event_type, reader)
            for event_type, given in readers.items()
            for reader in (given if isinstance(given, tuple) else (given,))
        ]
        self._permanent = (
            NotAnEvent,
            UnexpectedEvent,
            SchemaViolation,
            EventTooLarge,
            *domain_errors,
        )

    def handle(self, body: str) -> None:
        """Handle one body; raises what `is_permanent` knows, or what the handler raises."""
        self.take(ReceivedEvent.parse(body))

    def take(self, event: ReceivedEvent) -> None:
        """Handle one event, likewise."""
        with structlog.contextvars.bound_contextvars(
            eventId=event.metadata.event_id,
            correlationId=event.metadata.correlation_id,
            eventType=event.detail_type,
        ):
            self._reader(event).call(event)
            structlog.get_logger(__name__).info("handled")

    def is_permanent(self, error: Exception) -> bool:
        """Whether no retry can mend it: the message itself is wrong, or the domain refuses it."""
        return isinstance(error, self._permanent)

    def _reader(self, event: ReceivedEvent) -> Reader:
        for event_type, reader in self._readers:
            if (event.detail_type, event.metadata.version) == (event_type, reader.version):
                return reader
        found = f"{event.detail_type} version {event.metadata.version}"
        expected = [f"{name} version {reader.version}" for name, reader in self._readers]
        raise UnexpectedEvent(found, expected)
