"""One operating-system process of ours: in a group of its own, and never an orphan."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

TETHER = Path(__file__).with_name("tether.py")
STOP_WITHIN = 10.0
"""Seconds a process has between SIGTERM and SIGKILL."""


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


def signal_child(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the child's whole process group; nothing happens when it is gone."""
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)


def stop_child(child: subprocess.Popen[bytes], *, within: float = STOP_WITHIN) -> bool:
    """SIGTERM, then SIGKILL after `within` seconds; True when it went without being killed."""
    signal_child(child, signal.SIGTERM)
    try:
        child.wait(timeout=within)
    except subprocess.TimeoutExpired:
        signal_child(child, signal.SIGKILL)
        child.wait()
        return False
    return True
