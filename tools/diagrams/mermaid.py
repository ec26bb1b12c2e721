"""Mermaid's syntax: nodes, edges, subgraphs, as lines of text."""

import re
from collections.abc import Iterable, Iterator

SHAPES = {
    "api": '["{}"]',
    "consumer": '["{}"]',
    "service": '["{}"]',
    "relay": '["{}"]',
    "outside": '(["{}"])',
    "outbox": '[("{}")]',
    "bus": '{{{{"{}"}}}}',
    "rule": '(["{}"])',
    "queue": '[["{}"]]',
    "dead-letter queue": '[["{}"]]',
    "log group": '[/"{}"/]',
}
"""By kind of node: the bracket says what it is."""


def identifier(kind: str, name: str) -> str:
    """A name that Mermaid takes as one; `end` and such are words of its own."""
    return f"n_{re.sub(r'[^A-Za-z0-9]', '_', f'{kind} {name}')}"


def node(kind: str, name: str, label: str | None = None) -> str:
    return identifier(kind, name) + SHAPES[kind].format(label or name)


def edge(origin: str, target: str, label: str = "", *, dotted: bool = False) -> str:
    """`origin` and `target` are identifiers."""
    arrow = "-.->" if dotted else "-->"
    return f'{origin} {arrow}|"{label}"| {target}' if label else f"{origin} {arrow} {target}"


def subgraph(name: str, label: str, lines: Iterable[str]) -> Iterator[str]:
    yield f'subgraph {identifier("domain", name)}["{label}"]'
    yield from (f"  {line}" for line in lines)
    yield "end"


def flowchart(lines: Iterable[str], direction: str = "LR") -> str:
    return "\n".join([f"flowchart {direction}", *(f"  {line}" for line in lines)])
