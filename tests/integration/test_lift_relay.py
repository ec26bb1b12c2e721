"""docs/how-to/lift-the-relay.md as written: three packages in an empty folder, and nothing else."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from contracts.outbox import _REQUIRED
from tests.conftest import MiniStack
from tests.following import Terminal
from tests.pages import DOCS, ROOT, blocks, write_file
from verification.testkit.ports import reserved_ports

PAGE = DOCS / "how-to" / "lift-the-relay.md"


@pytest.fixture
def healths() -> Iterator[Iterator[str]]:
    with reserved_ports(3) as ports:
        yield map(str, ports)


@pytest.mark.timeout(240)
def test_the_relay_works_in_another_system(
    ministack: MiniStack, mongodb_uri: str, healths: Iterator[str], tmp_path: Path
) -> None:
    """Both writers of the page commit a record, and its event is on the bus."""
    steps = blocks(PAGE)
    other = tmp_path / "other"
    other.mkdir()
    unique = uuid4().hex[:8]
    terminal = Terminal(
        other,
        moved={
            "127.0.0.1:4566": urlsplit(ministack.endpoint).netloc,
            "127.0.0.1:27017": urlsplit(mongodb_uri).netloc,
            "eu-west-1": f"test-{unique}",
            '"shop"': f'"shop-{unique}"',
            "DATABASE=shop": f"DATABASE=shop-{unique}",
            **{
                f"HEALTH_PORT={port}": f"HEALTH_PORT={next(healths)}" for port in (9001, 9002, 9003)
            },
        },
        environment={
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "OTHER": str(other),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
    with ExitStack() as relays:
        for number, step in enumerate(steps):
            after = steps[number + 1] if number + 1 < len(steps) else None
            shown = after if after and after.language == "text" else None
            if step.language == "python":
                path = write_file(step, other)
                path.write_text(terminal.move(step.text), encoding="utf-8")
            elif "python -m relay" in step.text:
                log = tmp_path / f"relay-{number}.log"
                relays.enter_context(terminal.beside(step.text, log))
            elif step.text.startswith("cp "):
                Terminal(ROOT, environment=terminal.environment).run(step)
            elif step.language == "sh":
                terminal.run(step, shown)
    assert {each.name for each in other.iterdir() if each.is_dir()} == {
        "contracts",
        "relay",
        "runtime",
    }


def test_the_page_names_every_field_of_the_record() -> None:
    """A reader who fills in the table's fields has a whole record."""
    section = PAGE.read_text(encoding="utf-8").split("## The record")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)`", section, re.MULTILINE) == [*_REQUIRED, "traceparent"]
