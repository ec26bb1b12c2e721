"""The OpenAPI documents: everything is described, and the examples work as they are."""

from collections.abc import Mapping
from typing import Any

import httpx
import jsonschema
import pytest

from tests.operations import Document, operations
from tests.system import NAMES, Name


@pytest.fixture(scope="module", params=NAMES)
def api(request: pytest.FixtureRequest, apis: Mapping[Name, httpx.Client]) -> httpx.Client:
    return apis[request.param]


@pytest.fixture(scope="module")
def document(api: httpx.Client) -> Document:
    found: Document = api.get("/openapi.json").json()
    return found


def check(document: Document, schema: Document, value: Any) -> None:
    """Raise unless `value` is what `schema`, which may refer to components, allows."""
    jsonschema.validate(
        value,
        {**schema, "components": document["components"]},
        format_checker=jsonschema.FormatChecker(),
    )


def test_every_route_parameter_and_response_is_described(document: Document) -> None:
    """Nobody has to guess what a route does, takes or answers."""
    assert document["info"]["description"]
    for operation in operations(document):
        assert operation.described["summary"], operation
        assert operation.described["description"], operation
        for parameter in operation.parameters:
            assert parameter["description"], (operation, parameter)
            has_example = "examples" in parameter["schema"]
            assert has_example or parameter["name"] == "cursor", (operation, parameter)
        for status, response in operation.described["responses"].items():
            assert response["description"] not in {"", "Successful Response"}, (operation, status)
        assert "503" in operation.described["responses"]


def test_every_schema_and_property_has_a_description_and_an_example(document: Document) -> None:
    """A property's example is its own, or stands in the example of its schema."""
    for title, schema in document["components"]["schemas"].items():
        assert schema["description"], title
        shown = {field for example in schema.get("examples", []) for field in example}
        for field, described in schema.get("properties", {}).items():
            assert described["description"], (title, field)
            own = "examples" in described or "default" in described or "const" in described
            nullable = {"type": "null"} in described.get("anyOf", [])
            assert own or nullable or field in shown, (title, field)


def test_every_example_is_what_its_schema_allows(document: Document) -> None:
    """Examples of schemas, of parameters and of problems."""
    for schema in document["components"]["schemas"].values():
        for example in schema.get("examples", []):
            check(document, schema, example)
    for operation in operations(document):
        for parameter in operation.parameters:
            for example in parameter["schema"].get("examples", []):
                check(document, parameter["schema"], example)
        for response in operation.described["responses"].values():
            for content in response.get("content", {}).values():
                if "example" in content:
                    check(document, content["schema"], content["example"])


def test_every_routes_example_works_as_it_is(
    document: Document, api: httpx.Client, lifecycle: str
) -> None:
    """Each example is sent, twice, and answered by the success that the route documents."""
    api.put("/inventory/razor-123", json={"onHand": 1200})  # what its examples begin with
    for operation in operations(document):
        success, *_ = (code for code in operation.described["responses"] if code.startswith("2"))
        for _ in "12":
            answer = operation.send(api)
            assert answer.status_code == int(success), (operation, answer.text)
            response = operation.described["responses"][success]
            if "content" in response:
                check(document, response["content"]["application/json"]["schema"], answer.json())
            if operation.examples("path").keys() - {"item"}:
                assert answer.json()["id"] == lifecycle
