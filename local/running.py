"""A process that was started: its output is passed on, its end is reported, its last lines kept."""

import http.client
import queue
import subprocess
import time
from collections import deque
from dataclasses import dataclass
from threading import Thread

from infra.local_system.ports import LOOPBACK, is_listening
from local.child import LAST_LINES, cpu_seconds, last_lines
from local.console import Console
from local.process import Process
from local.progress import SignsOfLife

HEALTH_WITHIN = 5.0
"""Seconds for one answer about a process's health: it asks its database, on a busy machine."""

MOST_OF_AN_ANSWER = 120
"""Characters of it that a line about waiting has room for."""


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
        self._since = time.monotonic()
        self._progress = SignsOfLife()
        self.health = Health(is_ready=False)
        self._last: deque[str] = deque(maxlen=LAST_LINES)

    def age(self) -> float:
        """Seconds since its start."""
        return time.monotonic() - self._since

    def silence(self) -> float:
        """Seconds since its last sign of life: a line, a new answer, or some work."""
        return self._progress.silence()

    def look(self) -> bool:
        """Ask whether it is ready."""
        self.health = health_of(self.process)
        log = self.process.log
        written = log.stat().st_size if log is not None and log.exists() else 0
        self._progress.see((self.health, written))
        self._progress.see_work(cpu_seconds(self.child.pid))
        return self.health.is_ready

    def last_lines(self) -> list[str]:
        """What it wrote last; of one that has ended, all that it wrote is read before."""
        if self.process.log is not None:
            return last_lines(self.process.log)
        if self.child.poll() is not None:
            self.join(timeout=1)  # longer only where a child of its own holds the pipe
        return list(self._last)

    def run(self) -> None:
        stdout = self.child.stdout
        if stdout is not None:
            with stdout:
                for line in stdout:
                    self._progress.sign()
                    self._last.append(line.decode(errors="replace").rstrip("\r\n"))
                    self._console.line(self.process.name, self.process.colour, line)
        self.child.wait()
        self._ended.put(self)


@dataclass(frozen=True)
class Health:
    """What a process answered when it was asked whether it is ready."""

    is_ready: bool
    text: str = "no answer yet"


def is_ready(process: Process) -> bool:
    """Whether the process says that it is ready."""
    return health_of(process).is_ready


def health_of(process: Process) -> Health:
    """Ask for `ready_path`, or look whether the port listens where there is none."""
    if process.ready_path is None:
        return Health(is_listening(process.port))
    connection = http.client.HTTPConnection(LOOPBACK, process.port, timeout=HEALTH_WITHIN)
    try:
        connection.request("GET", process.ready_path)
        response = connection.getresponse()
        body = response.read()  # an answer that is not read to its end resets the other side
    except (OSError, http.client.HTTPException):
        return Health(is_ready=False)
    else:
        is_ok = response.status == http.HTTPStatus.OK
        said = " ".join(body.decode(errors="replace").split())
        return Health(is_ok, f"{response.status} {said}"[:MOST_OF_AN_ANSWER].rstrip())
    finally:
        connection.close()
