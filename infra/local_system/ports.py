"""Ports, on loopback where nothing else is said: whether one is taken, or listens."""

import socket

LOOPBACK = "127.0.0.1"


def is_taken(port: int) -> bool:
    """Whether another process has the port; one that is only in TIME_WAIT is free to bind again."""
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
