"""README.md is short, and what it draws and types is what there is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.resources import ToBus, ToQueue
from infra.topology import TOPOLOGY
from tests.pages import ROOT, blocks
from tools.flows import through

README = ROOT / "README.md"
RUNNING = ROOT / "docs" / "running.md"

_BUS = re.compile(r'(\w+)\{\{"([\w-]+)"\}\}')
_EVENTS = re.compile(r'^  (\w+) -- "(queues: )?([A-Z]\w+(?:, \w+)*)" --> (\w+)$', re.MULTILINE)
_TARGET = re.compile(r"(?:^|`|=\S+ )make (?:PYTHON=\S+ )?([a-z][a-z-]*)", re.MULTILINE)


def picture() -> str:
    (drawn,) = (block.text for block in blocks(README) if block.language == "mermaid")
    return drawn


def flows() -> Iterator[tuple[str, str, str]]:
    """Bus, event and receiver of each rule that does not only log: a bus, or a domain."""
    for rule in TOPOLOGY.rules:
        for event in through(rule):
            match rule.target:
                case ToBus(other):
                    yield rule.bus, event, other
                case ToQueue():
                    yield rule.bus, event, TOPOLOGY.domain_of_bus(rule.bus)
                case _:
                    pass


def test_the_readme_is_read_in_minutes() -> None:
    """At most 160 lines, of which the picture takes at most 20."""
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 160
    assert len(picture().splitlines()) <= 20


def test_the_picture_has_every_bus_and_every_event_between_them() -> None:
    """It is drawn by hand, and holds what the topology holds."""
    names = dict(_BUS.findall(picture()))
    assert sorted(names.values()) == sorted(bus.name for bus in TOPOLOGY.buses)
    arrows = [
        (names[bus], event, receiver if queue else names[receiver])
        for bus, queue, events, receiver in _EVENTS.findall(picture())
        for event in events.split(", ")
    ]
    assert sorted(arrows) == sorted(flows())


@pytest.mark.parametrize("page", [README, RUNNING], ids=lambda page: page.name)
def test_every_make_target_on_a_page_exists(page: Path) -> None:
    """In a command or in the text: `make demo` and the others."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    named = {
        target
        for code in re.findall(r"`[^`\n]+`|^```\n.*?^```$", text, re.MULTILINE | re.DOTALL)
        for target in _TARGET.findall(code)
    }
    assert named
    assert named - targets == set()
