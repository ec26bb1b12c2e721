"""`make up BREAK=1` as the console asks it: over its socket, with processes of the test's own."""

import io
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from infra.local_system.fault_protocol import (
    Look,
    NotBroken,
    Refuse,
    StartProcess,
    StopProcess,
    ask,
)
from infra.local_system.settings import LocalSettings
from local.console import Console
from local.process import Process
from local.process_table import our_processes
from local.supervisor import Supervisor
from runtime.errors import Misconfigured, Unavailable
from tests.unit.test_supervisor import servers
from verification.fault_injection.__main__ import RELAYS, behind
from verification.fault_injection.server import FaultCommands, listening
from verification.testkit.fault_proxy import FaultProxy


@dataclass
class Broken:
    """What can be broken, and what the terminal was told."""

    path: Path
    supervisor: Supervisor
    relay: Process
    said: io.StringIO


@contextmanager
def breakable() -> Iterator[Broken]:
    said = io.StringIO()
    with (
        TemporaryDirectory() as folder,  # a path of pytest's may be too long for a socket
        FaultProxy("http://127.0.0.1:1").running() as proxy,
        servers() as server,
        Supervisor(
            [relay := server("relay"), server("console")], console=Console(said)
        ) as supervisor,
    ):
        supervisor.start()
        supervisor.wait_ready()
        path = Path(folder) / "breaking" / "socket"
        with listening(path, FaultCommands(supervisor, proxy, ["relay"], Console(said))):
            yield Broken(path, supervisor, relay, said)


@pytest.fixture
def broken() -> Iterator[Broken]:
    with breakable() as found:
        yield found


@pytest.mark.parametrize("kill", [False, True], ids=["asked", "killed"])
def test_a_relay_is_stopped_and_started(broken: Broken, kill: bool) -> None:
    """Each answer says what runs; the terminal says who did it."""
    assert ask(broken.path, Look()).processes == {"relay": True}

    assert ask(broken.path, StopProcess(process="relay", kill=kill)).processes == {"relay": False}
    assert not broken.supervisor.runs("relay")

    assert ask(broken.path, StartProcess(process="relay")).processes == {"relay": True}
    broken.supervisor.wait_ready("relay")
    assert "as the console asks" in broken.said.getvalue()


def test_only_what_may_be_broken_is(broken: Broken) -> None:
    """The console runs beside, and cannot stop itself."""
    with pytest.raises(NotBroken, match="no process 'console': there are relay"):
        ask(broken.path, StopProcess(process="console"))
    with pytest.raises(NotBroken, match="no process 'ministack'"):
        ask(broken.path, StartProcess(process="ministack"))
    assert broken.supervisor.runs("console")


def test_refusing_is_switched_on_and_off(broken: Broken) -> None:
    """And stays as it is whoever asks."""
    assert ask(broken.path, Refuse(refuse=True)).refusing
    assert ask(broken.path, Look()).refusing
    assert not ask(broken.path, Refuse(refuse=False)).refusing


@pytest.mark.parametrize(
    "line", [b"zebra\n", b'{"do":"explode"}\n', b'{"do":"stop"}\n', b"\n", b"[" * 70_000 + b"\n"]
)
def test_what_is_no_request_is_refused(broken: Broken, line: bytes) -> None:
    """The next one is heard all the same."""
    with socket.socket(socket.AF_UNIX) as talk:
        talk.connect(str(broken.path))
        talk.sendall(line)
        answer = talk.recv(4096)
    assert b"no request that can be understood" in answer
    assert ask(broken.path, Look()).processes == {"relay": True}


def test_only_its_owner_reaches_it_and_it_is_gone_afterwards() -> None:
    """Nobody listens then, which is an outage to the console."""
    with breakable() as found:
        assert stat.S_IMODE(found.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(found.path.parent.stat().st_mode) == 0o700
    with pytest.raises(Unavailable, match="make up is unavailable"):
        ask(found.path, Look())


@pytest.fixture
def idle() -> Iterator[FaultCommands]:
    """With nothing that could be broken."""
    with FaultProxy("http://127.0.0.1:1").running() as proxy:
        yield FaultCommands(Supervisor([], console=Console()), proxy, [], Console())


def test_what_was_left_behind_by_a_killed_one_is_replaced(idle: FaultCommands) -> None:
    """The state directory's lock says that it is nobody's."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "socket"
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
        with listening(path, idle):
            assert ask(path, Look()).processes == {}


def test_a_path_that_no_socket_can_have_is_named(tmp_path: Path, idle: FaultCommands) -> None:
    """With the setting that mends it."""
    path = tmp_path / ("deep" * 30) / "socket"
    with pytest.raises(Misconfigured, match="set STATE_DIR to a shorter one"):
        listening(path, idle).__enter__()


def test_only_what_publishes_stands_behind_the_refusal(tmp_path: Path) -> None:
    """The other processes reach AWS as ever."""
    ours = our_processes(LocalSettings(state_dir=tmp_path))
    with FaultProxy("http://127.0.0.1:1").running() as proxy:
        moved = {
            before.name
            for before in ours
            if behind(proxy, before).env.get("AWS_ENDPOINT_URL")
            != before.env.get("AWS_ENDPOINT_URL")
        }
    assert moved == RELAYS == {"subscriptions-relay", "stock-relay", "payments-forward"}
