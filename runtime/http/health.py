"""What machines ask of an API: is it alive, is it ready, was it ever, and what has it counted."""

from collections.abc import Callable

from fastapi import FastAPI, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from runtime.errors import Unavailable
from runtime.http.threads import in_thread


def install(app: FastAPI, *, check: Callable[[], None], registry: CollectorRegistry) -> None:
    """Add /healthz, /readyz, /startupz and /metrics; `check` raises Unavailable.

    /startupz is 200 for ever once the process was ready: what it asks for may be away later, and a
    new process would find it away, too. While `app.state.draining` /readyz is 503.
    """
    app.state.draining = app.state.was_ready = False

    def ready() -> None:
        if app.state.draining:
            raise Unavailable("the process", "it was asked to stop")
        check()
        app.state.was_ready = True

    # Not in the thread pool, which may be full of requests that wait for a database.
    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    def readyz() -> dict[str, str]:
        ready()
        return {"status": "ready"}

    @app.get("/startupz", include_in_schema=False)
    async def startupz() -> dict[str, str]:
        if not app.state.was_ready:
            await in_thread(ready)
        return {"status": "started"}

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
