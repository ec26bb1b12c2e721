"""Our processes as a load run sees them: started by their command, read from /proc and /metrics."""

import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from infra.local_system.ports import LOOPBACK, reserved_ports
from infra.local_system.settings import ROOT
from local.child import cpu_seconds, running_child, signal_child
from local.errors import how_it_died
from local.probes import ask
from local.progress import Progress

PATIENCE = 60.0
"""Seconds in which a process that starts shows no line, no new answer and no work."""


class NotReady(Exception):
    """A process that did not get to work; its last lines, which are a note, say why."""


@dataclass(frozen=True)
class Observed:
    """A process of ours and where it serves its health."""

    name: str
    child: Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

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
        """CPU time, user and system, that it has used since it began."""
        return cpu_seconds(self._pid)

    @property
    def open_files(self) -> int:
        return sum(1 for _ in Path(f"/proc/{self._pid}/fd").iterdir())

    def samples(self, name: str) -> dict[str, float]:
        """A metric's samples by their labels, as /metrics has them; empty while nobody answers."""
        answer = ask(f"{self.url}/metrics", within=5)
        if answer is None:
            return {}
        found = re.findall(rf"^{name}(\{{.*\}})? (\S+)$", answer.text, re.MULTILINE)
        return {labels: float(value) for labels, value in found}

    def total(self, name: str) -> float:
        return sum(self.samples(name).values())

    def stop(self) -> tuple[float, int]:
        """Send SIGTERM; the seconds that it took to end, and its exit code."""
        started = time.monotonic()
        signal_child(self.child, signal.SIGTERM)
        code = self.child.wait(timeout=30)
        return time.monotonic() - started, code

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stand still, whatever it was at, until the block ends."""
        signal_child(self.child, signal.SIGSTOP)
        try:
            yield
        finally:
            signal_child(self.child, signal.SIGCONT)

    def until_ready(self) -> None:
        """Raise NotReady if it dies, or gives no sign of life for PATIENCE."""
        progress = Progress()
        while not (answer := ask(f"{self.url}/readyz")) or not answer.is_success:
            if (code := self.child.poll()) is not None:
                raise NotReady(f"{self.name} died ({how_it_died(code)})")
            progress.see((answer.text if answer else "", self.log.stat().st_size))
            progress.see_work(self.cpu_seconds)
            if progress.silence() > PATIENCE:
                raise NotReady(f"{self.name} gave no sign of life for {PATIENCE:g} s")
            time.sleep(0.05)

    @property
    def _pid(self) -> int:
        """The process itself is what its tether became."""
        return self.child.pid

    def _status(self, field: str) -> int:
        text = Path(f"/proc/{self._pid}/status").read_text()
        return int(re.findall(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)[0])


@contextmanager
def observed(
    folder: Path, name: str, command: str, env: Mapping[str, str], *, port_name: str
) -> Iterator[Observed]:
    """Run `python -m command` until the block ends; it is at work when the block begins."""
    with reserved_ports(1) as (port,):
        log = folder / f"{name}-{port}.log"
        with running_child(
            name,
            [sys.executable, "-m", *command.split()],
            env={"LOG_LEVEL": "WARNING", **env, port_name: str(port)},
            cwd=ROOT,
            log=log,
        ) as child:
            process = Observed(name, child, port, log)
            process.until_ready()
            yield process


def wait_until(condition: Callable[[], bool], *, within: float, every: float = 0.05) -> bool:
    """Poll until it is true; False after `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
