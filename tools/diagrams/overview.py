"""The system in one look: domains, outboxes, relays, buses, and which events go where.

Rules and dead-letter queues are left out: `pictures` has them.
"""

from collections.abc import Iterator

from infra.graph import Graph, graph_of
from infra.resources import Rule, ToBus, ToQueue
from infra.topology import TOPOLOGY, WORKLOADS
from tools.diagrams.mermaid import edge, flowchart, identifier, node, subgraph
from tools.flows import through

OUTSIDE = {
    "subscriptions": ("customer", "POST /subscriptions"),
    "payments": ("bank", "POST /webhooks/direct-debit"),
}
"""Who sets things off, by domain."""


def overview(*, detailed: bool = False) -> str:
    """`detailed`: each relay and queue has a box of its own instead of a word on an arrow."""
    return flowchart(_lines(detailed=detailed), "TB" if detailed else "LR")


def _lines(*, detailed: bool) -> Iterator[str]:
    graph = graph_of()
    for domain in TOPOLOGY.domains:
        documents = any(each.uses_documents for each in WORKLOADS if each.domain == domain.name)
        label = f"{domain.name} · {'DocumentDB' if documents else 'DynamoDB'}"
        yield from subgraph(domain.name, label, _domain(graph, domain.name, detailed=detailed))
    for name, (who, what) in OUTSIDE.items():
        yield node("outside", who)
        yield edge(identifier("outside", who), identifier("service", name), what)
    for rule in TOPOLOGY.rules:
        yield from _between(rule, detailed=detailed)


def _domain(graph: Graph, name: str, *, detailed: bool) -> Iterator[str]:
    service = identifier("service", name)
    yield node("service", name, "API and consumer")
    for each in graph.nodes:
        if each.domain == name and each.kind == "outbox":
            yield node("outbox", each.name, "state + outbox")
            yield edge(service, identifier("outbox", each.name), "one transaction")
        if each.domain == name and (each.kind == "bus" or (each.kind == "relay" and detailed)):
            yield node(each.kind, each.name)
    yield from (_published if detailed else _relayed)(graph, name)


def _relayed(graph: Graph, domain: str) -> Iterator[str]:
    """One arrow from the outbox to the bus: the stream, the relays, the queue between them."""
    mine = [each for each in graph.nodes if each.domain == domain]
    (outbox,) = (identifier("outbox", each.name) for each in mine if each.kind == "outbox")
    (bus,) = (identifier("bus", each.name) for each in mine if each.kind == "bus")
    between = ", ".join(
        graph.node(each.target).name
        for each in graph.edges
        if each.kind == "sends" and graph.node(each.target).domain == domain
    )
    yield edge(outbox, bus, f"stream, relay, {between}, relay" if between else "stream, relay")


def _published(graph: Graph, domain: str) -> Iterator[str]:
    """From the outbox to the bus, over a queue where there is one."""
    for each in graph.edges:
        origin, target = graph.node(each.origin), graph.node(each.target)
        way_out = each.kind in {"stream", "publishes", "sends"} or (
            each.kind == "receives" and target.kind == "relay"
        )
        if origin.domain != domain or not way_out:
            continue
        if each.kind == "sends":
            yield node("queue", target.name)
        yield edge(
            identifier(origin.kind, origin.name),
            identifier(target.kind, target.name),
            "stream" if each.kind == "stream" else "",
        )


def _between(rule: Rule, *, detailed: bool) -> Iterator[str]:
    events = ", ".join(through(rule))
    bus = identifier("bus", rule.bus)
    receiver = identifier("service", TOPOLOGY.domain_of_bus(rule.bus))
    match rule.target:
        case ToBus(other):
            yield edge(bus, identifier("bus", other), events)
        case ToQueue(queue) if detailed:
            yield node("queue", queue)
            yield edge(bus, identifier("queue", queue), events)
            yield edge(identifier("queue", queue), receiver)
        case ToQueue():
            yield edge(bus, receiver, f"queue: {events}")
        case _:
            pass  # everything is in the log group of its bus
