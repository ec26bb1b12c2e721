"""Ports that are reserved for a block: for processes that take a number, and for a whole system."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from infra.local_system.ports import LOOPBACK
from infra.local_system.settings import LocalSettings


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


@contextmanager
def settings_on_free_ports(state_dir: Path) -> Iterator[LocalSettings]:
    """Settings of a system with its state in that directory and every port reserved for the block.

    What runs on the ports must have ended when the block ends.
    """
    names = [name for name in LocalSettings.model_fields if name.endswith("_port")]
    with reserved_ports(len(names)) as ports:
        yield LocalSettings.model_validate(
            {"state_dir": state_dir, **dict(zip(names, ports, strict=True))}
        )
