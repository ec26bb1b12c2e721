"""An API's routes as its OpenAPI document describes them, with the examples that it shows."""

from collections.abc import Iterator
from typing import Any

import httpx

Document = dict[str, Any]


class Operation:
    """One route as its document describes it, with the examples that a reader would send."""

    def __init__(self, document: Document, path: str, method: str, described: Document) -> None:
        self.path, self.method, self.described = path, method, described
        self.parameters: list[Document] = described.get("parameters", [])
        content = described.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        self.body = resolve(document, schema)["examples"][0] if schema else None

    def __repr__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    def examples(self, place: str) -> dict[str, str]:
        return {
            each["name"]: str(each["schema"]["examples"][0])
            for each in self.parameters
            if each["in"] == place and "examples" in each["schema"]
        }

    def send(self, client: httpx.Client) -> httpx.Response:
        return client.request(
            self.method,
            self.path.format(**self.examples("path")),
            params=self.examples("query"),
            headers=self.examples("header"),
            json=self.body,
        )


def operations(document: Document) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method, described in item.items():
            yield Operation(document, path, method, described)


def resolve(document: Document, schema: Document) -> Document:
    """Follow a $ref to its schema; of what may also be null, take the other."""
    schema = schema.get("anyOf", [schema])[0]
    if "$ref" in schema:
        found: Document = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return found
    return schema
