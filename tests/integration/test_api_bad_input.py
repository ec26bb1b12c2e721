"""What a caller gets for a request that is wrong: a problem that says what, and nothing written."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from tests.system import NAMES, Name

ORDER: dict[str, Any] = {
    "accountNumber": "20000001",
    "accountName": "Grace Hopper",
    "accountSortCode": "12-34-56",
    "customerFirstName": "Grace",
    "customerSurname": "Hopper",
    "quantity": 3,
}
JSON = {"Content-Type": "application/json"}
LISTS: dict[Name, str] = {
    "subscription": "/subscriptions",
    "stock": "/stock",
    "payment": "/payments",
}
WRITES: list[tuple[Name, str, str]] = [
    ("subscription", "POST", "/subscriptions"),
    ("payment", "PATCH", "/payments/some-id"),
]


def problem(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The problem that a response holds, once it is known to be the one that was expected."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found["type"] == f"urn:streamed-events:problem:{slug}"
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    assert "Traceback" not in response.text
    return found


def rules(found: dict[str, Any]) -> dict[str, str]:
    return {error["field"]: error["rule"] for error in found["errors"]}


@pytest.mark.parametrize(("name", "method", "path"), WRITES)
@pytest.mark.parametrize("announced", [True, False], ids=["Content-Length", "chunked"])
def test_a_body_over_64_kib_is_413(
    apis: Mapping[Name, httpx.Client], name: Name, method: str, path: str, announced: bool
) -> None:
    """The limit holds whether or not the body's length was announced; the service goes on."""
    body = b" " * (64 * 1024 + 1)

    def chunks() -> Iterator[bytes]:
        yield from (body[start : start + 4096] for start in range(0, len(body), 4096))

    answer = apis[name].request(method, path, content=body if announced else chunks(), headers=JSON)
    assert "65536" in problem(answer, 413, "content-too-large")["detail"]
    assert apis[name].get("/healthz").status_code == 200


@pytest.mark.parametrize("announced", [True, False], ids=["Content-Length", "chunked"])
def test_a_body_of_64_kib_is_read(subscriptions: httpx.Client, announced: bool) -> None:
    """Exactly 64 KiB is not too much."""
    body = json.dumps(ORDER).encode()
    body += b" " * (64 * 1024 - len(body))
    content = body if announced else iter([body[:100], body[100:]])
    answer = subscriptions.post("/subscriptions", content=content, headers=JSON)
    assert answer.status_code == 201, answer.text


def test_every_missing_field_is_named(subscriptions: httpx.Client) -> None:
    """An empty order is answered with the name of each field that it lacks."""
    found = problem(subscriptions.post("/subscriptions", json={}), 422, "invalid-request")
    assert rules(found) == dict.fromkeys(ORDER.keys() - {"quantity"}, "Field required")


def test_no_body_at_all_is_422(subscriptions: httpx.Client) -> None:
    """A request without a body lacks it; that is no question of content types."""
    found = problem(subscriptions.post("/subscriptions"), 422, "invalid-request")
    assert rules(found) == {"body": "Field required"}


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("accountNumber", "12345", "should match pattern"),
        ("accountNumber", "12345678901", "should match pattern"),
        ("accountNumber", 12345678, "should be a valid string"),
        ("accountNumber", "1234567٣", "should match pattern"),
        ("accountSortCode", "12-3456", "should match pattern"),
        ("accountName", "", "at least 1 character"),
        ("accountName", "x" * 71, "at most 70 characters"),
        ("accountName", " Grace", "should match pattern"),
        ("customerFirstName", "Gr\x00ace", "should match pattern"),
        ("customerSurname", None, "should be a valid string"),
        ("quantity", 0, "greater than or equal to 1"),
        ("quantity", 11, "less than or equal to 10"),
        ("quantity", "3", "should be a valid integer"),
        ("quantity", 2.5, "valid integer"),
        ("quantity", True, "should be a valid integer"),
        ("colour", "blue", "not permitted"),
        ("account_number", "12345678", "not permitted"),
    ],
)
def test_an_invalid_field_is_named_with_its_rule(
    subscriptions: httpx.Client, field: str, value: object, rule: str
) -> None:
    """One field wrong: that field alone is named, with the rule and without the value."""
    answer = subscriptions.post("/subscriptions", json=ORDER | {field: value})
    found = problem(answer, 422, "invalid-request")
    assert list(rules(found)) == [field]
    assert rule in rules(found)[field]
    assert found["errors"][0]["location"] == "body"
    assert found["detail"].startswith(f"{field}: ")


