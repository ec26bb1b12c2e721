"""Health: is the process alive, is it at work, and what has it counted."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from runtime.errors import Misconfigured


class Readiness:
    """Which parts of a process are at work. A part that was never reported up keeps it unready."""

    def __init__(self, *parts: str) -> None:
        self._lock = threading.Lock()
        self._reasons: dict[str, str | None] = dict.fromkeys(parts, "starting")

    def up(self, part: str) -> None:
        with self._lock:
            self._reasons[part] = None

    def down(self, part: str, reason: str) -> None:
        with self._lock:
            self._reasons[part] = reason

    def reasons(self) -> dict[str, str]:
        """Say why the process is not ready, by part; empty when it is."""
        with self._lock:
            return {part: reason for part, reason in self._reasons.items() if reason is not None}


class HealthServer:
    """Serves /healthz, /readyz and /metrics of a worker from a thread of its own."""

    def __init__(
        self, host: str, port: int, *, readiness: Readiness, registry: CollectorRegistry
    ) -> None:
        try:
            self._server = _Server((host, port), _handler(readiness, registry))
        except OSError as error:
            raise Misconfigured(f"HEALTH_HOST, HEALTH_PORT: {host}:{port}: {error}") from error

    @property
    def port(self) -> int:
        return self._server.server_port

    @contextmanager
    def serving(self) -> Iterator[None]:
        thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A probe that hangs up before it has read its answer is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(readiness: Readiness, registry: CollectorRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60  # seconds; an idle connection gives its thread back

        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/healthz":
                    self._answer(200, "text/plain", b"alive\n")
                case "/readyz":
                    reasons = readiness.reasons()
                    text = "".join(f"{part}: {why}\n" for part, why in reasons.items()) or "ready\n"
                    self._answer(503 if reasons else 200, "text/plain", text.encode())
                case "/metrics":
                    self._answer(200, CONTENT_TYPE_LATEST, generate_latest(registry))
                case _:
                    self._answer(404, "text/plain", b"try /healthz, /readyz or /metrics\n")

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Probes are not worth a line each."""

    return Handler
