"""The issuer over HTTP: discovery (RFC 8414), its keys (RFC 7517) and tokens (RFC 6749)."""

from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from infra.local_system.auth import CLIENTS, JWKS_PATH, TOKEN_PATH
from local.issuer.tokens import GrantRefused, LocalIssuer
from runtime.http import problems
from runtime.http.connection_limits import BODY_SECONDS
from runtime.http.middleware import AroundRequests, HeadAsGet, LimitedBody
from runtime.metrics import HttpMetrics, new_registry

MAX_FORM_BYTES = 8 * 1024

FORM = "application/x-www-form-urlencoded"


def create_app(issuer: LocalIssuer) -> FastAPI:
    """Put the routes together; a refused token request is an error as RFC 6749, 5.2 writes it."""
    app = FastAPI(
        title="Issuer", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    registry = new_registry()
    problems.install(app, {})
    app.add_exception_handler(GrantRefused, _answer_refused)

    @app.get("/.well-known/openid-configuration")
    async def discovery() -> dict[str, Any]:
        return {
            "issuer": issuer.url,
            "jwks_uri": f"{issuer.url}{JWKS_PATH}",
            "token_endpoint": f"{issuer.url}{TOKEN_PATH}",
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "scopes_supported": sorted(frozenset[str]().union(*CLIENTS.values())),
        }

    @app.get(JWKS_PATH)
    async def keys() -> dict[str, Any]:
        return {"keys": [each.jwk() for each in issuer.keys.published()]}

    @app.post(TOKEN_PATH)
    async def token(request: Request) -> JSONResponse:
        form = _form(await request.body(), request.headers.get("content-type", ""))
        granted = issuer.grant(form, request.headers.get("authorization", ""))
        return JSONResponse(granted, headers={"Cache-Control": "no-store"})

    @app.get("/healthz")
    @app.get("/readyz")
    async def health() -> dict[str, str]:
        return {"status": "ready"}

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    app.add_middleware(HeadAsGet)
    app.add_middleware(LimitedBody, max_bytes=MAX_FORM_BYTES, max_seconds=BODY_SECONDS)
    app.add_middleware(AroundRequests, metrics=HttpMetrics(registry))
    return app


def _form(body: bytes, media_type: str) -> dict[str, str]:
    """Read a form. Raises GrantRefused for anything else, or a field twice."""
    if media_type.partition(";")[0].strip().lower() != FORM:
        raise GrantRefused("invalid_request", f"send the request as Content-Type: {FORM}")
    try:
        pairs = parse_qsl(body.decode("ascii"), errors="strict", max_num_fields=20)
    except ValueError:
        raise GrantRefused(
            "invalid_request", "the body is not a form of percent-encoded UTF-8"
        ) from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise GrantRefused("invalid_request", "a field is there more than once")
    return found


def _answer_refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, GrantRefused)  # noqa: S101 (how it is registered)
    headers = {"Cache-Control": "no-store"}
    status = 400
    if error.error == "invalid_client":
        status, headers["WWW-Authenticate"] = 401, 'Basic realm="issuer"'
    body = {"error": error.error, "error_description": error.description}
    return JSONResponse(body, status, headers)
