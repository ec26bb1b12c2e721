"""Starts a process by its command, and observes it: /proc, its HTTP and its output."""

import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx

from infra.local_system.ports import LOOPBACK
from infra.local_system.settings import ROOT, LocalSettings
from local.child import cpu_seconds, running_child, signal_child
from local.errors import how_it_died
from local.probes import ask
from local.progress import SignsOfLife
from local.supervisor import START_PATIENCE
from verification.testkit.ports import reserved_ports

PYTHON = Path(sys.executable)

_SCHEDULED = 2
"""CPUCLOCK_SCHED, of the kernel's include/linux/posix-timers_types.h."""

COVERAGE = {
    name: os.environ[name]
    for name in ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
    if name in os.environ
}
"""What makes a child measure itself, where this run measures coverage."""


class ProcessNotReady(Exception):
    """A process that did not get ready; its last lines, which are a note, say why."""


@dataclass(frozen=True)
class LaunchedProcess:
    """`port` is where it serves its health; `output` has what it wrote, stdout and stderr."""

    name: str
    child: Popen[bytes]
    port: int
    output: Path

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def get(self, path: str) -> httpx.Response | None:
        """The answer, or None while nothing listens."""
        return ask(self.url + path, within=5)

    def until_ready(self) -> None:
        """Raise ProcessNotReady if it dies, or gives no sign of life for START_PATIENCE."""
        progress = SignsOfLife()
        while not (answer := self.get("/readyz")) or not answer.is_success:
            if (code := self.child.poll()) is not None:
                raise ProcessNotReady(f"{self.name} died ({how_it_died(code)})")
            progress.see((answer.text if answer else "", self.output.stat().st_size))
            progress.see_work(self.cpu_seconds)
            if progress.silence() > START_PATIENCE:
                raise ProcessNotReady(f"{self.name} gave no sign of life for {START_PATIENCE:g} s")
            time.sleep(0.05)

    def lines(self) -> list[dict[str, Any]]:
        """Its log; raises ValueError for a line that is not JSON."""
        return [json.loads(line) for line in self.output.read_text().splitlines()]

    def samples(self, name: str) -> dict[str, float]:
        """A metric's samples by their labels, as /metrics has them; empty while nothing answers."""
        answer = self.get("/metrics")
        text = answer.text if answer else ""
        found = re.findall(rf"^{name}(\{{.*\}})? (\S+)$", text, re.MULTILINE)
        return {labels: float(value) for labels, value in found}

    def total(self, name: str) -> float:
        return sum(self.samples(name).values())

    @property
    def peak_megabytes(self) -> float:
        """The most resident memory it ever had, as the kernel counts it (VmHWM)."""
        return self._status("VmHWM") / 1000

    @property
    def resident_megabytes(self) -> float:
        """Resident memory now (VmRSS)."""
        return self._status("VmRSS") / 1000

    @property
    def cpu_seconds(self) -> float:
        """CPU time, user and system, of all its threads since it began; to the µs on Linux.

        The kernel's number for the clock is what clock_getcpuclockid(3) makes of a process: Python
        has no such function.
        """
        if sys.platform != "linux":
            return cpu_seconds(self.child.pid)
        with suppress(OSError):
            return time.clock_gettime((~self.child.pid << 3) | _SCHEDULED)
        return 0.0

    @property
    def open_files(self) -> int:
        return sum(1 for _ in Path(f"/proc/{self.child.pid}/fd").iterdir())

    def stop(self) -> tuple[float, int]:
        """Send SIGTERM; the seconds that it took to end, and its exit code."""
        started = time.monotonic()
        signal_child(self.child, signal.SIGTERM)
        code = self.child.wait(timeout=30)
        return time.monotonic() - started, code

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Freeze it (SIGSTOP) until the block ends."""
        signal_child(self.child, signal.SIGSTOP)
        try:
            yield
        finally:
            signal_child(self.child, signal.SIGCONT)

    @contextmanager
    def resumed(self) -> Iterator[None]:
        """Let a frozen one go on until the block ends."""
        signal_child(self.child, signal.SIGCONT)
        try:
            yield
        finally:
            signal_child(self.child, signal.SIGSTOP)

    def _status(self, field: str) -> int:
        text = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.findall(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)[0])


@contextmanager
def running(
    folder: Path,
    module: str,
    command: str,
    env: Mapping[str, str],
    *,
    port_name: str,
    name: str = "",
    is_measured: bool = True,
    python: Path = PYTHON,
    root: Path = ROOT,
) -> Iterator[LaunchedProcess]:
    """Run `python -m module command` until the block ends; its output goes to `folder`.

    The code is that in `root`, with its own `python` where it is another checkout's.

    `port_name` is the variable that gets its port, `name` what it is called in errors. To measure
    coverage takes half as long again: not where there are many processes, or where they are
    killed, which loses what was measured.
    """
    name = name or f"{module} {command}".strip()
    with reserved_ports(1) as (port,):
        output = folder / f"{module}-{command}-{port}.log"
        with running_child(
            name,
            _python(module, command, python),
            env={**env, **(COVERAGE if is_measured else {}), port_name: str(port)},
            cwd=root,
            log=output,
        ) as child:
            yield LaunchedProcess(name, child, port, output)


@contextmanager
def running_up(
    module: str,
    settings: LocalSettings,
    log: Path,
    *,
    python: str = sys.executable,
    root: Path = ROOT,
) -> Iterator[Popen[bytes]]:
    """Run the whole system as `make up` does, ready when the block begins.

    The code is that in `root`, with its own `python` where it is another checkout's.
    """
    values = settings.model_dump(exclude_none=True, exclude={"breakable"})
    env = {name.upper(): str(value) for name, value in values.items()}
    with running_child(
        "make up", (python, "-m", module), env=env, cwd=root, log=log, stop_within=100
    ) as child:
        while "\nready in " not in log.read_text(encoding="utf-8"):
            if child.poll() is not None:  # it gives up by itself
                raise ProcessNotReady("`make up` ended before it was ready")
            time.sleep(0.05)
        yield child


def run_to_end(folder: Path, module: str, command: str, env: Mapping[str, str]) -> tuple[int, str]:
    """Run a process that ends by itself; its exit code and its output."""
    output = folder / "output.log"
    name = f"{module} {command}".strip()
    with running_child(
        name, _python(module, command), env={**env, **COVERAGE}, cwd=ROOT, log=output
    ) as child:
        code = child.wait(timeout=60)
    return code, output.read_text()


def _python(module: str, command: str, python: Path = PYTHON) -> Sequence[str]:
    return [str(python), "-m", module, *command.split()]
