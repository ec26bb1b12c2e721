"""The supervisor, with small processes of our own in place of the system's."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from infra.local_system.ports import is_listening
from local.console import Console
from local.errors import (
    ProcessDied,
    Silent,
    Stopped,
)
from local.process import Process
from local.supervisor import Supervisor, restart_delay
from runtime.errors import Misconfigured
from runtime.process.shutdown import Stop
from verification.testkit.ports import reserved_ports
from verification.testkit.waiting import eventually

ROOT = Path(__file__).parents[2]

SERVER = """
import os, signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(sys.argv[2]))
        self.end_headers()
    def log_message(self, *_):
        pass
signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in sys.argv else lambda *_: sys.exit(0))
print("serving as", os.getpid(), flush=True)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""


Server = Callable[..., Process]


@pytest.fixture
def port() -> Iterator[int]:
    """A port for a process that listens nowhere."""
    with reserved_ports(1) as (port,):
        yield port


@pytest.fixture
def server() -> Iterator[Server]:
    with servers() as server:
        yield server


@contextmanager
def servers() -> Iterator[Server]:
    """What makes rows of processes that serve, each on a port of its own."""
    with reserved_ports(3) as ports:

        def make(name: str, *flags: str, status: int = 200, engine: bool = False) -> Process:
            port = ports.pop()
            return Process(
                name=name,
                command=(sys.executable, "-I", "-S", "-c", SERVER, str(port), str(status), *flags),
                port=port,
                port_variable=f"{name.upper()}_PORT",
                is_engine=engine,
            )

        yield make


def failing(name: str, code: int, port: int) -> Process:
    return Process(
        name=name,
        command=(sys.executable, "-I", "-S", "-c", f"print('no luck'); raise SystemExit({code})"),
        port=port,
        port_variable=f"{name.upper()}_PORT",
    )


class Watched:
    """A supervisor whose `supervise` runs in a thread, and what came of it."""

    def __init__(self, supervisor: Supervisor, said: io.StringIO, stop: Stop) -> None:
        self.supervisor, self.said, self.stop = supervisor, said, stop
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._supervise)

    def up(self) -> "Watched":
        """Start all, and wait until they are ready."""
        self.supervisor.start()
        self.supervisor.wait_ready()
        return self

    def supervise(self) -> None:
        self._thread.start()

    def ended(self) -> bool:
        return not self._thread.is_alive()

    def close(self) -> None:
        self.supervisor.stop()
        if self._thread.ident:
            self._thread.join()

    def _supervise(self) -> None:
        try:
            self.supervisor.supervise()
        except ProcessDied as error:
            self.error = error


Watch = Callable[..., Watched]


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Make supervisors that are stopped at the end of the test."""
    watched: list[Watched] = []

    def make(*processes: Process, restart_ours: bool = False, stop_within: float = 30) -> Watched:
        said, stop = io.StringIO(), Stop()
        supervisor = Supervisor(
            processes,
            console=Console(said),
            stop=stop,
            restart_ours=restart_ours,
            stop_within=stop_within,
        )
        watched.append(Watched(supervisor, said, stop))
        return watched[-1]

    yield make
    for one in watched:
        one.close()


def test_starts_waits_until_ready_and_stops(watch: Watch, server: Server) -> None:
    """Processes are ready after wait_ready, their lines carry their name, stop ends them."""
    first, second = server("first"), server("second")
    watched = watch(first, second).up()
    assert is_listening(first.port)
    assert is_listening(second.port)
    watched.supervisor.stop()
    assert not is_listening(first.port)
    assert not is_listening(second.port)
    lines = watched.said.getvalue().splitlines()
    assert any(line.startswith("first ") and "serving as" in line for line in lines)
    assert any(line.startswith("second ") and "serving as" in line for line in lines)


def test_a_death_while_waiting_is_named(watch: Watch, server: Server, port: int) -> None:
    """wait_ready ends at once, and says who died and how, when a process dies at start."""
    watched = watch(server("steady"), failing("broken", 2, port))
    watched.supervisor.start()
    with pytest.raises(ProcessDied, match=r"^broken died \(exit code 2\): .*`make up`") as death:
        watched.supervisor.wait_ready()
    assert death.value.__notes__ == [
        "broken died (exit code 2); its last lines:\n    no luck",
    ]


TALKING = (
    """
