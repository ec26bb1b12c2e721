"""One operating-system process: in a group of its own, and never an orphan."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen
from typing import IO

from infra.local_system.ports import LOOPBACK, is_listening
from local.errors import how_it_died, last_words

TETHER = Path(__file__).with_name("tether.py")
CHILD_STOPS_WITHIN = 10.0
"""Seconds a process has between SIGTERM and SIGKILL."""

LAST_LINES = 20
"""How much of a process's output is shown beside an error."""


@contextmanager
def running_child(
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stop_within: float = CHILD_STOPS_WITHIN,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` until the block ends; stdout and stderr go to the file `log`.

    An error that leaves the block carries the process's last lines, and whether it had died, as a
    note: what it said is not lost with its folder.
    """
    with log.open("wb") as output:
        child = start_child(command, env=env, cwd=cwd, output=output)
    try:
        yield child
    except BaseException as error:
        error.add_note(last_words(name, child.poll(), last_lines(log)))
        raise
    finally:
        stop_child(child, within=stop_within)


def last_lines(log: Path) -> list[str]:
    """The end of what a process wrote to a file, at most LAST_LINES of at most 64 KiB."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 64 * 1024))
        return file.read().decode(errors="replace").splitlines()[-LAST_LINES:]


def start_child(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: int | IO[bytes] = subprocess.DEVNULL,
    on_parent_death: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start `command`; stdout and stderr go to `output`, stdin is empty.

    `env` is laid over our own environment. The child sits in its own process group, so that Ctrl-C
    in a terminal reaches only us and the order of stopping is ours. On Linux the kernel sends it
    `on_parent_death` when the *thread* that called this function ends: call it from one that lives
    as long as the child should.
    """
    tether = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), str(on_parent_death.value)]
    return subprocess.Popen(
        [*tether, *command],
        env={**os.environ, **(env or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        process_group=0,
    )


def cpu_seconds(pid: int) -> float:
    """CPU time, user and system, that a process has used; 0 where there is no /proc (macOS)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def signal_child(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the child's whole process group; nothing happens when it is gone."""
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)


def stop_child(child: subprocess.Popen[bytes], *, within: float = CHILD_STOPS_WITHIN) -> bool:
    """SIGTERM, then SIGKILL after `within` seconds; True when it went without being killed."""
    signal_child(child, signal.SIGTERM)
    try:
        child.wait(timeout=within)
    except subprocess.TimeoutExpired:
        signal_child(child, signal.SIGKILL)
        child.wait()
        return False
    return True


def wait_until_listening(
    port: int,
    *,
    timeout: float,
    what: str,
    host: str = LOOPBACK,
    child: Popen[bytes] | None = None,
) -> None:
    """Return as soon as the port accepts connections.

    Raises TimeoutError, naming `what`, after `timeout` seconds, and ChildProcessError as soon as
    `child`, which should listen there, has ended.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if is_listening(port, host=host):
            return
        if child is not None and (code := child.poll()) is not None:
            raise ChildProcessError(f"{what} died ({how_it_died(code)}) before it listened")
        time.sleep(0.02)
    raise TimeoutError(f"{what} did not listen on port {port} within {timeout:g} s")
