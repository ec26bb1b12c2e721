"""The OpenAPI documents: everything is described, and the examples work as they are."""

from collections.abc import Mapping
from typing import Any

import httpx
import jsonschema
import pytest

from tests.operations import Document, operations
from tests.system import NAMES, Name


@pytest.fixture(scope="session")
def documents(apis: Mapping[Name, httpx.Client]) -> Mapping[Name, Document]:
    return {name: apis[name].get("/openapi.json").json() for name in NAMES}


def check(document: Document, schema: Document, value: Any) -> None:
    """Raise unless `value` is what `schema`, which may refer to components, allows."""
    jsonschema.validate(
        value,
        {**schema, "components": document["components"]},
        format_checker=jsonschema.FormatChecker(),
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_route_parameter_and_response_is_described(
    documents: Mapping[Name, Document], name: Name
) -> None:
    """Nobody has to guess what a route does, takes or answers."""
    assert documents[name]["info"]["description"]
    for operation in operations(documents[name]):
        assert operation.described["summary"], operation
        assert operation.described["description"], operation
        for parameter in operation.parameters:
            assert parameter["description"], (operation, parameter)
            has_example = "examples" in parameter["schema"]
            assert has_example or parameter["name"] == "cursor", (operation, parameter)
        for status, response in operation.described["responses"].items():
            assert response["description"] not in {"", "Successful Response"}, (operation, status)
        assert "503" in operation.described["responses"]


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_and_property_has_a_description_and_an_example(
    documents: Mapping[Name, Document], name: Name
) -> None:
    """A property's example is its own, or stands in the example of its schema."""
    for title, schema in documents[name]["components"]["schemas"].items():
        assert schema["description"], title
        shown = {field for example in schema.get("examples", []) for field in example}
        for field, described in schema.get("properties", {}).items():
            assert described["description"], (title, field)
            own = "examples" in described or "default" in described or "const" in described
            nullable = {"type": "null"} in described.get("anyOf", [])
            assert own or nullable or field in shown, (title, field)


@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_what_its_schema_allows(
    documents: Mapping[Name, Document], name: Name
) -> None:
    """Examples of schemas, of parameters and of problems."""
    document = documents[name]
    for schema in document["components"]["schemas"].values():
        for example in schema.get("examples", []):
            check(document, schema, example)
    for operation in operations(document):
        for parameter in operation.parameters:
            for example in parameter["schema"].get("examples", []):
                check(document, parameter["schema"], example)
        for response in operation.described["responses"].values():
            for content in response["content"].values():
                if "example" in content:
                    check(document, content["schema"], content["example"])


@pytest.mark.parametrize("name", NAMES)
def test_every_routes_example_works_as_it_is(
    documents: Mapping[Name, Document],
    apis: Mapping[Name, httpx.Client],
    lifecycle: str,
    name: Name,
) -> None:
    """Each example is sent, twice, and answered by the success that the route documents."""
    for operation in operations(documents[name]):
        (success,) = (code for code in operation.described["responses"] if code.startswith("2"))
        for _ in "12":
            answer = operation.send(apis[name])
            assert answer.status_code == int(success), (operation, answer.text)
            content = operation.described["responses"][success]["content"]["application/json"]
            check(documents[name], content["schema"], answer.json())
            if operation.examples("path"):
                assert answer.json()["id"] == lifecycle
