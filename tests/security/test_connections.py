"""One hostile client against an API in a process of its own: the others are answered all the same.

It is 127.0.0.2, they are 127.0.0.1: all of 127.0.0.0/8 is this machine's, on Linux.
"""

import resource
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPResponse
from pathlib import Path

import pytest

from infra.local_system.environment import REGION
from infra.local_system.ports import LOOPBACK
from runtime.http.connection_limits import PER_CLIENT, allow_files
from tests.raw_http import Answer
from tests.system import System
from verification.testkit.launcher import LaunchedProcess
from verification.testkit.waiting import eventually

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="clients need addresses of their own, of 127.0.0.0/8"
)

HOSTILE = "127.0.0.2"
CROWD = 801
"""One more than an API serves in all."""

OTHERS = 100
"""Requests of others, each on a connection of its own."""

NOWHERE = System(REGION, "http://127.0.0.1:1", "mongodb://127.0.0.1:1", "none")
"""Engines that no request here reaches."""

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
LARGE = b"GET /docs/assets/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /subscriptions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

ATTACKS: dict[str, tuple[bytes, bool]] = {
    "silent": (b"", False),
    "half a head": (GET, False),
    "half a body": (POST + b"Content-Length: 100\r\n\r\n{", False),
    "half a chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n8\r\n{", False),
    "half-closed in its head": (GET, True),
    "half-closed after a request": (GET + b"\r\n", True),
    "idle after an answer": (GET + b"\r\n", False),
    "never reads": (LARGE, False),
}
"""What each connection says before it says no more, and whether it then ends its half."""


class Crowd:
    """Connections of one client; none of them reads what is answered."""

    def __init__(self, port: int, address: str = HOSTILE) -> None:
        self._to, self._from = (LOOPBACK, port), (address, 0)
        self._open: list[socket.socket] = []

    def grow(self, count: int, says: bytes, *, ends: bool = False) -> None:
        for _ in range(count):
            client = self._connected()
            with suppress(OSError):  # it was refused already
                client.sendall(says)
                if ends:
                    client.shutdown(socket.SHUT_WR)

    def hold(self) -> None:
        """Have one more, whose body the process waits for: it has said so when this returns."""
        client = self._connected()
        with suppress(OSError):  # it was refused
            client.sendall(POST + b"Content-Length: 9\r\nExpect: 100-continue\r\n\r\n")
            client.recv(4096)

    def _connected(self) -> socket.socket:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.bind(self._from)
        client.connect(self._to)
        self._open.append(client)
        return client

    def leave(self) -> None:
        for client in self._open:
            client.close()
        self._open.clear()


@pytest.fixture(scope="module", autouse=True)
def _files_for_a_crowd() -> None:
    allow_files()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedProcess]:
    with running_api(tmp_path_factory.mktemp("api")) as process:
        yield process


@contextmanager
def running_api(folder: Path, **settings: str) -> Iterator[LaunchedProcess]:
    with NOWHERE.running(folder, "subscription", "api", settings) as process:
        eventually(lambda: process.get("/healthz"), what="it serves")
        yield process


@pytest.fixture
def crowd(api: LaunchedProcess) -> Iterator[Crowd]:
    """Of the hostile client; once it has left, the process has its files back."""
    before, found = api.open_files, Crowd(api.port)
    try:
        yield found
    finally:
        found.leave()
    eventually(lambda: api.open_files <= before + 5, what="the process has its files back")


def ask(port: int, address: str = LOOPBACK, *headers: bytes) -> int:
    """Ask as a client of that address, on a connection of its own; the status, 0 for no answer."""
    request = b"\r\n".join([GET + b"Connection: close", *headers, b"\r\n"])
    with (
        suppress(ConnectionError),
        socket.create_connection((LOOPBACK, port), 60, (address, 0)) as client,
    ):
        client.sendall(request)
        answer = b""
        with suppress(ConnectionError):  # after the answer, where it was sent unread
            while data := client.recv(65536):
                answer += data
        return Answer.of(answer).status if answer else 0
    return 0


def is_served(client: socket.socket) -> bool:
    """Whether a connection that is kept gets an answer."""
    client.sendall(GET + b"\r\n")
    answer = HTTPResponse(client)
    answer.begin()
    answer.read()
    return answer.status == 200


@pytest.mark.parametrize(("says", "ends"), ATTACKS.values(), ids=ATTACKS)
def test_one_client_starves_no_other(
    api: LaunchedProcess, crowd: Crowd, says: bytes, ends: bool
) -> None:
    """Whatever its 801 connections wait for: at least 99 % of the others' requests are answered."""
    crowd.grow(CROWD, says, ends=ends)
    found = Counter(ask(api.port) for _ in range(OTHERS))
    assert found[200] >= 0.99 * OTHERS, found


def test_only_the_hostile_client_is_refused(api: LaunchedProcess, crowd: Crowd) -> None:
    """By 503, whatever it says of whom it forwards; its neighbour is served."""

    def is_refused() -> bool:
        crowd.grow(PER_CLIENT, GET)
        return ask(api.port, HOSTILE, b"X-Forwarded-For: 127.0.0.4") == 503

    eventually(is_refused, what="it has as many connections as one client may have")
    assert ask(api.port, "127.0.0.3", b"X-Forwarded-For: " + HOSTILE.encode()) == 200


def test_a_smaller_bound_is_a_setting(tmp_path: Path) -> None:
    """HTTP_MAX_CONNECTIONS_PER_CLIENT, also on loopback."""
    with running_api(tmp_path, HTTP_MAX_CONNECTIONS_PER_CLIENT="1") as process:
        crowd = Crowd(process.port)

        def is_refused() -> bool:
            crowd.hold()
            return ask(process.port, HOSTILE) == 503

        eventually(is_refused, what="a second connection is refused")
        crowd.leave()


def test_no_bound_is_a_setting(tmp_path: Path) -> None:
    """0, as it must be behind a proxy, whose address all clients share."""
    with running_api(tmp_path, HTTP_MAX_CONNECTIONS_PER_CLIENT="0") as process:
        crowd = Crowd(process.port)
        crowd.grow(PER_CLIENT + 50, GET)
        assert ask(process.port, HOSTILE) == 200
        crowd.leave()


def test_a_process_without_files_accepts_again_once_it_has_some(tmp_path: Path) -> None:
    """Who is connected already is served meanwhile, and the process stays."""
    with running_api(tmp_path, HTTP_MAX_CONNECTIONS_PER_CLIENT="0") as process:
        with socket.create_connection((LOOPBACK, process.port), 60) as connected:
            assert is_served(connected)
            files = process.open_files + 20
            resource.prlimit(process.child.pid, resource.RLIMIT_NOFILE, (files, files))
            crowd = Crowd(process.port)
            crowd.grow(40, b"")
            eventually(
                lambda: "out of system resource" in process.output.read_text(),
                what="it has no file for one more",
            )
            assert is_served(connected)
            crowd.leave()
        eventually(lambda: ask(process.port) == 200, what="it accepts again")
