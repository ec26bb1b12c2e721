"""Ports that are reserved: a process that takes a number can have one, and nothing else can."""

import errno
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from infra.local_system.ports import LOOPBACK, is_listening, is_taken
from verification.testkit.ports import reserved_ports

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere a port cannot be held for another process"
)


def test_a_reserved_port_is_given_to_no_other() -> None:
    """For the kernel it conflicts, as it does where it seeks a port for a bind to port 0."""
    with (
        reserved_ports(1) as (port,),
        socket.socket() as other,
        pytest.raises(OSError, match="in use") as refused,
    ):
        other.bind((LOOPBACK, port))
    assert refused.value.errno == errno.EADDRINUSE


def test_its_process_may_bind_it_and_bind_it_again() -> None:
    """What a server does: on loopback, on every interface, and after a restart with clients."""
    with reserved_ports(1) as (port,):
        for host in (LOOPBACK, "0.0.0.0", LOOPBACK):
            with socket.create_server((host, port)) as server:
                assert is_taken(port)
                with socket.create_connection((LOOPBACK, port)):
                    server.accept()[0].close()
        assert not is_listening(port)


def test_a_reserved_port_is_not_taken() -> None:
    """`make up` looks before it starts, and its process may have what was reserved for it."""
    with reserved_ports(1) as (port,):
        assert not is_taken(port)


def test_who_reserves_at_the_same_time_gets_other_ports() -> None:
    """As pytest's workers do."""
    with ExitStack() as held, ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda _: held.enter_context(reserved_ports(25)), range(40))
        assert len({port for ports in found for port in ports}) == 1000
