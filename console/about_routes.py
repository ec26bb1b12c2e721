"""GET /api/about and /api/map: what the page needs before it can draw anything."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from console.faults.orders import why_not
from console.live.journeys import Journeys
from console.parts import Parts
from console.requests.attempts import WHY_NOT_TRIED
from contracts.names import EventType
from contracts.timestamps import format_timestamp
from infra.graph import Graph
from infra.topology import TOPOLOGY

CONSOLE_VERSION = "0.1.0"


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(prefix="/api")
    why = why_not(parts.environment, parts.settings.console_breaking_socket)
    drawn = map_document(parts.graph)

    @routes.get("/about")
    async def about() -> dict[str, Any]:
        return {
            "token": parts.token,
            "mode": "local" if parts.environment.emulated else "aws",
            "region": parts.environment.region,
            "breaking": {"enabled": why is None, "why": why},
            "trying": {
                "enabled": parts.tried_apis is not None,
                "why": WHY_NOT_TRIED if parts.tried_apis is None else None,
            },
            "apis": {name: each.url for name, each in parts.apis.items()},
            "curlOptions": {
                name: each.curl_options for name, each in (parts.tried_apis or parts.apis).items()
            },
            "started": format_timestamp(parts.started),
            "version": CONSOLE_VERSION,
        }

    @routes.get("/map")
    async def whole_map() -> dict[str, Any]:
        return drawn

    return routes


def map_document(graph: Graph) -> dict[str, Any]:
    """The graph as the page draws it: nodes, edges, and each event type's route."""
    journeys = Journeys(graph)
    return {
        "domains": [domain.name for domain in TOPOLOGY.domains],
        "nodes": [asdict(each) for each in graph.nodes],
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
