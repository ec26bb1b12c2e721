"""Ports, on loopback where nothing else is said: is one taken, which one is free."""

import socket
import time
from contextlib import ExitStack

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


def free_ports(count: int) -> list[int]:
    """Ports, all different, that nobody listens on right now."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def wait_until_listening(port: int, *, timeout: float, what: str, host: str = LOOPBACK) -> None:
    """Return as soon as the port accepts connections.

    Raises TimeoutError, naming `what`, after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if is_listening(port, host=host):
            return
        time.sleep(0.02)
    raise TimeoutError(f"{what} did not listen on port {port} within {timeout:g} s")
