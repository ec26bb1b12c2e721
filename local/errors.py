"""Why the system does not run: each is one sentence, with what to do.

LocalError           also as it is: an engine is not installed, a port is taken
├── AlreadyRunning   another process has this state directory
├── ProcessDied      one of our processes, or an engine, ended by itself
├── Silent           one is alive, not ready, and gives no sign of life any more
└── Stopped          a stop was requested meanwhile

Where a setting is wrong it is Misconfigured instead, and the exit code is 2.
"""

import signal
from collections.abc import Iterable, Sequence
from pathlib import Path

from local.process import Process


class LocalError(Exception):
    """Root of this family."""


class AlreadyRunning(LocalError):
    def __init__(self, state_dir: Path, pid: str) -> None:
        super().__init__(
            f"it is already running (process {pid}, state in {state_dir}): use that one, or stop it"
            " with Ctrl-C where it runs"
        )


class ProcessDied(LocalError):
    """`lines` are its last ones: a note, since `make up` has them on the terminal already."""

    def __init__(self, process: Process, returncode: int, lines: Sequence[str] = ()) -> None:
        super().__init__(
            f"{process.name} died ({how_it_died(returncode)}): everything else is stopped; its last"
            f" lines are {process.lines_are}, fix it and run `make up` again"
        )
        self.process, self.returncode = process, returncode
        self.add_note(last_words(process.name, returncode, lines))


class Silent(LocalError):
    """`lines` are its last ones: a note."""

    def __init__(
        self, process: Process, health: str, patience: float, lines: Sequence[str] = ()
    ) -> None:
        super().__init__(
            f"{process.name} is not ready ({health}), and gave no sign of life for"
            f" {patience:g} s: its last lines are {process.lines_are}"
        )
        self.add_note(last_words(process.name, None, lines))


class Stopped(LocalError):
    def __init__(self) -> None:
        super().__init__("a stop was requested")


def last_words(name: str, returncode: int | None, lines: Iterable[str]) -> str:
    """What a process said last, under its name and how it ended; `returncode` None: it runs."""
    how = "runs" if returncode is None else f"died ({how_it_died(returncode)})"
    return "\n    ".join([f"{name} {how}; its last lines:", *lines])


def how_it_died(returncode: int) -> str:
    """`exit code 2`, or `killed by SIGKILL`."""
    if returncode >= 0:
        return f"exit code {returncode}"
    return f"killed by {signal.Signals(-returncode).name}"
