"""Ports, on loopback where nothing else is said: is one taken, which ones are ours for a while."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

LOOPBACK = "127.0.0.1"


def is_taken(port: int) -> bool:
    """Whether somebody has the port; one that is only in TIME_WAIT is free to bind again."""
    if is_listening(port):  # also on every interface, which macOS would let us bind beside
        return True
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


def is_listening(port: int, *, host: str = LOOPBACK) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


@contextmanager
def reserved_ports(count: int) -> Iterator[list[int]]:
    """Ports, all different, for processes that take a number: ours until the block ends.

    A port that is only looked up and let go may be another's before its process binds it. Here a
    socket stays bound to each, with SO_REUSEADDR and without listening. Linux gives such a port
    neither to a bind to port 0 nor to an outgoing connection, and lets a socket that has
    SO_REUSEADDR too bind the same number and listen (socket(7), and inet_csk_bind_conflict in the
    kernel's net/ipv4/inet_connection_sock.c). All servers here set it: uvicorn, asyncio,
    hypercorn, mongod, Java, Docker. So a process may also be restarted on its port, and a test that
    wants a port on which nothing listens has one.

    Other systems refuse the second bind (BSD and macOS want SO_REUSEPORT on both sockets): there
    the sockets are closed before the block begins, and a port is only likely to be free.
    """
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind((LOOPBACK, 0))
        ports = [int(each.getsockname()[1]) for each in sockets]
        if sys.platform != "linux":
            held.close()
        yield ports
