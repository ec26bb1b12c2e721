"""Carrying a schedule out, on small processes and a proxy to nowhere."""

import io
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.console import Console
from local.process import Process
from local.supervisor import Supervisor
from runtime.process.shutdown import Stop
from verification.chaos.injector import CANNOT_RETURN, Injector
from verification.chaos.keys import Keys
from verification.chaos.schedule import AWS, Fault
from verification.testkit.fault_proxy import FaultProxy
from verification.testkit.injected_fault import FaultKind
from verification.testkit.ports import reserved_ports
from verification.testkit.waiting import eventually

NAMES = ("stock-relay", CANNOT_RETURN)


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """Two processes that do nothing, for as long as they are let."""
    waits = (sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)")
    with reserved_ports(2) as ports:
        table = [
            Process(name, waits, port, "A_PORT", ready_path=None)
            for name, port in zip(NAMES, ports, strict=True)
        ]
        with Supervisor(table, console=Console(io.StringIO()), stop_within=1) as supervisor:
            supervisor.start()
            yield supervisor


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with FaultProxy("http://127.0.0.1:1").running() as proxy:
        yield proxy


@pytest.fixture
def stop() -> Stop:
    return Stop()


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "credentials")


@pytest.fixture
def injector(supervisor: Supervisor, proxy: FaultProxy, keys: Keys, stop: Stop) -> Injector:
    return Injector(supervisor, proxy, keys, console=Console(io.StringIO()), stop=stop)


def state_of(pid: int) -> str:
    """Tell what the kernel says of a process: T is one that was stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_killed_process_is_another_one_afterwards(
    injector: Injector, supervisor: Supervisor
) -> None:
    """Kill -9 and a new start, which is no death that needs to be explained."""
    before = supervisor.pid("stock-relay")
    with injector.watching():
        injector.run([Fault(FaultKind.KILL, "stock-relay", start=0, duration=1.2)], seconds=0)
    assert supervisor.pid("stock-relay") != before
    assert not supervisor.dead()
    assert injector.injected == {(FaultKind.KILL, "stock-relay"): 1}
    assert not injector.died


@pytest.mark.skipif(sys.platform != "linux", reason="reads the state of a process in /proc")
def test_a_frozen_process_goes_on_afterwards(injector: Injector, supervisor: Supervisor) -> None:
    """It is the same process, stopped for a while."""
    pid = supervisor.pid("stock-relay")
    fault = Fault(FaultKind.FREEZE, "stock-relay", start=0, duration=60)
    with injector._on(fault):
        eventually(lambda: state_of(pid) == "T", what="a stopped process")
    eventually(lambda: state_of(pid) == "S", what="a process that goes on")
    assert supervisor.pid("stock-relay") == pid


def test_the_endpoint_misbehaves_for_as_long_as_the_fault_lasts(
    injector: Injector, proxy: FaultProxy
) -> None:
    """Afterwards nothing is left of it."""
    with injector._on(Fault(FaultKind.THROTTLE, AWS, start=0, duration=1, chance=0.4)):
        assert proxy.fault is not None
        assert (proxy.fault.kind, proxy.fault.chance) == (FaultKind.THROTTLE, 0.4)
    assert proxy.fault is None


def test_a_rotated_key_is_handed_out_at_the_end_of_its_fault(
    injector: Injector, proxy: FaultProxy, keys: Keys, tmp_path: Path
) -> None:
    """Meanwhile no process has a key that is taken."""
    before = keys.current
    with injector._on(Fault(FaultKind.ROTATE, AWS, start=0, duration=1)):
        assert proxy.trusted is not None
        assert proxy.trusted[0] == (keys.current,) != (before,)
        assert before in (tmp_path / "credentials").read_text()
    assert keys.current in (tmp_path / "credentials").read_text()


def test_a_fault_that_hits_nothing_is_not_counted_as_one(
    injector: Injector, supervisor: Supervisor, proxy: FaultProxy
) -> None:
    """An endpoint that nobody asks, a process that was dead already."""
    with injector._on(Fault(FaultKind.DROP, AWS, start=0, duration=1)):
        pass
    supervisor.kill("stock-relay")
    with injector._on(Fault(FaultKind.KILL, "stock-relay", start=0, duration=1)):
        pass
    assert injector.missed == {(FaultKind.DROP, AWS): 1, (FaultKind.KILL, "stock-relay"): 1}
    assert not injector.injected
    with injector._on(Fault(FaultKind.DROP, AWS, start=0, duration=1)):
        proxy.hits[FaultKind.DROP] += 1
    assert injector.injected == {(FaultKind.DROP, AWS): 1}


def test_a_process_that_dies_by_itself_is_started_again_and_counted(
    injector: Injector, supervisor: Supervisor
) -> None:
    """As an orchestrator would; the report says so."""
    before = supervisor.pid("stock-relay")
    with injector.watching():
        os.kill(before, signal.SIGKILL)
        eventually(lambda: supervisor.pid("stock-relay") != before, what="a new process")
    assert injector.died == {"stock-relay": 1}


def test_a_run_ends_when_the_emulator_of_aws_is_gone(
    injector: Injector, supervisor: Supervisor, stop: Stop
) -> None:
    """It lost its state: what would come after says nothing about us."""
    with injector.watching():
        os.kill(supervisor.pid(CANNOT_RETURN), signal.SIGKILL)
        injector.run([], seconds=60)
    assert stop.requested
    assert injector.died == {CANNOT_RETURN: 1}


def test_a_stop_ends_a_run_early_and_leaves_no_fault_behind(
    injector: Injector, supervisor: Supervisor, proxy: FaultProxy, stop: Stop
) -> None:
    """Ctrl-C in the middle of two faults: the killed is started, the endpoint behaves."""
    faults = [
        Fault(FaultKind.KILL, "stock-relay", start=0, duration=60),
        Fault(FaultKind.ERROR, AWS, start=0, duration=60),
        Fault(FaultKind.CUT, AWS, start=61, duration=60),
    ]
    stop.request()
    began = time.monotonic()
    injector.run(faults, seconds=600)
    assert time.monotonic() - began < 60
    assert not supervisor.dead()
    assert proxy.fault is None
