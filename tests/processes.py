"""Our processes as an operator runs them: started by their command, read by their output."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx

from infra.local_system.ports import LOOPBACK, reserved_ports
from local.child import running_child
from local.errors import how_it_died
from local.probes import ask
from tests.waiting import eventually

ROOT = Path(__file__).parent.parent

COVERAGE = {
    name: os.environ[name]
    for name in ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
    if name in os.environ
}
"""What makes a child measure itself, where this run measures coverage."""


@dataclass(frozen=True)
class Process:
    """`port` is where it serves its health; `output` is what it wrote, stdout and stderr."""

    child: Popen[bytes]
    port: int
    output: Path

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def get(self, path: str) -> httpx.Response | None:
        """The answer, or None while nobody listens."""
        return ask(self.url + path, within=5)

    def until_ready(self) -> None:
        def ready() -> bool:
            code = self.child.poll()
            assert code is None, how_it_died(code or 0)
            answer = self.get("/readyz")
            return answer is not None and answer.status_code == 200

        eventually(ready, timeout=60, what=f"ready on port {self.port}")

    def lines(self) -> list[dict[str, Any]]:
        """Its log; raises ValueError for a line that is not JSON."""
        return [json.loads(line) for line in self.output.read_text().splitlines()]


@contextmanager
def running(
    folder: Path,
    module: str,
    command: str,
    env: Mapping[str, str],
    *,
    port_name: str,
    is_measured: bool = True,
) -> Iterator[Process]:
    """Run `python -m module command` until the block ends; its output goes to `folder`.

    To measure coverage takes half as long again: not where a test has many processes, or kills
    them, which loses what was measured.
    """
    with reserved_ports(1) as (port,):
        output = folder / f"{module}-{command}-{port}.log"
        with running_child(
            f"{module} {command}",
            [sys.executable, "-m", module, *command.split()],
            env={**env, **(COVERAGE if is_measured else {}), port_name: str(port)},
            cwd=ROOT,
            log=output,
        ) as child:
            yield Process(child, port, output)


def run_to_end(folder: Path, module: str, command: str, env: Mapping[str, str]) -> tuple[int, str]:
    """Run a process that ends by itself; its exit code and its output."""
    output = folder / "output.log"
    with running_child(
        f"{module} {command}",
        [sys.executable, "-m", module, *command.split()],
        env={**env, **COVERAGE},
        cwd=ROOT,
        log=output,
    ) as child:
        code = child.wait(timeout=60)
    return code, output.read_text()
