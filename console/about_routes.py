"""GET /api/about and /api/map: what the page needs before it can draw anything."""

from typing import Any

from fastapi import APIRouter

from console.faults.orders import why_not
from console.live.map_document import map_document
from console.parts import Parts
from contracts.timestamps import format_timestamp

CONSOLE_VERSION = "0.1.0"


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(prefix="/api")
    drawn = map_document(parts.graph)

    @routes.get("/about")
    async def about() -> dict[str, Any]:
        return {
            "token": parts.token,
            "mode": "local" if parts.environment.emulated else "aws",
            "region": parts.environment.region,
            "breaking": breaking(parts),
            "apis": parts.apis.urls(),
            "curlOptions": parts.apis.curl_options(),
            "started": format_timestamp(parts.started),
            "version": CONSOLE_VERSION,
        }

    @routes.get("/map")
    async def whole_map() -> dict[str, Any]:
        return drawn

    return routes


def breaking(parts: Parts) -> dict[str, Any]:
    """Say whether things can be broken here, and if not, why."""
    why = why_not(parts.environment, parts.settings.console_breaking_socket)
    return {"enabled": why is None, "why": why}
