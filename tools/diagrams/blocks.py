"""Blocks of a Markdown file that this package owns; the rest of the file is written by hand.

    <!-- diagram: overview -->
    <!-- /diagram -->

What is between the two lines is written from the topology, whenever `make diagrams` runs.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial

from contracts.names import EventType
from infra.topology import TOPOLOGY
from tools.diagrams import tables
from tools.diagrams.overview import overview
from tools.diagrams.pictures import domain, everything
from tools.diagrams.sequences import sequence
from tools.event_schemas import VERSION_2

_BLOCK = re.compile(r"<!-- (diagram|table): ([^\n]+?) -->\n(.*?)<!-- /\1 -->", re.DOTALL)
_OPENING = re.compile(r"^<!-- (?:diagram|table): ", re.MULTILINE)


class BadBlock(ValueError):
    """A block that cannot be written; says which, and what there is."""


def blocks() -> Mapping[str, Callable[[], str]]:
    """Everything that a block can hold, by kind and name."""
    found: dict[str, Callable[[], str]] = {
        "diagram: overview": overview,
        "diagram: overview with queues": partial(overview, detailed=True),
        "diagram: everything": everything,
    }
    for each in TOPOLOGY.domains:
        found[f"diagram: domain {each.name}"] = partial(domain, each.name)
        found[f"table: queues of {each.name}"] = partial(tables.queues, each.name)
    for event_type in EventType:
        found[f"diagram: event {event_type}"] = partial(sequence, event_type)
        found[f"table: fields of {event_type}"] = partial(tables.fields, event_type)
        if event_type in VERSION_2:
            second = partial(tables.fields, event_type, 2)
            found[f"table: fields of {event_type} version 2"] = second
        found[f"table: rules of {event_type}"] = partial(tables.rules, event_type)
    return found


def written(text: str) -> str:
    """The text with all its blocks written again. Raises BadBlock."""
    known = blocks()
    if len(_BLOCK.findall(text)) != len(_OPENING.findall(text)):
        raise BadBlock(
            "a block has no end: <!-- /diagram --> or <!-- /table --> in a line of its own"
        )

    def write(match: re.Match[str]) -> str:
        kind, name, _ = match.groups()
        key = f"{kind}: {name}"
        if key not in known:
            raise BadBlock(f"nothing is called {key!r}; there are: {', '.join(known)}")
        body = known[key]()
        inside = f"```mermaid\n{body}\n```" if kind == "diagram" else body
        return f"<!-- {key} -->\n{inside}\n<!-- /{kind} -->"

    return _BLOCK.sub(write, text)
