"""The system as a graph: what events pass through, and every way between two of those. Pure.

The console's map and the generated diagrams read it; it is made of the topology and the table of
workloads, and of nothing else.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from infra.resources import EventPattern, Rule, kind_and_name
from infra.topology import TOPOLOGY, WORKLOADS, Topology
from infra.workloads import Consumes, Empties, Owns, PublishesTo, SendsTo, UsesDocuments, Workload

NodeKind = Literal[
    "api", "consumer", "outbox", "relay", "bus", "rule", "queue", "dead-letter queue", "log group"
]
EdgeKind = Literal[
    "commits",  # an API or a consumer, to its outbox: state and event in one transaction
    "stream",  # an outbox to the relay that follows it
    "sends",  # a relay to a queue
    "publishes",  # a relay to a bus
    "matches",  # a bus to a rule of its own
    "delivers",  # a rule to its target
    "receives",  # a queue to its consumer, or to a relay
    "dead-letters",  # a rule, a queue or a process, to a dead-letter queue
]


@dataclass(frozen=True, slots=True)
class Node:
    """`id` is unlike any other's: two kinds may share a name."""

    id: str
    kind: NodeKind
    name: str
    domain: str


@dataclass(frozen=True, slots=True)
class Edge:
    """`pattern` is what may pass, where a rule says so."""

    id: str
    kind: EdgeKind
    origin: str
    target: str
    pattern: EventPattern | None = None


@dataclass(frozen=True)
class Graph:
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def node(self, node_id: str) -> Node:
        """Find a node. Raises KeyError."""
        return {each.id: each for each in self.nodes}[node_id]


def graph_of(topology: Topology = TOPOLOGY, workloads: Sequence[Workload] = WORKLOADS) -> Graph:
    """Draw a system: nodes domain by domain in the order of an event's journey, then the edges."""
    return Graph(tuple(_nodes(topology, workloads)), tuple(_edges(topology, workloads)))


def node_id(kind: NodeKind, name: str) -> str:
    return f"{kind.replace(' ', '-')}:{name}"


def kind_of(workload: Workload) -> NodeKind:
    if workload.path:
        return "api"
    return "relay" if workload.is_relay else "consumer"


def outbox_of(workload: Workload, topology: Topology = TOPOLOGY) -> str | None:
    """Name the outbox that a process commits to, or that it is the relay of.

    One in DocumentDB is named DATABASE.COLLECTION.
    """
    for use in workload.uses:
        if isinstance(use, Owns | Empties):
            return use.outbox
        if isinstance(use, UsesDocuments):
            (database,) = (
                each.database
                for domain in topology.domains
                if domain.name == workload.domain
                for each in domain.collections
                if each.name == use.outbox
            )
            return f"{database}.{use.outbox}"
    return None


def _nodes(topology: Topology, workloads: Sequence[Workload]) -> Iterator[Node]:
    for domain in topology.domains:
        mine = [each for each in workloads if each.domain == domain.name]
        names: dict[NodeKind, Iterable[str | None]] = {
            "api": (each.name for each in mine if kind_of(each) == "api"),
            "consumer": (each.name for each in mine if kind_of(each) == "consumer"),
            "outbox": dict.fromkeys(outbox_of(each, topology) for each in mine),
            "relay": (each.name for each in mine if kind_of(each) == "relay"),
            "bus": (bus.name for bus in domain.buses),
            "rule": (rule.name for rule in domain.rules),
            "queue": (each.name for each in domain.queues if each.redrive),
            "dead-letter queue": (each.name for each in domain.queues if not each.redrive),
            "log group": (each.name for each in domain.log_groups),
        }
        for kind, found in names.items():
            yield from (
                Node(node_id(kind, name), kind, name, domain.name) for name in found if name
            )


def _edges(topology: Topology, workloads: Sequence[Workload]) -> Iterator[Edge]:
    dead = {each.name for each in topology.queues if each.redrive is None}
    for workload in workloads:
        yield from _edges_of_process(workload, topology, dead)
    for rule in topology.rules:
        yield from _edges_of_rule(rule)
    for queue in topology.queues:
        if queue.redrive:
            yield _edge(
                "dead-letters",
                node_id("queue", queue.name),
                node_id("dead-letter queue", queue.redrive.dlq),
            )


def _edges_of_process(workload: Workload, topology: Topology, dead: set[str]) -> Iterator[Edge]:
    kind = kind_of(workload)
    me = node_id(kind, workload.name)
    outbox = outbox_of(workload, topology)
    if outbox and kind == "relay":
        yield _edge("stream", node_id("outbox", outbox), me)
    elif outbox:
        yield _edge("commits", me, node_id("outbox", outbox))
    for use in workload.uses:
        match use:
            case Consumes(queue):
                yield _edge("receives", node_id("queue", queue), me)
            case SendsTo(queue):
                if queue in dead:
                    yield _edge("dead-letters", me, node_id("dead-letter queue", queue))
                else:
                    yield _edge("sends", me, node_id("queue", queue))
            case PublishesTo(bus):
                yield _edge("publishes", me, node_id("bus", bus))
            case _:
                pass  # what it commits to and reads from is the outbox, above


def _edges_of_rule(rule: Rule) -> Iterator[Edge]:
    me = node_id("rule", rule.name)
    yield _edge("matches", node_id("bus", rule.bus), me, rule.pattern)
    yield _edge("delivers", me, node_id(*kind_and_name(rule.target)), rule.pattern)
    if rule.dlq:
        yield _edge("dead-letters", me, node_id("dead-letter queue", rule.dlq))


def _edge(kind: EdgeKind, origin: str, target: str, pattern: EventPattern | None = None) -> Edge:
    return Edge(f"{origin} {kind} {target}", kind, origin, target, pattern)
