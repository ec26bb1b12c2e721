"""Errors over HTTP: RFC 9457 problem details, with stable types and never a stack trace."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from contracts.outbox import EventTooLarge
from runtime.cursors import InvalidCursor
from runtime.errors import Conflict, Unavailable
from runtime.http.problem_kinds import (
    CONTENT_TOO_LARGE,
    HEADERS_TOO_LARGE,
    INSUFFICIENT_SCOPE,
    INVALID,
    INVALID_CURSOR,
    INVALID_SIGNATURE,
    MALFORMED,
    MEDIA_TYPE,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    PRECONDITION_FAILED,
    RESERVED,
    TOO_SLOW,
    UNAUTHENTICATED,
    UNAVAILABLE,
    UNSUPPORTED_MEDIA_TYPE,
    Kind,
)

RETRY_AFTER_SECONDS = 2
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")

_BY_STATUS = {
    kind.status: kind
    for kind in (
        MALFORMED,
        NOT_FOUND,
        METHOD_NOT_ALLOWED,
        TOO_SLOW,
        CONTENT_TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE,
        INVALID,
        HEADERS_TOO_LARGE,
        UNAVAILABLE,
    )
}


class FieldProblem(BaseModel):
    """One field that broke a rule."""

    field: str = Field(description="The field's path in its place.", examples=["quantity"])
    location: str = Field(description="body, query, path or header.", examples=["body"])
    rule: str = Field(
        description="The rule it broke.",
        examples=["Input should be less than or equal to 10"],
    )


class Problem(BaseModel):
    """An error, as RFC 9457 describes it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": INVALID.uri,
                    "title": INVALID.title,
                    "status": 422,
                    "detail": "quantity: Input should be less than or equal to 10",
                    "errors": [
                        {
                            "field": "quantity",
                            "location": "body",
                            "rule": "Input should be less than or equal to 10",
                        }
                    ],
                }
            ]
        }
    )

    type: str = Field(description="The kind of problem; stable, the one to branch on.")
    title: str = Field(description="The kind in words; the same for every such problem.")
    status: int = Field(description="The response's status code.")
    detail: str = Field(description="What is wrong this time, and how to fix it.")
    errors: list[FieldProblem] = Field(default=[], description="Each field that is wrong.")


def respond(
    kind: Kind,
    detail: str,
    *,
    errors: list[FieldProblem] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body: dict[str, Any] = kind.problem(detail)
    if errors:
        body["errors"] = [error.model_dump() for error in errors]
    return JSONResponse(body, kind.status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI, kinds: Mapping[type[Exception], Kind]) -> None:
    """Answer errors as problems; `kinds` says what a service's own domain errors are."""
    all_kinds = {InvalidCursor: INVALID_CURSOR, EventTooLarge: INVALID, **kinds}

    def answer_known(_: Request, error: Exception) -> JSONResponse:
        kind = next(kind for family, kind in all_kinds.items() if isinstance(error, family))
        return respond(kind, str(error))

    for family in all_kinds:
        app.add_exception_handler(family, answer_known)
    for away in (Unavailable, Conflict):
        app.add_exception_handler(away, _answer_unavailable)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)


def respond_unavailable(error: Exception) -> JSONResponse:
    return respond(UNAVAILABLE, str(error), headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def _answer_unavailable(_: Request, error: Exception) -> JSONResponse:
    return respond_unavailable(error)


def _answer_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 (how it is registered)
    errors = [_field_problem(each) for each in error.errors()]
    detail = "; ".join(f"{each.field}: {each.rule}" for each in errors)
    return respond(INVALID, detail, errors=errors)


def _field_problem(found: Mapping[str, Any]) -> FieldProblem:
    location, *path = map(str, found["loc"])
    return FieldProblem(field=".".join(path) or location, location=location, rule=found["msg"])


def _answer_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 (how it is registered)
    kind = _BY_STATUS.get(error.status_code) or Kind(error.status_code, "http", "Refused")
    headers = dict(error.headers or {})
    if kind is METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed(request))
    return respond(kind, error.detail or kind.title, headers=headers)


def _allowed(request: Request) -> list[str]:
    """List the methods that some route takes at this path; Starlette names only one route's."""
    allowed = [
        method
        for method in METHODS
        for asked in ["GET" if method == "HEAD" else method]
        if any(
            route.matches({**request.scope, "method": asked})[0] is Match.FULL
            for route in request.app.routes
        )
    ]
    return allowed or ["GET", "HEAD"]  # none of our routes, so one of the mounted files


def documented(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """Describe problems for a route's OpenAPI `responses`."""
    return {
        kind.status: {
            "description": kind.title,
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": kind.problem(kind.title),
                }
            },
        }
        for kind in sorted(kinds, key=lambda kind: kind.status)
    }


_ON_ANY = (INVALID, UNAVAILABLE)
_ON_ALL = (UNAUTHENTICATED, INSUFFICIENT_SCOPE, *_ON_ANY)
_ON_BODY = (MALFORMED, CONTENT_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE)

ON_READ = documented(NOT_FOUND, *_ON_ALL)
ON_LIST = documented(INVALID_CURSOR, *_ON_ALL)
ON_CREATE = documented(*_ON_BODY, *_ON_ALL)
ON_CHANGE = documented(NOT_FOUND, *_ON_BODY, *_ON_ALL)
ON_REPLACE = {**ON_CHANGE, **documented(RESERVED, PRECONDITION_FAILED)}
ON_WEBHOOK = documented(INVALID_SIGNATURE, NOT_FOUND, *_ON_BODY, *_ON_ANY)
"""The problems of a route that reads a row, lists rows, creates or changes one, replaces one that
others take from, is called back."""
