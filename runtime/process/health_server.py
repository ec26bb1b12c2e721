"""Serves a worker's health: is the process alive, is it at work, and what has it counted."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.errors import Misconfigured
from runtime.http.connections import limited
from runtime.http.server import QuietServer
from runtime.process.health import Readiness

LEAVE_SECONDS = 2.0
"""How long a stop waits for this server, which holds nothing that matters."""


class HealthServer:
    """Serves /healthz, /readyz, /startupz and /metrics of a worker from a thread of its own.

    Within the limits of the APIs: a probe is answered however many clients hang on.
    """

    def __init__(
        self, host: str, port: int, *, readiness: Readiness, registry: CollectorRegistry
    ) -> None:
        try:
            self._socket = socket.create_server((host, port))
        except OSError as error:
            raise Misconfigured(f"HEALTH_HOST, HEALTH_PORT: {host}:{port}: {error}") from error
        self.port = int(self._socket.getsockname()[1])
        self._server = QuietServer(limited(_app(readiness, registry), self._socket, stop_seconds=1))

    @contextmanager
    def serving(self) -> Iterator[None]:
        thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="health", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            self._server.should_exit = self._server.force_exit = True
            thread.join(LEAVE_SECONDS)


def _app(readiness: Readiness, registry: CollectorRegistry) -> ASGIApp:
    def answer(path: str) -> Response:
        match path:
            case "/healthz":
                return PlainTextResponse("alive\n")
            case "/readyz":
                return _unless(readiness.reasons(), "ready")
            case "/startupz":
                return _unless(readiness.reasons_at_start(), "started")
            case "/metrics":
                return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
            case _:
                return PlainTextResponse("try /healthz, /readyz, /startupz or /metrics\n", 404)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in {"GET", "HEAD"}:
            response = answer(scope["path"])
        else:
            response = PlainTextResponse("ask by GET\n", 405, {"Allow": "GET, HEAD"})
        await response(scope, receive, send)

    return app


def _unless(reasons: Mapping[str, str], well: str) -> Response:
    text = "".join(f"{part}: {why}\n" for part, why in reasons.items()) or f"{well}\n"
    return PlainTextResponse(text, 503 if reasons else 200)
