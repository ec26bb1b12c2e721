"""What an event proves: the ways that an event must have come, and those that it goes. Pure."""

from collections.abc import Iterator
from functools import cached_property

from contracts.names import EventType
from infra.graph import Edge, EdgeKind, Graph, node_id
from infra.resources import EventPattern
from operations.sources.routes import SOURCES

BY_REQUEST = frozenset({EventType.SUBSCRIPTION_CREATED, EventType.PAYMENT_CANCELLED})
"""Events that a request leads to; to all others another event does."""


class Journeys:
    """The graph, asked for the ways of one event."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._from: dict[str, list[Edge]] = {}
        self._to: dict[str, list[Edge]] = {}
        for edge in graph.edges:
            self._from.setdefault(edge.origin, []).append(edge)
            self._to.setdefault(edge.target, []).append(edge)
        self._kinds = {node.id: node.kind for node in graph.nodes}

    @cached_property
    def domain_of_bus(self) -> dict[str, str]:
        return {node.name: node.domain for node in self._graph.nodes if node.kind == "bus"}

    def outbox(self, domain: str) -> str:
        """Name the node of a domain's outbox."""
        return next(n.id for n in self._graph.nodes if (n.kind, n.domain) == ("outbox", domain))

    def committed(self, domain: str, *, by_request: bool) -> list[str]:
        """The edge by which a domain's event came into its outbox."""
        kind = "api" if by_request else "consumer"
        return [
            edge.id
            for edge in self._to.get(self.outbox(domain), ())
            if edge.kind == "commits" and self._kinds[edge.origin] == kind
        ]

    def published(self, domain: str) -> list[str]:
        """The edges from a domain's outbox to its bus, in order."""
        found: list[str] = []
        here = self.outbox(domain)
        while self._kinds[here] != "bus":
            (edge,) = self._next(here, "stream", "sends", "receives", "publishes")
            found.append(edge.id)
            here = edge.target
        return found

    def matched(self, bus: str, source: str, event_type: str) -> list[str]:
        """The edges from a bus over its rules that want the event, to their targets."""
        event = EventPattern((source,), (event_type,))
        found: list[str] = []
        for match in self._next(node_id("bus", bus), "matches"):
            if match.pattern is None or match.pattern.overlaps(event):
                found += [match.id, *(each.id for each in self._next(match.target, "delivers"))]
        return found

    def handled(self, domain: str, cause_type: str | None) -> list[str]:
        """The edges from a domain's queue to its outbox by which an event became another.

        Without the type of the cause they are known only where there is one queue.
        """
        queues = [edge for edge in self._receives(domain) if self._wants(edge.origin, cause_type)]
        if len(queues) != 1:
            return []
        return [queues[0].id, *self.committed(domain, by_request=False)]

    def route(self, event_type: EventType) -> dict[str, object]:
        """The whole way of an event type, from its commit to each queue's receive, in order."""
        source = SOURCES[event_type]
        domain = source.removeprefix("app.")
        bus = next(name for name, owner in self.domain_of_bus.items() if owner == domain)
        edges = [
            *self.committed(domain, by_request=event_type in BY_REQUEST),
            *self.published(domain),
            *self._onward(bus, source, event_type),
        ]
        return {"domain": domain, "edges": edges}

    def _onward(self, bus: str, source: str, event_type: str) -> list[str]:
        here = self.matched(bus, source, event_type)
        found = list(here)
        for edge in self._edges(here):
            if edge.kind != "delivers":
                continue
            kind = self._kinds[edge.target]
            if kind == "queue":
                found += [each.id for each in self._next(edge.target, "receives")]
            elif kind == "bus" and self.domain_of_bus[bus] == source.removeprefix("app."):
                found += self._onward(self._graph.node(edge.target).name, source, event_type)
        return found

    def _receives(self, domain: str) -> Iterator[Edge]:
        for edge in self._graph.edges:
            consumer = edge.kind == "receives" and self._kinds[edge.target] == "consumer"
            if consumer and self._graph.node(edge.target).domain == domain:
                yield edge

    def _wants(self, queue: str, event_type: str | None) -> bool:
        return event_type is None or any(
            edge.kind == "delivers"
            and (edge.pattern is None or event_type in (edge.pattern.detail_types or (event_type,)))
            for edge in self._to.get(queue, ())
        )

    def _next(self, node: str, *kinds: EdgeKind) -> list[Edge]:
        return [edge for edge in self._from.get(node, ()) if edge.kind in kinds]

    def _edges(self, ids: list[str]) -> Iterator[Edge]:
        return (edge for edge in self._graph.edges if edge.id in ids)
