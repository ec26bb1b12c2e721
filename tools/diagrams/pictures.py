"""The whole graph, or one domain's part of it, with every rule and dead-letter queue."""

from collections.abc import Iterator

from infra.graph import Edge, Graph, Node, graph_of
from infra.resources import EventPattern
from tools.diagrams.mermaid import edge, flowchart, identifier, node, subgraph

DEAD = "classDef dead stroke-dasharray: 4 3"
"""Dead-letter queues are drawn with broken lines."""


def everything(graph: Graph | None = None) -> str:
    graph = graph or graph_of()
    return flowchart(_lines(graph, list(graph.nodes), list(graph.edges)), "TB")


def domain(name: str, graph: Graph | None = None) -> str:
    """What a domain owns, and the buses and rules of others that it is joined to."""
    graph = graph or graph_of()
    edges = [
        each
        for each in graph.edges
        if name in {graph.node(each.origin).domain, graph.node(each.target).domain}
        and not _into_foreign_dead_letters(graph, each, name)
    ]
    ends = {end for each in edges for end in (each.origin, each.target)}
    return flowchart(_lines(graph, [each for each in graph.nodes if each.id in ends], edges))


def _into_foreign_dead_letters(graph: Graph, each: Edge, name: str) -> bool:
    return each.kind == "dead-letters" and graph.node(each.target).domain != name


def _lines(graph: Graph, nodes: list[Node], edges: list[Edge]) -> Iterator[str]:
    for owner in dict.fromkeys(each.domain for each in nodes):
        mine = (node(each.kind, each.name) for each in nodes if each.domain == owner)
        yield from subgraph(owner, owner, mine)
    for each in edges:
        yield edge(
            _id(graph.node(each.origin)),
            _id(graph.node(each.target)),
            _label(each),
            dotted=each.kind == "dead-letters",
        )
    dead = [_id(each) for each in nodes if each.kind == "dead-letter queue"]
    if dead:
        yield DEAD
        yield f"class {','.join(dead)} dead"


def _id(each: Node) -> str:
    return identifier(f"{each.kind} {each.name}")


def _label(each: Edge) -> str:
    if each.kind == "matches":
        return _wanted(each.pattern)
    return {"commits": "one transaction", "stream": "stream"}.get(each.kind, "")


def _wanted(pattern: EventPattern | None) -> str:
    return ", ".join(pattern.detail_types) if pattern and pattern.detail_types else "everything"