import sys, time
for number in range(45):
    print("step", number, flush=True)
    time.sleep(0.1)
"""
    + SERVER
)


def talking(process: Process) -> Process:
    """The same, but that it says much before it is ready."""
    command = (sys.executable, "-I", "-S", "-c", TALKING, str(process.port), "200")
    return replace(process, command=command)


def test_a_start_is_waited_for_as_long_as_it_shows_progress(watch: Watch, server: Server) -> None:
    """Lines are signs of life: a start that takes longer than the patience is not given up."""
    slow = talking(server("slow"))
    watched = watch(slow)
    watched.supervisor.start()
    watched.supervisor.wait_ready(patience=3)
    assert "step 44" in watched.said.getvalue()


def test_lines_in_a_log_are_signs_of_life_too(watch: Watch, server: Server, tmp_path: Path) -> None:
    """An engine writes to its own file: that it grows is enough."""
    slow = replace(talking(server("slow")), log=tmp_path / "slow.log")
    watched = watch(slow)
    watched.supervisor.start()
    watched.supervisor.wait_ready(patience=3)
    assert "step 44" in (tmp_path / "slow.log").read_text()


def test_one_without_a_sign_of_life_is_named_with_its_last_answer(
    watch: Watch, server: Server
) -> None:
    """What it answers over and over is no sign of life; the others are not blamed."""
    watched = watch(server("steady"), server("sulking", status=503))
    watched.supervisor.start()
    watched.supervisor.wait_ready("steady")
    eventually(lambda: "sulking " in watched.said.getvalue(), what="its first line")
    with pytest.raises(
        Silent, match=r"^sulking is not ready \(503\), and gave no .* for 1 s: "
    ) as silent:
        watched.supervisor.wait_ready(patience=1)
    (note,) = silent.value.__notes__
    assert note.startswith("sulking runs; its last lines:\n    serving as ")


def test_what_is_waited_for_is_said(watch: Watch, server: Server) -> None:
    """By name, with what it answered, and only those that are not ready yet."""
    watched = watch(server("steady"), server("sulking", status=503))
    watched.supervisor.start()
    watched.supervisor.wait_ready("steady")
    with pytest.raises(Silent):
        watched.supervisor.wait_ready(patience=1, say_every=0.1)
    assert "waiting for sulking (503)" in watched.said.getvalue().splitlines()


def test_a_stop_cuts_the_waiting_short(watch: Watch, server: Server) -> None:
    """Ctrl-C while the system is starting is obeyed at once."""
    watched = watch(server("sulking", status=503))
    watched.supervisor.start()
    watched.stop.request()
    with pytest.raises(Stopped):
        watched.supervisor.wait_ready()


def test_a_dying_process_ends_supervision(watch: Watch, server: Server) -> None:
    """One death ends it all: the error names the process and the signal, the others are stopped."""
    first, second = server("first"), server("second")
    watched = watch(first, second).up()
    watched.supervise()
    watched.supervisor.kill("first", signal.SIGKILL)
    eventually(watched.ended, what="the end of supervision")
    assert str(watched.error).startswith("first died (killed by SIGKILL): ")
    watched.supervisor.stop()
    assert not is_listening(second.port)


def test_a_process_may_log_to_a_file(watch: Watch, tmp_path: Path, port: int) -> None:
    """Its lines are in the file and not on the console, and its death points there."""
    process = replace(failing("chatty", 3, port), log=tmp_path / "chatty.log")
    watched = watch(process)
    watched.supervisor.start()
    with pytest.raises(
        ProcessDied, match=rf"its last lines are in {tmp_path}/chatty.log,"
    ) as death:
        watched.supervisor.wait_ready()
    assert death.value.__notes__[0].endswith("\n    no luck")
    assert (tmp_path / "chatty.log").read_text() == "no luck\n"
    assert watched.said.getvalue() == ""


def test_restart_mode_starts_it_again(watch: Watch, server: Server) -> None:
    """With restarts on, a process of ours that was killed comes back, with one line about it."""
    process = server("phoenix")
    watched = watch(process, restart_ours=True).up()
    watched.supervise()
    before = watched.supervisor.pid("phoenix")
    watched.supervisor.kill("phoenix", signal.SIGKILL)
    eventually(lambda: watched.supervisor.pid("phoenix") != before, what="another process")
    watched.supervisor.wait_ready("phoenix")
    assert "phoenix died (killed by SIGKILL): starting it again in 0.5 s" in watched.said.getvalue()
    assert not watched.ended()


def test_restart_mode_does_not_restart_engines(watch: Watch, server: Server) -> None:
    """An engine that dies takes its state's word with it: everything stops, restarts on or not."""
    watched = watch(server("mongod", engine=True), server("steady"), restart_ours=True).up()
    watched.supervise()
    watched.supervisor.kill("mongod", signal.SIGKILL)
    eventually(watched.ended, what="the end of supervision")
    assert str(watched.error).startswith("mongod died (killed by SIGKILL): ")


