"""GET /api/subscriptions: what passed lately, and the whole journey of one."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query

from console.follow.journey import JourneyNotFound, follow, recent
from console.parts import Parts


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(prefix="/api/subscriptions")

    @routes.get("")
    def lately(limit: Annotated[int, Query(ge=1, le=300)] = 20) -> dict[str, Any]:
        return {"subscriptions": recent(parts, limit)}

    @routes.get("/{name}")
    def one(name: Annotated[str, Path(max_length=128)]) -> dict[str, Any]:
        try:
            return follow(parts, name.strip())
        except JourneyNotFound as error:
            raise HTTPException(404, str(error)) from error

    return routes
