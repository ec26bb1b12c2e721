"""Composition root of the console: `python -m console` serves until it is asked to stop."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from console.app import create_app
from console.live.hub import Hub
from console.parts import Parts
from console.settings import ConsoleSettings
from runtime import logs
from runtime.errors import Misconfigured
from runtime.http.connections import limited
from runtime.http.server import QuietServer
from runtime.paths import require_writable_file
from runtime.process.shutdown import Stop, on_signal
from runtime.settings import load

log = structlog.get_logger(__name__)

CONSOLE_STOP_SECONDS = 3
"""What requests in flight have; taking the taps away comes after, and a process has 10 s in all."""


def run() -> None:
    """Serve until a stop; raises Misconfigured for what is wrong with the environment."""
    settings = load(ConsoleSettings)
    logs.configure(level=settings.log_level, form=settings.log_format, process="console")
    if settings.streamed_audit_file is not None:
        require_writable_file(settings.streamed_audit_file, "STREAMED_AUDIT_FILE")
    parts = Parts(settings)
    app = create_app(parts)
    socket_ = _listening(settings)
    parts.start()
    host, port = socket_.getsockname()[:2]
    log.info("started", address=f"http://{host}:{port}")
    try:
        server = _Server(limited(app, socket_, stop_seconds=CONSOLE_STOP_SECONDS))
        with on_signal(_Leave(server, parts.hub)):
            server.run([socket_])
    finally:
        parts.end()
    log.info("stopped")


def _listening(settings: ConsoleSettings) -> socket.socket:
    """Take the address; raises Misconfigured if it cannot be had."""
    host, port = settings.console_host, settings.console_port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise Misconfigured(
            f"CONSOLE_HOST, CONSOLE_PORT: {host}:{port}: {error}; set CONSOLE_PORT to a free one"
        ) from error


class _Server(QuietServer):
    """Leaves the signals to us: uvicorn would wait for streams that were not ended."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Leave(Stop):
    """A stop request for uvicorn and for every open stream."""

    def __init__(self, server: QuietServer, hub: Hub) -> None:
        super().__init__()
        self._server, self._hub = server, hub

    def request(self) -> None:
        super().request()
        self._hub.close()
        self._server.should_exit = True
