"""Runs the commands of a page as a reader does, with the page's ports and names moved aside."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

from local.child import running_child
from tests.pages import Block, masked, shown_lines
from verification.testkit.waiting import eventually


@dataclass(frozen=True)
class Terminal:
    """A shell in `folder`; `moved` says what stands in the place of which text of the page.

    `environment` is laid over our own; what a command exports does not outlast it.
    """

    folder: Path
    moved: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, step: Block, shown: Block | None = None) -> None:
        """Run a command, and again while it does not print what is shown: effects take a moment."""
        allowed = (0, 1) if step.text.startswith("./streamed") else (0,)  # 1: it needs a person
        said: list[str] = []

        def prints_what_is_shown() -> bool:
            done = subprocess.run(
                ["sh", "-ec", self.move(step.text)],
                cwd=self.folder,
                env={**os.environ, **self.environment},
                capture_output=True,
                text=True,
                timeout=400,
                check=False,
            )
            said.append(f"$ {step.text}{done.stdout}{done.stderr}")
            assert done.returncode in allowed, said[-1]
            return shown is None or not self.missing(shown, done.stdout)

        try:
            eventually(prints_what_is_shown, what=step.text, timeout=180, every=0.5)
        except AssertionError as error:
            error.add_note(said[-1])
            raise

    @contextmanager
    def beside(self, command: str, log: Path, *, stop_within: float = 10) -> Iterator[Popen[bytes]]:
        """Run a command in a terminal of its own until the block ends; its output goes to `log`."""
        with running_child(
            command.strip(),
            ["sh", "-ec", self.move(command)],
            env=self.environment,
            cwd=self.folder,
            log=log,
            stop_within=stop_within,
        ) as child:
            yield child

    def missing(self, shown: Block, output: str) -> list[str]:
        """The lines that the page shows and that are not in the output."""
        found = masked(output)
        return [line for line in shown_lines(shown) if self.move(line) not in found]

    def move(self, text: str) -> str:
        for name, other in self.moved.items():
            text = text.replace(name, other)
        return text
