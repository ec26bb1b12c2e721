"""What an event proves: the ways that an event must have come, and those that it goes. Pure."""

from collections.abc import Iterator, Mapping

from contracts.names import EventType
from infra.graph import Edge, EdgeKind, Graph, NodeKind, node_id
from infra.resources import EventPattern
from operations.sources.routes import SOURCES, routes

BY_REQUEST = frozenset(
    {
        EventType.SUBSCRIPTION_CREATED,
        EventType.SUBSCRIPTION_ERASED,
        EventType.PAYMENT_CANCELLED,
    }
)
"""Events that mostly a request leads to; to all others another event does."""


class Journeys:
    """The graph, asked for the ways of one event: each is the ids of its edges."""

    def __init__(self, graph: Graph) -> None:
        self._edges = {edge.id: edge for edge in graph.edges}
        self._nodes = {node.id: node for node in graph.nodes}
        self.domain_of_bus = {each.name: each.domain for each in graph.nodes if each.kind == "bus"}

    def committed(self, domain: str, *, by_request: bool) -> list[str]:
        """The edge by which a domain's event came into its outbox."""
        kind: NodeKind = "api" if by_request else "consumer"
        return [each.id for each in self._of("commits") if self._is(each.origin, kind, domain)]

    def published(self, domain: str) -> list[str]:
        """The edges from a domain's outbox to its bus, in order."""
        found: list[str] = []
        (here,) = (each for each in self._nodes if self._is(each, "outbox", domain))
        while self._nodes[here].kind != "bus":
            (edge,) = self._next(here, "stream", "sends", "receives", "publishes")
            found.append(edge.id)
            here = edge.target
        return found

    def matched(
        self, bus: str, source: str, event_type: str, detail: Mapping[str, object] | None = None
    ) -> list[str]:
        """The edges from a bus over its rules that want the event, to their targets.

        Without the `detail` by which rules choose, they are those of any such event.
        """
        event = EventPattern((source,), (event_type,))
        found: list[str] = []
        for match in self._next(node_id("bus", bus), "matches"):
            if _lets_through(match, event, detail):
                found += [match.id, *(each.id for each in self._next(match.target, "delivers"))]
        return found

    def handled(self, domain: str, cause_type: str | None) -> list[str]:
        """The edges from a domain's queue to its outbox by which an event became another.

        Without the type of the cause they are known only where there is one queue.
        """
        cause = EventPattern(detail_types=(cause_type,) if cause_type else ())
        wanted = {each.target for each in self._of("delivers") if _lets_through(each, cause)}
        queues = [
            each.id
            for each in self._of("receives")
            if self._is(each.target, "consumer", domain) and each.origin in wanted
        ]
        return [*queues, *self.committed(domain, by_request=False)] if len(queues) == 1 else []

    def route(self, event_type: EventType) -> dict[str, object]:
        """The whole way of an event type, from its commit to each queue's receive, in order."""
        route = routes()[event_type]
        edges = [
            *self.committed(route.domain, by_request=event_type in BY_REQUEST),
            *self.published(route.domain),
            *self._onward(route.bus, SOURCES[event_type], event_type),
        ]
        return {"domain": route.domain, "edges": edges}

    def _onward(self, bus: str, source: str, event_type: str) -> list[str]:
        found = self.matched(bus, source, event_type)
        here = set(found)
        for edge in self._of("delivers"):
            target = self._nodes[edge.target]
            if edge.id not in here:
                continue
            if target.kind == "queue":
                found += [each.id for each in self._next(target.id, "receives")]
            elif target.kind == "bus" and self.domain_of_bus[bus] == source.removeprefix("app."):
                found += self._onward(target.name, source, event_type)
        return found

    def _is(self, node: str, kind: NodeKind, domain: str) -> bool:
        found = self._nodes[node]
        return (found.kind, found.domain) == (kind, domain)

    def _of(self, *kinds: EdgeKind) -> Iterator[Edge]:
        return (edge for edge in self._edges.values() if edge.kind in kinds)

    def _next(self, node: str, *kinds: EdgeKind) -> list[Edge]:
        return [edge for edge in self._of(*kinds) if edge.origin == node]


def _lets_through(
    edge: Edge, event: EventPattern, detail: Mapping[str, object] | None = None
) -> bool:
    pattern = edge.pattern
    if pattern is None or not pattern.overlaps(event):
        return False
    return detail is None or pattern.wants(detail)
