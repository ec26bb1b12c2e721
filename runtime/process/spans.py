"""Spans by OpenTelemetry's SDK, exported by OTLP over HTTP. Imported only where that is wanted."""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from uuid import uuid4

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from runtime.process.tracing import FLUSH_TIMEOUT, Attributes, Kind

log = structlog.get_logger(__name__)

SERVICE_NAMESPACE = "streamed-events"

EXPORT_SECONDS = 2.0
"""How long one export may take, tries and waits together, unless OTEL_EXPORTER_OTLP_TIMEOUT says
so: it runs in a thread of its own, and what does not fit in the queue meanwhile is dropped."""

WARNING_INTERVAL = 60.0
"""Seconds between two warnings that spans are lost."""

_TIMEOUTS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")

_KINDS = {kind.name.lower(): kind for kind in trace.SpanKind}

_W3C = TraceContextTextMapPropagator()


def exporting(process: str) -> "OtlpTracer":
    """Make a tracer that exports to the endpoint that the environment names.

    service.name is OTEL_SERVICE_NAME, else the process's name; the sampler, the queue's bounds and
    more attributes of the resource are the environment's as well.
    """
    # The SDK writes a line for each span that it drops, and one for each export that fails.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    resource = Resource.create(
        {
            "service.name": os.environ.get("OTEL_SERVICE_NAME") or process,
            "service.namespace": SERVICE_NAMESPACE,
            "service.instance.id": str(uuid4()),
        }
    )
    timeout = None if any(os.environ.get(name) for name in _TIMEOUTS) else EXPORT_SECONDS
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(
        BatchSpanProcessor(RateLimitedWarnings(OTLPSpanExporter(timeout=timeout)))
    )
    return OtlpTracer(provider)


class OtlpTracer:
    """A Tracer over a provider of the SDK's."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(SERVICE_NAMESPACE)

    @contextmanager
    def span(
        self, name: str, kind: Kind, attributes: Attributes, *, parent: str | None = None
    ) -> Iterator["OtlpSpan"]:
        started = self._tracer.start_span(
            name, _context(parent), kind=_KINDS[kind], attributes=attributes
        )
        span = OtlpSpan(started)
        context = started.get_span_context()
        ids = {
            "trace_id": trace.format_trace_id(context.trace_id),
            "span_id": trace.format_span_id(context.span_id),
        }
        # An error's text may hold bank details: the span has its type alone, the log has the rest.
        with (
            trace.use_span(
                started, end_on_exit=True, record_exception=False, set_status_on_exception=False
            ),
            structlog.contextvars.bound_contextvars(**ids),
        ):
            try:
                yield span
            except BaseException as error:
                span.fail(type(error).__qualname__)
                raise

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
        span = self._tracer.start_span(
            name,
            _context(parent),
            kind=_KINDS[kind],
            attributes=attributes,
            start_time=started,
        )
        if error_type is not None:
            OtlpSpan(span).fail(error_type)
        span.end()

    def flush(self) -> None:
        _within(FLUSH_TIMEOUT, self._provider.force_flush)

    def stop(self) -> None:
        _within(FLUSH_TIMEOUT, self._provider.shutdown)


class OtlpSpan:
    """A Span of the SDK's, or the placeholder of a trace that is not sampled."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, trace.set_span_in_context(self._span))
        return carrier["traceparent"]

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def set(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def fail(self, error_type: str) -> None:
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(trace.StatusCode.ERROR)


class RateLimitedWarnings(SpanExporter):
    """An exporter that never raises, and warns of lost spans at most every WARNING_INTERVAL."""

    def __init__(self, exporter: SpanExporter, *, elapsed: Callable[[], float] = monotonic) -> None:
        self._exporter, self._elapsed = exporter, elapsed
        self._silent_until = 0.0
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        reason = "refused, or not reachable"
        try:
            result = self._exporter.export(spans)
        except Exception as error:  # noqa: BLE001 (the thread that exports has to live)
            result, reason = SpanExportResult.FAILURE, type(error).__name__
        if result is not SpanExportResult.SUCCESS:
            self._lost += len(spans)
            self._warn(reason)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)

    def _warn(self, reason: str) -> None:
        now = self._elapsed()
        if now >= self._silent_until:
            log.warning("spans lost: no collector took them", count=self._lost, reason=reason)
            self._silent_until, self._lost = now + WARNING_INTERVAL, 0


def _context(parent: str | None) -> Context | None:
    """The context of a traceparent; None, which is the active one, where that cannot be read."""
    if parent is None:
        return None
    context = _W3C.extract({"traceparent": parent}, Context())
    return context if trace.get_current_span(context).get_span_context().is_valid else None


def _within(seconds: float, work: Callable[[], object]) -> None:
    """Wait for work no longer than that; what an export hangs on ends with the process."""
    thread = threading.Thread(target=work, name="spans", daemon=True)
    thread.start()
    thread.join(seconds)
