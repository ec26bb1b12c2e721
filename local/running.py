"""A process that was started: its output is passed on, its end is reported, its last lines kept."""

import queue
import subprocess
import time
from collections import deque
from contextlib import nullcontext
from threading import Thread

from local.child import LAST_LINES, cpu_seconds, last_lines
from local.console import Console
from local.probes import Health, health_of
from local.process import Process
from local.progress import SignsOfLife


class Running(Thread):
    """The thread reads what the child writes, and puts itself into `ended` after its end."""

    def __init__(
        self,
        process: Process,
        child: subprocess.Popen[bytes],
        console: Console,
        ended: "queue.SimpleQueue[Running]",
    ) -> None:
        super().__init__(name=f"output of {process.name}", daemon=True)
        self.process, self.child = process, child
        self._console, self._ended = console, ended
        self.since = time.monotonic()  # its start
        self.progress = SignsOfLife()
        self.health = Health(is_ready=False)
        self._last: deque[str] = deque(maxlen=LAST_LINES)

    @property
    def has_died(self) -> bool:
        """Whether it has ended, in whichever way."""
        return self.child.poll() is not None

    def look(self) -> bool:
        """Ask whether it is ready."""
        self.health = health_of(self.process)
        log = self.process.log
        written = log.stat().st_size if log is not None and log.exists() else 0
        self.progress.see((self.health, written))
        self.progress.see_work(cpu_seconds(self.child.pid))
        return self.health.is_ready

    def last_lines(self) -> list[str]:
        """What it wrote last; of one that has ended, all that it wrote is read before."""
        if self.process.log is not None:
            return last_lines(self.process.log)
        if self.has_died:
            self.join(timeout=1)  # longer only where a child of its own holds the pipe
        return list(self._last)

    def run(self) -> None:
        with self.child.stdout or nullcontext(()) as lines:
            for line in lines:
                self._pass_on(line)
        self.child.wait()
        self._ended.put(self)

    def _pass_on(self, line: bytes) -> None:
        self.progress.sign()
        self._last.append(line.decode(errors="replace").rstrip("\r\n"))
        self._console.line(self.process.name, self.process.colour, line)
