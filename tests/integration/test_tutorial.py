"""docs/tutorial.md as its reader follows it: typed into a copy of the repository, and run.

A block with a path is written, a diff is applied, a command is run; what stands below a command is
what it has to print. `make up` is given ports of its own, and so are the commands after it.
"""

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local_system.settings import LocalSettings
from tests.following import Terminal
from tests.pages import DOCS, ROOT, Block, apply_diff, blocks, write_file
from verification.testkit.ports import reserved_ports
from verification.testkit.waiting import eventually

PAGE = DOCS / "tutorial.md"
SERVE = "make up\n"

MAX_EDITED_FILES = 5

NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "build", "node_modules")

DEFAULT_PORTS = {
    "AWS_PORT": 4566,
    "SUBSCRIPTION_API_PORT": 8001,
    "STOCK_API_PORT": 8002,
    "PAYMENT_API_PORT": 8003,
    "SHIPMENT_API_PORT": 8004,
}
"""The ports that the page names, by the variable that moves each."""

NEW_PORTS = ("SHIPMENT_API_PORT", "SHIPMENT_CONSUMER_PORT", "SHIPMENTS_RELAY_PORT")


@pytest.mark.begins_first
@pytest.mark.timeout(900)
def test_the_tutorial_works_as_written(tmp_path: Path) -> None:
    """It makes a fourth service that passes the checks and contract tests, runs, does as shown.

    Of the files that were there it changes five, by the diffs of the page and by nothing else.
    """
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    (copy / ".venv").symlink_to(sys.prefix)
    steps = [block for block in blocks(PAGE) if block.language != "mermaid"]
    (served,) = (number for number, block in enumerate(steps) if block.text == SERVE)
    names = [name.upper() for name in LocalSettings.model_fields if name.endswith("_port")]
    names += NEW_PORTS
    with reserved_ports(len(names)) as ports:
        reader = Reader(copy, tmp_path, dict(zip(names, map(str, ports), strict=True)))
        reader.follow(steps[:served])
        with reader.serving(steps[served + 1]):
            reader.follow(steps[served + 2 :])
    assert {path for path, was in before.items() if path.read_bytes() != was} == reader.edited
    assert len(reader.edited) <= MAX_EDITED_FILES


class Reader:
    """Does what the page says, block by block, in a copy of the repository."""

    def __init__(self, copy: Path, folder: Path, ports: Mapping[str, str]) -> None:
        self._copy, self._log = copy, folder / "make-up.log"
        self.edited: set[Path] = set()
        self._terminal = Terminal(
            copy,
            moved={
                f"127.0.0.1:{port}": f"127.0.0.1:{ports[name]}"
                for name, port in DEFAULT_PORTS.items()
            },
            environment={**ports, "STATE_DIR": str(folder / "state")},
        )

    def follow(self, steps: Sequence[Block]) -> None:
        """Take the blocks in turn; raises AssertionError at the first that does not hold."""
        for number, step in enumerate(steps):
            match step.language:
                case "python":
                    write_file(step, self._copy)
                case "diff":
                    self.edited.add(apply_diff(step, self._copy))
                case "sh":
                    after = steps[number + 1] if number + 1 < len(steps) else None
                    shown = after if after and after.language == "text" else None
                    self._terminal.run(step, shown)
                case "text":
                    assert steps[number - 1].language == "sh", f"who prints {step.text!r}?"
                case other:
                    raise AssertionError(f"what is a reader to do with a block of {other!r}?")

    @contextmanager
    def serving(self, shown: Block) -> Iterator[None]:
        """`make up`, from when it says that all is ready until the block ends."""
        # What is installed is what runs this test, whatever the lock's date.
        command = f"exec {SERVE.strip()} --old-file=.venv/local.installed"
        with self._terminal.beside(command, self._log, stop_within=100) as child:

            def is_ready() -> bool:
                assert child.poll() is None, "make up ended"
                return not self._terminal.missing(shown, self._log.read_text())

            eventually(is_ready, timeout=300, what="make up is ready")
            yield
