"""What connections may take: time and files, in all and for each client."""

import resource
import socket
from collections.abc import Hashable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Generic, TypeVar

C = TypeVar("C", bound=Hashable)

BODY_SECONDS = 10.0
"""From the end of the headers to the end of the body."""


@dataclass(frozen=True)
class ConnectionLimits:
    """What one server, and each of its connections, may take. Times are in seconds."""

    connections: int = 800
    """At a time. How many of them one client may have is a listener's (`per_client`)."""

    keep_alive: int = 360
    """From an answer to the next request's first byte: longer than a load balancer keeps an idle
    connection. Else it sends a request on one that we are closing, and its client gets 502.

    An Application Load Balancer closes after 60 s unless it is set otherwise
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html),
    a Network Load Balancer forgets a TCP flow after 350 s
    (https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html). For
    the VPC link of an API Gateway there is no number in its documentation."""

    head: float = 5.0
    """From a connection's start, or a later request's first byte, to the end of the headers."""

    body: float = BODY_SECONDS
    """As the application has it. A body that no route reads has twice that."""

    send: float = 10.0
    """To read an answer that waits for the client: ours write 64 KiB, then wait for that."""

    leave: float = 3.0
    """How long a stop waits for a client to send the rest of a body, or to read the rest of an
    answer: a request that has not arrived whole has not been begun."""

    linger: float = 2.0
    """How long what a refused client still sends is thrown away, so that it can read why."""


LIMITS = ConnectionLimits()

PER_CLIENT = 200
"""Connections from one address: a quarter of what a process serves, and three times the 64 that
the largest of our benchmarks opens."""

FILES = 4096
"""That a process may have open: 800 connections, up to 2,048 that asyncio accepts in one go
(uvicorn's backlog) before it looks at any of them, and its own. Many systems give 1,024, macOS 256.

Without a file for one more, asyncio accepts no connection for a second."""


class ClientConnections(Generic[C]):
    """Who is connected; `at_most` is how many connections one may have, 0 where there is no bound.

    A client is an IPv4 address, or the /64 of an IPv6 address: one owner has all of its addresses.
    X-Forwarded-For is not read, since any client can write it.
    """

    def __init__(self, at_most: int) -> None:
        self.at_most = at_most
        self._connections: dict[Hashable, set[C]] = {}

    def of(self, address: str) -> AbstractSet[C]:
        return self._connections.get(_client(address), set())

    def add(self, address: str, connection: C) -> None:
        self._connections.setdefault(_client(address), set()).add(connection)

    def discard(self, address: str, connection: C) -> None:
        found = self._connections.get(_client(address), set())
        found.discard(connection)
        if not found:
            self._connections.pop(_client(address), None)


def per_client(listening: socket.socket) -> int:
    """The bound for a listener, unless one is set.

    Clients connect to loopback themselves. Anywhere else there may be a proxy, whose few addresses
    all clients share: no bound.
    """
    host, *_ = listening.getsockname()
    return PER_CLIENT if ip_address(host).is_loopback else 0


def allow_files(wanted: int = FILES) -> None:
    """Raise how many files this process may open, as far as its hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _client(address: str) -> Hashable:
    return int(IPv6Address(address)) >> 64 if ":" in address else address
