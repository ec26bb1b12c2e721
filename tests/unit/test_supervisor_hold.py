"""Processes that are held: stopped on purpose, missed by nobody, and started again when asked."""

import io
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from infra.local_system.ports import is_listening
from local.console import Console
from local.process import Process
from local.supervisor import Supervisor
from runtime.process.shutdown import Stop
from tests.unit.test_supervisor import Server, servers
from verification.testkit.waiting import eventually


@pytest.fixture
def server() -> Iterator[Server]:
    with servers() as server:
        yield server


@contextmanager
def supervised(*processes: Process, restart_ours: bool = False) -> Iterator[Supervisor]:
    """Run processes, with somebody who watches for deaths; it must not have found one."""
    stop, errors = Stop(), list[BaseException]()
    with Supervisor(
        processes, console=Console(io.StringIO()), stop=stop, restart_ours=restart_ours
    ) as supervisor:
        supervisor.start()
        supervisor.wait_ready()

        def supervise() -> None:
            try:
                supervisor.supervise()
            except Exception as error:  # noqa: BLE001 (the test asks what came of it)
                errors.append(error)

        thread = Thread(target=supervise)
        thread.start()
        try:
            yield supervisor
            assert thread.is_alive()
        finally:
            stop.request()
            thread.join()
    assert errors == []


@pytest.mark.parametrize("kill", [False, True], ids=["asked", "killed"])
def test_a_held_process_ends_nothing(server: Server, kill: bool) -> None:
    """It is gone, the others run, and it can be started again."""
    held, other = server("held"), server("other")
    with supervised(held, other) as supervisor:
        supervisor.hold("held", kill=kill)
        assert not supervisor.runs("held")
        assert not is_listening(held.port)
        assert supervisor.runs("other")

        supervisor.start("held")
        supervisor.wait_ready("held")
        assert supervisor.runs("held")


def test_a_held_process_is_not_restarted_like_one_that_died(server: Server) -> None:
    """It died, is about to be started again, and is held meanwhile: it stays away."""
    held = server("held")
    with supervised(held, server("other"), restart_ours=True) as supervisor:
        supervisor.kill("held")
        supervisor.hold("held")
        supervisor.kill("other", signal.SIGKILL)
        # The other died later: once it is back, the held one's time has come and gone.
        eventually(lambda: supervisor.runs("other"), what="the other one, started again")
        assert not supervisor.runs("held")


def test_holding_twice_and_holding_what_is_not_there(server: Server) -> None:
    """The first is no failure, the second is one."""
    with supervised(server("held")) as supervisor:
        supervisor.hold("held")
        supervisor.hold("held")
        with pytest.raises(KeyError):
            supervisor.hold("nobody")
