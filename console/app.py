"""The console over HTTP: its routes, and what is around all of them."""

from functools import partial
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from console import about_routes, health_routes
from console.dead_letters import actions
from console.faults import orders
from console.follow import journey
from console.live import routes as live_routes
from console.parts import Parts
from console.reference import routes as events_reference
from console.refusals import KINDS
from console.replays import replays
from console.requests import attempts
from console.security import Guarded
from runtime.http import problems
from runtime.http.connection_limits import BODY_SECONDS
from runtime.http.json_bodies import JsonBodies
from runtime.http.middleware import UNLOGGED_PATHS, AroundRequests, HeadAsGet, LimitedBody
from runtime.metrics import HttpMetrics

PAGE = Path(__file__).parent / "page"

MAX_CONSOLE_BODY_BYTES = 256 * 1024

POLLED = frozenset({"/api/subscriptions/{name}", "/api/subscriptions"})
"""What a page asks for again and again: a line for each would drown the others."""


def create_app(parts: Parts) -> FastAPI:
    """Put the routes together; an operator's error is a problem, as the services' are."""
    app = FastAPI(
        title="Console", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    problems.install(app, KINDS)

    app.include_router(about_routes.router(parts))
    app.include_router(live_routes.router(parts.hub))
    app.include_router(journey.router(parts))
    app.include_router(attempts.router(parts.tried_apis))
    app.include_router(actions.router(actions.DeadLetterActions(parts.environment)))
    say = partial(parts.hub.say, "replay")
    app.include_router(replays.router(replays.Replays(parts.environment, parts.stop, say)))
    app.include_router(orders.router(parts.environment, parts.settings.console_breaking_socket))
    app.include_router(events_reference.router())
    app.include_router(health_routes.router(parts.watch, parts.registry))

    @app.get("/")
    async def index() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    app.mount("/page", StaticFiles(directory=PAGE), name="page")

    app.add_middleware(HeadAsGet)
    app.add_middleware(JsonBodies)
    app.add_middleware(LimitedBody, max_bytes=MAX_CONSOLE_BODY_BYTES, max_seconds=BODY_SECONDS)
    app.add_middleware(Guarded, token=parts.token, allowed_hosts=parts.settings.allowed_hosts)
    app.add_middleware(
        AroundRequests, metrics=HttpMetrics(parts.registry), quiet=UNLOGGED_PATHS | POLLED
    )
    return app
