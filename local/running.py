"""A process that was started: its output is passed on, its end is reported, its last lines kept."""

import http.client
import queue
import subprocess
import time
from collections import deque
from threading import Thread

from local.child import LAST_LINES, last_lines
from local.console import Console
from local.ports import LOOPBACK, is_listening
from local.process import Process


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
        self._last: deque[str] = deque(maxlen=LAST_LINES)

    def age(self) -> float:
        """Seconds since its start."""
        return time.monotonic() - self._since

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
                    self._last.append(line.decode(errors="replace").rstrip("\r\n"))
                    self._console.line(self.process.name, self.process.colour, line)
        self.child.wait()
        self._ended.put(self)


def is_ready(process: Process) -> bool:
    """Whether the process says that it is at work."""
    if process.ready_path is None:
        return is_listening(process.port)
    connection = http.client.HTTPConnection(LOOPBACK, process.port, timeout=1)
    try:
        connection.request("GET", process.ready_path)
        response = connection.getresponse()
        response.read()  # an answer that is not read to its end is a reset for the other side
    except (OSError, http.client.HTTPException):
        return False
    else:
        return response.status == http.HTTPStatus.OK
    finally:
        connection.close()
