"""Problems: kinds are stable, and what they show of an error is what helps, and no more."""

import json

import pytest

from runtime.http import problem_kinds
from runtime.http.problem_kinds import Kind
from runtime.http.problems import FieldProblem, documented, respond

KINDS = [kind for kind in vars(problem_kinds).values() if isinstance(kind, Kind)]


def test_types_are_stable() -> None:
    """Callers branch on these: a change here breaks them."""
    assert {kind.uri.rpartition(":")[2]: kind.status for kind in KINDS} == {
        "malformed-request": 400,
        "invalid-cursor": 400,
        "unauthenticated": 401,
        "insufficient-scope": 403,
        "invalid-signature": 401,
        "not-found": 404,
        "method-not-allowed": 405,
        "request-too-slow": 408,
        "not-cancelled": 409,
        "subscription-erased": 410,
        "reserved": 409,
        "precondition-failed": 412,
        "content-too-large": 413,
        "unsupported-media-type": 415,
        "misdirected": 421,
        "invalid-request": 422,
        "headers-too-large": 431,
        "internal-error": 500,
        "unknown-transfer-coding": 501,
        "unavailable": 503,
        "too-many-connections": 503,
    }
    assert all(kind.uri.startswith("urn:streamed-events:problem:") for kind in KINDS)


def test_a_problem_holds_the_errors_only_where_there_are_some() -> None:
    """RFC 9457's members, and `errors` for fields."""
    plain = json.loads(bytes(respond(problem_kinds.NOT_FOUND, "there is no x").body))
    assert plain == {
        "type": "urn:streamed-events:problem:not-found",
        "title": "There is nothing here",
        "status": 404,
        "detail": "there is no x",
    }
    error = FieldProblem(field="quantity", location="body", rule="too much")
    full = json.loads(bytes(respond(problem_kinds.INVALID, "d", errors=[error]).body))
    assert full["errors"] == [{"field": "quantity", "location": "body", "rule": "too much"}]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_a_documented_problem_shows_an_example_of_itself(kind: Kind) -> None:
    """The example has the type and the status that a caller will see."""
    content = documented(kind)[kind.status]["content"]["application/problem+json"]
    assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert (content["example"]["type"], content["example"]["status"]) == (kind.uri, kind.status)
