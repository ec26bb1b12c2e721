"""/healthz, /readyz and /metrics, as every process has them."""

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from console.live.watching import SystemWatch
from runtime.http.problem_kinds import UNAVAILABLE
from runtime.http.problems import respond


def router(watch: SystemWatch, registry: CollectorRegistry) -> APIRouter:
    routes = APIRouter()

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @routes.get("/readyz")
    async def readyz() -> Response:
        why_not = watch.why_not_ready
        return respond(UNAVAILABLE, why_not) if why_not else Response('{"status":"ready"}')

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes
