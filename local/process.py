"""One row of the table of processes."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Engine = Literal["ministack", "mongod"]


@dataclass(frozen=True)
class Process:
    """One row: what runs, under which environment, how to see that it is ready."""

    name: str
    command: tuple[str, ...]
    port: int
    port_variable: str
    """The variable that moves the port."""
    ready_path: str | None = "/readyz"
    """Answers 200 on `port` once the process is ready; None: it is when the port listens."""
    env: Mapping[str, str] = field(default_factory=dict)
    colour: int = 37
    """ANSI."""
    needs: frozenset[Engine] = frozenset()
    """Engines that must be up and provisioned before it starts."""
    is_engine: bool = False
    log: Path | None = None
    """A file for its output, overwritten by each start; None: the console."""
    on_parent_death: signal.Signals = signal.SIGKILL

    @property
    def lines_are(self) -> str:
        return "above" if self.log is None else f"in {self.log}"

    @property
    def what_to_do(self) -> str:
        """What to do when it died."""
        return (
            f"everything else is stopped; its last lines are {self.lines_are},"
            " fix it and run `make up` again"
        )
