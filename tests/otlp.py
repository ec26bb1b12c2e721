"""A receiver of OTLP over HTTP, as a collector is one: it keeps the spans that it is sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from infra.local_system.ports import LOOPBACK
from tests.threads import served


@dataclass(frozen=True)
class ReceivedSpan:
    """`parent_id` is empty for the first of a trace; times are in nanoseconds since 1970."""

    trace_id: str
    span_id: str
    parent_id: str
    kind: str
    name: str
    started: int
    ended: int
    has_failed: bool
    attributes: dict[str, Any]
    resource: dict[str, Any]

    @property
    def service(self) -> str:
        name: str = self.resource["service.name"]
        return name


@dataclass
class Receiver:
    port: int
    types: set[str] = field(default_factory=set)
    """The content types of what came."""
    _spans: list[ReceivedSpan] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def take(self, path: str, content_type: str, body: bytes) -> int:
        """The status of the answer: a collector knows one path and no other."""
        if path != "/v1/traces":
            return 404
        spans = list(_read(ExportTraceServiceRequest.FromString(body)))
        with self._lock:
            self.types.add(content_type)
            self._spans += spans
        return 200

    def trace(self, trace_id: str) -> list[ReceivedSpan]:
        """All of a trace that has come so far."""
        return [span for span in self.spans if span.trace_id == trace_id]

    @property
    def spans(self) -> list[ReceivedSpan]:
        with self._lock:
            return list(self._spans)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Receive for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take(self.path, self.headers["Content-Type"], body)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    receiver = Receiver(server.server_port)
    with served(server):
        yield receiver


def _read(request: ExportTraceServiceRequest) -> Iterator[ReceivedSpan]:
    for group in request.resource_spans:
        resource = _plain(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield ReceivedSpan(
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                    name=span.name,
                    started=span.start_time_unix_nano,
                    ended=span.end_time_unix_nano,
                    has_failed=span.status.code == Status.STATUS_CODE_ERROR,
                    attributes=_plain(span.attributes),
                    resource=resource,
                )


def _plain(attributes: Any) -> dict[str, Any]:
    pairs: list[KeyValue] = list(attributes)
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind) if kind else None
