"""A SERVER span around each HTTP request, by the semantic conventions for HTTP (stable, 1.23).

https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.http.middleware import UNLOGGED_PATHS
from runtime.http.problems import METHODS
from runtime.masking import mask
from runtime.process.tracing import Attributes, Tracer

_SERVER_ERROR = 500


class TracedRequests:
    """ASGI middleware. To what is inside it, the span is the caller: its context is the header's.

    So the Cause that a request leads to carries the span's context on, as it carries a caller's
    where tracing is off. A query is left out: it may have an account number in it.
    """

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app, self._tracer = app, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNLOGGED_PATHS:
            await self._app(scope, receive, send)
            return
        status = 0

        async def send_and_see(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        # A caller may invent methods, and a span's name is one of few.
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        parent = Headers(scope=scope).get("traceparent")
        with self._tracer.span(
            _name(method), "server", _attributes(scope, method), parent=parent
        ) as span:
            headers = MutableHeaders(scope=scope)
            headers["traceparent"] = span.traceparent
            await self._app(scope, receive, send_and_see)
            route = getattr(scope.get("route"), "path", None)
            if route:
                span.rename(f"{_name(method)} {route}")
                span.set({"http.route": route})
            if status:
                span.set({"http.response.status_code": status})
            if status >= _SERVER_ERROR:
                span.fail(str(status))


def _name(method: str) -> str:
    return "HTTP" if method == "_OTHER" else method


def _attributes(scope: Scope, method: str) -> Attributes:
    host, port = scope.get("server") or ("", None)
    return {
        "http.request.method": method,
        "url.scheme": scope["scheme"],
        "url.path": mask(scope["path"]),
        "network.protocol.version": scope["http_version"],
        "server.address": host,
        **({"server.port": port} if port else {}),
    }
