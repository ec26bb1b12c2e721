"""Spans of what a process does, where an OTLP endpoint is set; else nothing, and for nothing.

Code that makes spans is given a Tracer, or None: then this module is all of tracing that is loaded.
The settings are OpenTelemetry's own variables, which its SDK reads:
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal, Protocol

from runtime.errors import Misconfigured

Kind = Literal["server", "client", "producer", "consumer"]

Attributes = Mapping[str, str | int | Sequence[str]]

MessagingSystem = Literal["aws_eventbridge", "aws_sqs"]
"""messaging.system: the conventions know SQS, and have no name for EventBridge."""

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL = "http/protobuf"


class Span(Protocol):
    """One thing that is being done."""

    @property
    def traceparent(self) -> str:
        """Its W3C context: what it leads to names it as the parent."""

    def rename(self, name: str) -> None: ...

    def set(self, attributes: Attributes) -> None: ...

    def fail(self, error_type: str) -> None:
        """Mark it as failed; `error_type` is one of few, and has nothing of the data in it."""


class Correlated(Protocol):
    """An event's metadata, or its outbox record."""

    @property
    def event_id(self) -> str: ...

    @property
    def correlation_id(self) -> str: ...


class Tracer(Protocol):
    """Makes spans and sends them, in the background, to the collector."""

    def span(
        self, name: str, kind: Kind, attributes: Attributes, *, parent: str | None = None
    ) -> AbstractContextManager[Span]:
        """Open a span for a block; it is the active one there, and its ids are in the log's lines.

        `parent` is a traceparent. Without one that can be read it is a child of the active span,
        or the first of a new trace. An error that leaves the block fails it.
        """

    def add(
        self,
        name: str,
        kind: Kind,
        attributes: Attributes,
        *,
        parent: str | None,
        started: int,
        error_type: str | None = None,
    ) -> None:
        """Add a span that ends now; `started` is in nanoseconds since 1970."""

    def flush(self) -> None:
        """Send what is waiting, at most for FLUSH_TIMEOUT: a Lambda is frozen between calls."""

    def stop(self) -> None:
        """Send what is waiting, likewise, and make no more."""


FLUSH_TIMEOUT = 0.5
"""Seconds that spans may delay a stop: a worker's parts have 9.5 s of the 10 s there are."""


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether an endpoint is set and tracing is not switched off.

    Raises Misconfigured for an endpoint that is no URL, or a protocol that is not spoken here.
    """
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp") not in {"otlp", ""}:
        return False
    found = {name: environment[name] for name in _ENDPOINTS if environment.get(name)}
    for name, value in found.items():
        if not re.match(r"https?://[^\s/]+", value):
            raise Misconfigured(f"{name}: give a URL such as http://127.0.0.1:4318, or nothing")
    for name in _PROTOCOLS if found else ():
        if environment.get(name, "") not in {"", _PROTOCOL}:
            raise Misconfigured(f"{name}: set it to {_PROTOCOL}, or to nothing")
    return bool(found)


def start(process: str) -> Tracer | None:
    """Start tracing for a process of that name; None unless it is wanted. Raises Misconfigured."""
    if not is_wanted(os.environ):
        return None
    try:
        # Only here: OpenTelemetry's packages take a tenth of a second and 9 MB.
        from runtime.process.spans import exporting  # noqa: PLC0415

        return exporting(process)
    except ValueError as error:  # a number that is none, or below the least
        raise Misconfigured(f"one of the OTEL_ variables: {error}") from error


@contextmanager
def started(process: str) -> Iterator[Tracer | None]:
    """Trace for as long as the block lasts, if it is wanted."""
    tracer = start(process)
    try:
        yield tracer
    finally:
        if tracer is not None:
            tracer.stop()


def messaging_attributes(
    system: MessagingSystem, destination: str, operation: str, event: Correlated
) -> Attributes:
    """The attributes of a span that sends or processes an event.

    By the semantic conventions for messaging (in development, 1.36):
    https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
    """
    return {
        "messaging.system": system,
        "messaging.destination.name": destination,
        "messaging.operation.type": operation,
        "messaging.operation.name": operation,
        "messaging.message.id": event.event_id,
        "messaging.message.conversation_id": event.correlation_id,
    }


def spanned(
    tracer: Tracer | None,
    name: str,
    kind: Kind,
    attributes: Attributes,
    *,
    parent: str | None = None,
) -> AbstractContextManager[Span | None]:
    """Open a span for a block, if there is a tracer."""
    return _NOTHING if tracer is None else tracer.span(name, kind, attributes, parent=parent)


_NOTHING = nullcontext()