def test_restart_is_no_death(watch: Watch, server: Server) -> None:
    """Restarting one process leaves the others and the supervision as they were."""
    watched = watch(server("first"), server("second")).up()
    watched.supervise()
    before = watched.supervisor.pid("first"), watched.supervisor.pid("second")
    watched.supervisor.restart("first")
    watched.supervisor.wait_ready("first")
    assert watched.supervisor.pid("first") != before[0]
    assert watched.supervisor.pid("second") == before[1]
    assert not watched.ended()


@pytest.mark.parametrize("kill", [False, True], ids=["asked", "killed"])
def test_a_held_process_ends_nothing(watch: Watch, server: Server, kill: bool) -> None:
    """It is gone, the others run, and it can be started again."""
    held = server("held")
    watched = watch(held, server("other")).up()
    watched.supervise()
    watched.supervisor.hold("held", kill=kill)
    assert not watched.supervisor.runs("held")
    assert not is_listening(held.port)
    assert watched.supervisor.runs("other")

    watched.supervisor.start("held")
    watched.supervisor.wait_ready("held")
    assert watched.supervisor.runs("held")
    assert not watched.ended()


def test_a_held_process_is_not_restarted_like_one_that_died(watch: Watch, server: Server) -> None:
    """It died, is about to be started again, and is held meanwhile: it stays away."""
    watched = watch(server("held"), server("other"), restart_ours=True).up()
    watched.supervise()
    watched.supervisor.kill("held")
    watched.supervisor.hold("held")
    watched.supervisor.kill("other", signal.SIGKILL)
    # The other died later: once it is back, the held one's time has come and gone.
    eventually(lambda: watched.supervisor.runs("other"), what="the other one, started again")
    assert not watched.supervisor.runs("held")
    assert not watched.ended()


def test_holding_twice_and_holding_what_is_not_there(watch: Watch, server: Server) -> None:
    """The first is no failure, the second is one."""
    supervisor = watch(server("held")).up().supervisor
    supervisor.hold("held")
    supervisor.hold("held")
    with pytest.raises(KeyError):
        supervisor.hold("nobody")


def test_a_process_that_ignores_sigterm_is_killed(watch: Watch, server: Server) -> None:
    """Stopping is bounded: what does not go within its time is killed, and that is said."""
    stubborn = server("mule", "stubborn")
    watched = watch(stubborn, stop_within=0.5).up()
    watched.supervisor.stop()
    assert not is_listening(stubborn.port)
    assert "mule did not stop within 0.5 s: killing it" in watched.said.getvalue()


