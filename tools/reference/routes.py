"""docs/reference/http.md: the routes of the three APIs, from their OpenAPI documents."""

from collections.abc import Iterator
from http import HTTPStatus
from importlib import import_module
from typing import Any

from fastapi import FastAPI

from infra.routes import scopes_of
from infra.topology import WORKLOADS
from runtime.http.problem_kinds import MEDIA_TYPE
from tools.reference.markdown import code, table
from tools.reference.variables import settings_of

HEAD = """# HTTP

*Which routes do the APIs have, and what do they return?* JSON in camelCase; errors as RFC 9457
problems (`application/problem+json`) with a stable `type`, the field to branch on; lists in pages
with a `limit` and an opaque `cursor`. Each API serves its OpenAPI document (`/openapi.json`) and a
page to try it (`/docs`), and `/healthz`, `/readyz`, `/startupz` and `/metrics`. With `make up` they
are at http://127.0.0.1:8001/docs, http://127.0.0.1:8002/docs and http://127.0.0.1:8003/docs.

With `AUTH=required` a route needs an access token with its scope, or one of them, in
`Authorization: Bearer`: 401 without a valid one, 403 without the scope, both with the reason and
`WWW-Authenticate` (RFC 6750).
`/docs` has an Authorize button for it.

A request may carry `X-Correlation-Id` and `traceparent`; both are copied to every event that it
causes. `HEAD` works wherever `GET` does, a slash at a path's end changes nothing, and a full URL is
served like its path. A body is JSON in UTF-8, without a byte order mark and without a
`Content-Encoding` (415); one that names a field twice, or has a surrogate without its pair, is
refused with the reason (400). Any route may also return 400, 405, 408, 413, 415, 431, 500, 501 or
503 ([limits](../operations.md#limits-of-http)).
`make docs` writes this page from the OpenAPI documents, and a test compares them.
"""

PLACES: dict[str, object] = {
    "aws_region": "eu-west-1",
    "mongodb_uri": "mongodb://127.0.0.1/?connect=false",
    "mongodb_database": "payments",
    "http_port": 0,
    "webhook_secrets": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",  # the specification's sample
}

_TYPE = "urn:streamed-events:problem:"


def page() -> str:
    return HEAD + "".join(_section(app) for app in apps())


def apps() -> Iterator[FastAPI]:
    """The apps as their processes make them; nothing is called before a request comes."""
    for api in (each for each in WORKLOADS if each.path):
        given = PLACES | {name.lower(): value for name, value in api.settings.items()}
        settings = settings_of(api)
        read = {name: value for name, value in given.items() if name in settings.model_fields}
        app: FastAPI = import_module(api.command[0]).create_app(settings.model_validate(read))
        yield app


def _section(app: FastAPI) -> str:
    document = app.openapi()
    rows = [
        (
            code(f"{method.upper()} {path}"),
            described["summary"],
            " or ".join(code(scope) for scope in scopes_of(described)) or "none",
            _answers(described),
        )
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]
    shown = table(("route", "what it does", "scope", "answers"), rows)
    return f"\n## {document['info']['title']}\n\n{document['info']['description']}\n\n{shown}\n"


def _answers(described: dict[str, Any]) -> str:
    return "; ".join(_answer(status, each) for status, each in described["responses"].items())


def _answer(status: str, answer: dict[str, Any]) -> str:
    kinds = list(_kinds(answer))
    if not kinds:
        return f"{status} {HTTPStatus(int(status)).phrase}"
    return f"{status} {', '.join(code(kind) for kind in kinds)}"


def _kinds(answer: dict[str, Any]) -> Iterator[str]:
    """The last parts of the types of the problems that a status can carry."""
    content = answer.get("content", {}).get(MEDIA_TYPE, {})
    shown = [content.get("example"), *content.get("examples", {}).values()]
    for example in shown:
        problem = (example or {}).get("value", example) or {}
        if str(problem.get("type", "")).startswith(_TYPE):
            yield problem["type"].removeprefix(_TYPE)
