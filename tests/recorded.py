"""Spans as a tracer of ours makes them, kept in memory."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler
from opentelemetry.trace import StatusCode, format_span_id, format_trace_id

from runtime.process.spans import OtlpTracer


class Recorded:
    """`tracer` makes spans; what has ended is here, in the order in which it ended."""

    def __init__(self, sampler: Sampler = ParentBased(ALWAYS_ON)) -> None:  # noqa: B008 (a value)
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = OtlpTracer(provider)

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    @property
    def only(self) -> ReadableSpan:
        (span,) = self.spans
        return span


def ids_of(span: ReadableSpan) -> tuple[str, str]:
    """Its trace's id and its own, as a traceparent has them."""
    context = span.get_span_context()
    assert context
    return format_trace_id(context.trace_id), format_span_id(context.span_id)


def traceparent_of(span: ReadableSpan) -> str:
    context = span.get_span_context()
    assert context
    return "-".join(("00", *ids_of(span), f"{context.trace_flags:02x}"))


def parent_of(span: ReadableSpan) -> tuple[str, str] | None:
    """Its parent's ids."""
    parent = span.parent
    return parent and (format_trace_id(parent.trace_id), format_span_id(parent.span_id))


def error_of(span: ReadableSpan) -> str | None:
    """Its error.type, if it has failed; one without the other is a fault."""
    error: Any = attributes_of(span).get("error.type")
    assert (error is not None) == (span.status.status_code is StatusCode.ERROR)
    return str(error) if error else None


def attributes_of(span: ReadableSpan) -> Mapping[str, Any]:
    return dict(span.attributes or {})
