"""Who is one client, whom a listener holds to a bound, and how many files a process may open."""

import resource
import socket
import subprocess
import sys

import pytest

from runtime.http.connection_limits import FILES, PER_CLIENT, ClientConnections, per_client

ONE_NETWORK = ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:0:1::")


def test_a_client_is_an_ipv4_address() -> None:
    """Its neighbour is another, and a client that has left takes no memory."""
    clients = ClientConnections[str](2)
    clients.add("10.0.0.1", "a")
    clients.add("10.0.0.1", "b")
    assert clients.of("10.0.0.1") == {"a", "b"}
    assert clients.of("10.0.0.2") == set()
    for connection in "aab":
        clients.discard("10.0.0.1", connection)
    assert vars(clients)["_connections"] == {}


def test_a_client_is_a_whole_ipv6_network() -> None:
    """The owner of one address of a /64 has all 2^64 of them."""
    clients = ClientConnections[str](2)
    for address in ONE_NETWORK:
        clients.add(address, address)
    assert clients.of("2001:db8::2") == set(ONE_NETWORK)
    assert clients.of("2001:db8:0:1::1") == set()
    clients.add("fe80::1%eth0", "of a link")
    assert clients.of("fe80::2%eth0") == {"of a link"}


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", PER_CLIENT), ("::1", PER_CLIENT), ("0.0.0.0", 0)]
)
def test_clients_are_bounded_where_they_connect_themselves(host: str, expected: int) -> None:
    """That is on loopback; elsewhere one address may be a proxy's, which all clients share."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listening:
        assert per_client(listening) == expected


def test_a_process_may_open_the_files_that_a_flood_takes() -> None:
    """From the few that macOS gives; as many as its hard limit allows, which stays."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    script = (
        "import resource as r; from runtime.http.connection_limits import allow_files\n"
        f"r.setrlimit(r.RLIMIT_NOFILE, (256, {hard})); allow_files(); allow_files(300)\n"
        "print(*r.getrlimit(r.RLIMIT_NOFILE))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    soft = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    assert done.stdout.split() == [str(soft), str(hard)]
