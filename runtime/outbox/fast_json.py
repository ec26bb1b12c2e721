"""Skip botocore's response parser: DynamoDB's responses full of rows are read as plain JSON."""

from typing import Any

from pydantic_core import from_json

_OK = 200
_BINARY = (b'"B":', b'"BS":')


def read_as_json(client: Any, operation: str) -> None:
    """Have a client of DynamoDB's return an operation's responses as plain JSON.

    botocore looks at every attribute of every row, and parses each record's time with dateutil,
    only to make of them what the JSON says: of a relay's CPU in a drain that was more than half.
    Times stay numbers. What is no JSON object, or has what only botocore's reader takes (binary
    values, half surrogates), is left to botocore: no valid row has any.
    """
    if hasattr(client, "meta"):
        service = client.meta.service_model.service_id.hyphenize()
        client.meta.events.register(f"before-parse.{service}.{operation}", _read)


def _read(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    body = response_dict["body"]
    if response_dict["status_code"] != _OK or any(each in body for each in _BINARY):
        return
    try:
        response = from_json(body)
    except ValueError:
        return
    if isinstance(response, dict):
        customized_response_dict.update(response)
        response_dict["body"] = b"{}"
