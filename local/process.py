"""One row of the table of processes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


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
    needs_mongod: bool = False
    """Whether it is started only once mongod is provisioned; MiniStack is provisioned before it."""
    is_engine: bool = False
    log: Path | None = None
    """A file for its output, overwritten by each start; None: the console."""

    @property
    def lines_are(self) -> str:
        return "above" if self.log is None else f"in {self.log}"
