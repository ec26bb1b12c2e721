"""GET /api/map: the graph as the page draws it."""

from typing import Any

from console.live.journeys import Journeys
from contracts.names import EventType
from infra.graph import Graph
from infra.topology import TOPOLOGY


def map_document(graph: Graph) -> dict[str, Any]:
    """Write nodes, edges and each event type's route."""
    journeys = Journeys(graph)
    return {
        "domains": [domain.name for domain in TOPOLOGY.domains],
        "nodes": [
            {"id": each.id, "kind": each.kind, "name": each.name, "domain": each.domain}
            for each in graph.nodes
        ],
        "edges": [
            {
                "id": each.id,
                "kind": each.kind,
                "from": each.origin,
                "to": each.target,
                "detailTypes": [str(name) for name in each.pattern.detail_types]
                if each.pattern
                else [],
            }
            for each in graph.edges
        ],
        "eventTypes": [str(each) for each in EventType],
        "routes": {str(each): journeys.route(each) for each in EventType},
    }