def test_an_engine_has_time_to_write_its_state(watch: Watch, port: int) -> None:
    """On a busy machine that takes longer than a process of ours may take to stop."""
    writes = """
import signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("at work", flush=True)
signal.sigwait({signal.SIGTERM})
time.sleep(0.5)
print("its state is written", flush=True)
"""
    command = (sys.executable, "-I", "-S", "-c", writes)
    watched = watch(Process("engine", command, port, "ENGINE_PORT", is_engine=True), stop_within=0)
    watched.supervisor.start()
    eventually(lambda: "at work" in watched.said.getvalue(), what="the engine at work")
    watched.supervisor.stop()
    assert "its state is written" in watched.said.getvalue()
    assert "killing it" not in watched.said.getvalue()


def test_engines_stop_last(watch: Watch, server: Server, port: int) -> None:
    """Ours are gone before an engine is asked to stop, so that nothing fails on the way out."""
    engine = server("engine", engine=True)
    asks = f"""
import signal, socket
signal.pthread_sigmask(signal.SIG_BLOCK, {{signal.SIGTERM}})
print("waiting", flush=True)
signal.sigwait({{signal.SIGTERM}})
with socket.socket() as probe:
    up = probe.connect_ex(("127.0.0.1", {engine.port})) == 0
print("engine is", "up" if up else "gone")
"""
    ours = Process("ours", (sys.executable, "-I", "-S", "-c", asks), port, "OURS_PORT")
    watched = watch(engine, ours)
    watched.supervisor.start()
    watched.supervisor.wait_ready("engine")
    eventually(lambda: "waiting" in watched.said.getvalue(), what="our process at work")
    watched.supervisor.stop()
    assert "engine is up" in watched.said.getvalue()
    assert not is_listening(engine.port)


def test_a_port_wanted_twice_is_one_sentence_with_what_to_do(watch: Watch, server: Server) -> None:
    """Two processes that were given the same port are named before either starts."""
    first = server("first")
    second = replace(first, name="second", port_variable="SECOND_PORT")
    with pytest.raises(
        Misconfigured,
        match=rf"^first and second both want port {first.port}: set SECOND_PORT to another$",
    ):
        watch(first, second).supervisor.check_ports()


def test_reserved_ports_pass_the_check(watch: Watch, server: Server) -> None:
    """Nothing is said where nothing listens: who reserved a port for a process does not take it."""
    watch(server("first"), server("second")).supervisor.check_ports()


ORPHANAGE = """
import json, sys
from local.console import Console
from local.process import Process
from local.supervisor import Supervisor
rows = json.loads(sys.argv[1])
table = [Process(row["name"], tuple(row["command"]), row["port"], "PORT") for row in rows]
with Supervisor(table, console=Console(open("/dev/null", "w"))) as supervisor:
    supervisor.start()
    supervisor.wait_ready()
    print("ready", flush=True)
    supervisor.supervise()
"""


def test_no_orphan_when_the_supervisor_is_killed(server: Server) -> None:
    """Kill -9 of the supervisor ends its processes too, even one that ignores SIGTERM."""
    processes = [server("first"), server("mule", "stubborn")]
    table = [{"name": p.name, "command": p.command, "port": p.port} for p in processes]
    supervisor = subprocess.Popen(
        [sys.executable, "-c", ORPHANAGE, json.dumps(table)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert supervisor.stdout is not None
    with closing(supervisor.stdout):
        try:
            assert supervisor.stdout.readline() == b"ready\n"
            assert all(is_listening(process.port) for process in processes)
        finally:
            supervisor.kill()
            supervisor.wait()
    eventually(lambda: not any(is_listening(p.port) for p in processes), what="the end of both")


def test_restarts_back_off() -> None:
    """The delay doubles from half a second and never exceeds half a minute."""
    assert [restart_delay(n) for n in (1, 2, 3, 7, 100)] == [0.5, 1, 2, 30, 30]
