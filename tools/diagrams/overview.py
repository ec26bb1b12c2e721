"""The system in one look: domains, outboxes, relays, buses, and which events go where.

Rules and dead-letter queues are left out: `pictures` has them.
"""

from collections.abc import Iterator

from infra.graph import Graph, graph_of
from infra.resources import Domain, Rule, ToBus, ToQueue
from infra.topology import TOPOLOGY, WORKLOADS, Topology
from tools.diagrams.mermaid import edge, flowchart, identifier, node, subgraph
from tools.flows import Flows

OUTSIDE = {
    "subscriptions": ("customer", "POST /subscriptions"),
    "payments": ("third party", "PATCH /payments/id"),
}
"""Who sets things off, by domain."""


def overview(topology: Topology = TOPOLOGY, *, detailed: bool = False) -> str:
    """`detailed`: each relay and queue has a box of its own instead of a word on an arrow."""
    lines = _Overview(topology, detailed=detailed).lines()
    return flowchart(lines, "TB" if detailed else "LR")


class _Overview:
    def __init__(self, topology: Topology, *, detailed: bool) -> None:
        self._topology, self._detailed = topology, detailed
        self._flows, self._graph = Flows(topology), graph_of(topology)

    def lines(self) -> Iterator[str]:
        for domain in self._topology.domains:
            yield from subgraph(
                domain.name, f"{domain.name} · {_database(domain)}", self._domain(domain)
            )
        for name, (who, what) in OUTSIDE.items():
            yield node("outside", who)
            yield edge(identifier(f"outside {who}"), _service(name), what)
        yield from self._between()

    def _domain(self, domain: Domain) -> Iterator[str]:
        graph = self._graph
        mine = [each for each in graph.nodes if each.domain == domain.name]
        yield node("service", domain.name, "API and consumer")
        for each in mine:
            if each.kind == "outbox":
                yield node("outbox", each.name, "state + outbox")
                outbox = identifier(f"outbox {each.name}")
                yield edge(_service(domain.name), outbox, "one transaction")
            if each.kind == "bus" or (each.kind == "relay" and self._detailed):
                yield node(each.kind, each.name)
        yield from (self._published if self._detailed else self._relayed)(graph, domain.name)

    def _relayed(self, graph: Graph, domain: str) -> Iterator[str]:
        """One arrow from the outbox to the bus: the stream, the relays, the queue between them."""
        mine = [each for each in graph.nodes if each.domain == domain]
        (outbox,) = (each for each in mine if each.kind == "outbox")
        (bus,) = (each for each in mine if each.kind == "bus")
        between = ", ".join(
            graph.node(each.target).name
            for each in graph.edges
            if each.kind == "sends" and graph.node(each.target).domain == domain
        )
        yield edge(
            identifier(f"outbox {outbox.name}"),
            identifier(f"bus {bus.name}"),
            f"stream, relay, {between}, relay" if between else "stream, relay",
        )

    def _published(self, graph: Graph, domain: str) -> Iterator[str]:
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
                identifier(f"{origin.kind} {origin.name}"),
                identifier(f"{target.kind} {target.name}"),
                "stream" if each.kind == "stream" else "",
            )

    def _between(self) -> Iterator[str]:
        for rule in self._topology.rules:
            events = ", ".join(self._flows.through(rule))
            bus = identifier(f"bus {rule.bus}")
            match rule.target:
                case ToBus(other):
                    yield edge(bus, identifier(f"bus {other}"), events)
                case ToQueue(queue) if self._detailed:
                    yield node("queue", queue)
                    yield edge(bus, identifier(f"queue {queue}"), events)
                    yield edge(identifier(f"queue {queue}"), self._receiver(rule))
                case ToQueue():
                    yield edge(bus, self._receiver(rule), f"queue: {events}")
                case _:
                    pass  # everything is in the log group of its bus

    def _receiver(self, rule: Rule) -> str:
        return _service(self._topology.domain_of_bus(rule.bus))


def _service(domain: str) -> str:
    return identifier(f"service {domain}")


def _database(domain: Domain) -> str:
    documents = any(each.uses_documents for each in WORKLOADS if each.domain == domain.name)
    return "DocumentDB" if documents else "DynamoDB"
