"""Servers in a thread of the test's own process."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer

import uvicorn

from infra.local_system.ports import LOOPBACK
from verification.testkit.waiting import eventually


@contextmanager
def uvicorn_serving(config: uvicorn.Config) -> Iterator[tuple[uvicorn.Server, int]]:
    """The server and its port; it is told to leave when the block ends."""
    server = uvicorn.Server(config)
    listening = socket.create_server((LOOPBACK, 0))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started, what="it serves")
        yield server, listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


@contextmanager
def in_thread(server: HTTPServer) -> Iterator[None]:
    """Have it serve until the block ends, and close it."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
