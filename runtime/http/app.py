"""Builds an HTTP service: one place for limits, problems, documentation and health."""

import socket
from collections.abc import Callable, Mapping
from typing import TypeVar

import uvicorn
from fastapi import APIRouter, FastAPI, Request
from prometheus_client import CollectorRegistry

from contracts.causes import Cause
from runtime.errors import Misconfigured
from runtime.http import docs as documentation
from runtime.http import health, problems
from runtime.http import outbox_endpoint as outbox_api
from runtime.http.auth import (
    Authenticated,
    InsufficientScope,
    VerifiesTokens,
    answer_insufficient_scope,
)
from runtime.http.connection_limits import BODY_SECONDS
from runtime.http.connections import limited
from runtime.http.draining import DrainingServer
from runtime.http.json_bodies import JsonBodies
from runtime.http.middleware import AllowedHosts, AroundRequests, HeadAsGet, LimitedBody
from runtime.http.problem_kinds import Kind
from runtime.http.settings import ApiSettings, HttpSettings
from runtime.http.tracing import TracedRequests
from runtime.metrics import HttpMetrics, new_registry
from runtime.outbox.ports import Outbox
from runtime.process.garbage import keep_loaded
from runtime.process.shutdown import Stop, on_signal
from runtime.process.startup import startup
from runtime.process.tracing import Tracer

S = TypeVar("S", bound=ApiSettings)

MAX_BODY_BYTES = 64 * 1024
API_STOP_SECONDS = 8
"""How long requests in flight have to finish, once nothing more is accepted: with what comes after
a process has 10 s, beside the time for which it drains."""


def create_api(
    *,
    title: str,
    description: str,
    router: APIRouter,
    kinds: Mapping[type[Exception], Kind],
    check: Callable[[], None],
    verifier: VerifiesTokens | None,
    registry: CollectorRegistry | None = None,
    outbox: Outbox | None = None,
    tracer: Tracer | None = None,
    allowed_hosts: frozenset[str] = frozenset(),
    open_paths: frozenset[str] = frozenset(),
) -> FastAPI:
    """Put a service's routes behind what every service shares.

    `kinds` says which problem each domain error is; `check` raises Unavailable while the service's
    database is away, and so does `outbox`, the one that it commits to. `verifier` is None where
    AUTH=off: then every client is served. `open_paths` are the service's own that need no token.
    `allowed_hosts` are names that it answers to beside loopback's. Routes for one row are async,
    and send only their handler to a thread (`in_thread`).
    """
    registry = registry or new_registry()
    # FastAPI sends each plain function to anyio's threads, each dependency of a route as well, and
    # what a plain route returned once more to be written as JSON: a POST would go there four times.
    app = FastAPI(
        title=title,
        description=description,
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Ours are in runtime/http/tracing.py; its own would tell what errors say as well.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    problems.install(app, kinds)
    app.add_exception_handler(InsufficientScope, answer_insufficient_scope)
    # First: routes are tried in this order. FastAPI looks twice through what it includes.
    app.routes.extend(router.routes)
    if outbox is not None:
        app.routes.extend(outbox_api.routes(outbox).routes)
    documentation.install(app)

    def ready() -> None:
        check()
        if verifier is not None:
            verifier.check()

    health.install(app, check=ready, registry=registry)
    app.add_middleware(HeadAsGet)  # first: the innermost
    app.add_middleware(JsonBodies)
    app.add_middleware(LimitedBody, max_bytes=MAX_BODY_BYTES, max_seconds=BODY_SECONDS)
    app.add_middleware(Authenticated, verifier=verifier, open_paths=open_paths)
    app.add_middleware(AllowedHosts, allowed=allowed_hosts)
    app.add_middleware(AroundRequests, metrics=HttpMetrics(registry))
    if tracer is not None:
        app.add_middleware(TracedRequests, tracer=tracer)  # last: the outermost
    return app


def cause_of(request: Request) -> Cause:
    cause: Cause = request.scope["cause"]
    return cause


def run_api(
    name: str, settings_type: type[S], create_app: Callable[[S, Tracer | None], FastAPI]
) -> None:
    """Run the API process `name` until it is asked to stop. Raises Misconfigured."""
    with startup(name, settings_type) as (settings, tracer):
        serve(create_app(settings, tracer), settings)


def serve(app: FastAPI, settings: HttpSettings) -> None:
    """Serve until SIGTERM or SIGINT, and as long as it drains; requests in flight are finished.

    Raises Misconfigured if the address cannot be had.
    """
    listening = _listen(settings.http_host, settings.http_port)
    at_most = settings.http_max_connections_per_client
    config = limited(app, listening, stop_seconds=API_STOP_SECONDS, at_most=at_most)
    server = DrainingServer(config, app, drain=settings.http_drain_seconds)
    keep_loaded()
    # uvicorn raises the signal again once it has stopped, which would kill the process: ours takes
    # it, and one that comes before uvicorn listens to any.
    with on_signal(_Leave(server)):
        server.run([listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise Misconfigured(f"HTTP_HOST, HTTP_PORT: {host}:{port}: {error}") from error


class _Leave(Stop):
    """A stop request that uvicorn hears."""

    def __init__(self, server: uvicorn.Server) -> None:
        super().__init__()
        self._server = server

    def request(self) -> None:
        super().request()
        self._server.should_exit = True
