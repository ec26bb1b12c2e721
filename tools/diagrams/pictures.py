"""The whole graph, or one domain's part of it, with every rule and dead-letter queue."""

from collections.abc import Iterator, Sequence

from infra.graph import Edge, Graph, Node, graph_of
from tools.diagrams.mermaid import edge, flowchart, identifier, node, subgraph

DEAD = "classDef dead stroke-dasharray: 4 3"
"""Dead-letter queues are drawn with broken lines."""


def everything() -> str:
    graph = graph_of()
    return flowchart(_lines(graph.nodes, graph.edges), "TB")


def domain(name: str) -> str:
    """What a domain owns, and the buses and rules of others that it is joined to."""
    graph = graph_of()
    edges = [each for each in graph.edges if _concerns(graph, each, name)]
    ends = {end for each in edges for end in (each.origin, each.target)}
    return flowchart(_lines([each for each in graph.nodes if each.id in ends], edges))


def _concerns(graph: Graph, each: Edge, name: str) -> bool:
    """Another domain's dead letters do not."""
    target = graph.node(each.target).domain
    if each.kind == "dead-letters":
        return target == name
    return name in {graph.node(each.origin).domain, target}


def _lines(nodes: Sequence[Node], edges: Sequence[Edge]) -> Iterator[str]:
    for owner in dict.fromkeys(each.domain for each in nodes):
        mine = (node(each.kind, each.name) for each in nodes if each.domain == owner)
        yield from subgraph(owner, owner, mine)
    ids = {each.id: identifier(each.kind, each.name) for each in nodes}
    for each in edges:
        dotted = each.kind == "dead-letters"
        yield edge(ids[each.origin], ids[each.target], _label(each), dotted=dotted)
    dead = [ids[each.id] for each in nodes if each.kind == "dead-letter queue"]
    if dead:
        yield DEAD
        yield f"class {','.join(dead)} dead"


def _label(each: Edge) -> str:
    if each.kind == "matches":
        wanted = each.pattern.detail_types if each.pattern else ()
        return ", ".join(wanted) or "everything"
    return {"commits": "one transaction", "stream": "stream"}.get(each.kind, "")
