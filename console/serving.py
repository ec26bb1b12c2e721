"""Serves the console until it is asked to stop, and lets the pages that listen go first."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from console.live.hub import Hub
from console.settings import ConsoleSettings
from runtime.errors import Misconfigured
from runtime.http.connections import limited
from runtime.process.shutdown import Stop, on_signal

CONSOLE_STOP_SECONDS = 3
"""What requests in flight have; taking the taps away comes after, and a process has 10 s in all."""


def listening(settings: ConsoleSettings) -> socket.socket:
    """Take the address; raises Misconfigured if it cannot be had."""
    host, port = settings.console_host, settings.console_port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise Misconfigured(
            f"CONSOLE_HOST, CONSOLE_PORT: {host}:{port}: {error}; set CONSOLE_PORT to a free one"
        ) from error


def serve(app: FastAPI, socket_: socket.socket, hub: Hub) -> None:
    """Serve until SIGTERM or SIGINT."""
    server = _Server(limited(app, stop_seconds=CONSOLE_STOP_SECONDS))
    with on_signal(_Leave(server, hub)):
        server.run([socket_])


class _Server(uvicorn.Server):
    """Leaves the signals to us: uvicorn would wait for streams that were not ended."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Leave(Stop):
    """A stop request for uvicorn and for every open stream."""

    def __init__(self, server: uvicorn.Server, hub: Hub) -> None:
        super().__init__()
        self._server, self._hub = server, hub

    def request(self) -> None:
        super().request()
        self._hub.close()
        self._server.should_exit = True
