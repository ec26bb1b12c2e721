"""Work in a thread for as long as a block lasts."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socketserver import BaseServer


@contextmanager
def beside(work: Callable[[], object], *ends: Callable[[], object]) -> Iterator[threading.Thread]:
    """Run work in a thread; when the block is over, `ends` are called, and the thread must end."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        for end in ends:
            end()
        thread.join(timeout=60)
        assert not thread.is_alive(), f"{work} did not end"


@contextmanager
def served(server: BaseServer) -> Iterator[None]:
    """Have a server serve until the block ends."""
    with server, beside(lambda: server.serve_forever(0.02), server.shutdown):
        yield


def started(work: Callable[[], object]) -> threading.Thread:
    """A thread that does this work, and keeps no process alive."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def ended(thread: threading.Thread) -> bool:
    """Wait for a thread's end, a minute at most; whether it came."""
    thread.join(timeout=60)
    return not thread.is_alive()
