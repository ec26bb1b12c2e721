"""Tells answers of AWS's protocol rpc-v2-cbor from those of what only answers in its place."""

from typing import Any

from botocore.parsers import ResponseParserError

SERVICES = frozenset({"eventbridgev2"})
"""Of those that are called, the ones that speak it."""

_SERVER_ERROR, _NOT_IMPLEMENTED = 500, 501


class NotTheApi(ResponseParserError):
    """An answer in another protocol: of an engine that does not have the API, or of a gateway.

    `is_for_good`: no gateway's in an outage, which is a 5xx that is not an error of AWS's JSON.
    """

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"status {status}, and not in the protocol rpc-v2-cbor")
        self.status = status
        self.is_for_good = (
            status < _SERVER_ERROR or status == _NOT_IMPLEMENTED or b'"__type"' in body
        )


def require_protocol(client: Any, service: str) -> None:
    """Have a client of one of SERVICES raise NotTheApi for what is not in the protocol.

    botocore would read any bytes as CBOR: as a length of terabytes, say, and raise MemoryError.
    https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html asks for the header.
    """
    if service in SERVICES:
        client.meta.events.register(f"before-parse.{service}", _require_header)


def _require_header(response_dict: dict[str, Any], **_: Any) -> None:
    if response_dict["headers"].get("smithy-protocol") != "rpc-v2-cbor":
        raise NotTheApi(response_dict["status_code"], response_dict["body"])