@pytest.mark.parametrize("text", ["NaN", "1e999", '{"a": 1}', "[]"])
def test_json_that_no_field_can_hold_is_422(subscriptions: httpx.Client, text: str) -> None:
    """A number that is none, an object: invalid, and never a failure."""
    body = json.dumps(ORDER | {"accountName": "HERE"}).replace('"HERE"', text)
    answer = subscriptions.post("/subscriptions", content=body.encode(), headers=JSON)
    assert list(rules(problem(answer, 422, "invalid-request"))) == ["accountName"]


@pytest.mark.parametrize("text", ["null", "[]", '"text"', "3"])
def test_json_that_is_no_object_is_422(subscriptions: httpx.Client, text: str) -> None:
    """JSON, but not an order."""
    answer = subscriptions.post("/subscriptions", content=text.encode(), headers=JSON)
    problem(answer, 422, "invalid-request")


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_id_is_404(apis: Mapping[Name, httpx.Client], name: Name) -> None:
    """What was never created is not found, by its name."""
    answer = apis[name].get(f"{LISTS[name]}/no-such-id")
    assert "no-such-id" in problem(answer, 404, "not-found")["detail"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("suffix", ["//", "/a/b", "x", "/%2e%2e/x/y"])
def test_an_unknown_route_is_404(
    apis: Mapping[Name, httpx.Client], name: Name, suffix: str
) -> None:
    """A path that no route has is not found; no redirect guesses what was meant."""
    problem(apis[name].get(LISTS[name] + suffix), 404, "not-found")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cursor", ["", "nonsense", "%%%", "é", "bnVsbA"])  # the last is null
def test_a_bad_cursor_is_400(apis: Mapping[Name, httpx.Client], name: Name, cursor: str) -> None:
    """Whatever is not a cursor of ours is refused by name."""
    found = problem(apis[name].get(LISTS[name], params={"cursor": cursor}), 400, "invalid-cursor")
    assert found["detail"].startswith("cursor: ")


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        *(
            (name, "limit", each)
            for name in NAMES
            for each in ("0", "101", "-1", "many", "1.5", "")
        ),
        *((name, "cursor", "x" * 2049) for name in NAMES),
        ("subscription", "accountNumber", "12_ab"),
        ("stock", "status", "sold"),
        ("payment", "status", ""),
    ],
)
def test_an_invalid_query_is_422(
    apis: Mapping[Name, httpx.Client], name: Name, field: str, value: str
) -> None:
    """A page of no size, a cursor longer than ours, a filter that can match nothing: not a page."""
    found = problem(apis[name].get(LISTS[name], params={field: value}), 422, "invalid-request")
    assert list(rules(found)) == [field]
    assert found["errors"][0]["location"] == "query"


@pytest.mark.parametrize("path", ["%00", "%ff", "x" * 129, "%E2%98%83", "a%20b", "$where"])
@pytest.mark.parametrize("name", NAMES)
def test_an_odd_id_is_refused_or_not_found(
    apis: Mapping[Name, httpx.Client], name: Name, path: str
) -> None:
    """An id is only ever a value: odd ones are unknown, overlong ones invalid."""
    answer = apis[name].get(f"{LISTS[name]}/{path}")
    if len(path) > 128:
        problem(answer, 422, "invalid-request")
    else:
        problem(answer, 404, "not-found")
