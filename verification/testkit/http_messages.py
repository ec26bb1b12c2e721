"""HTTP/1.1 messages as bytes: as much of it as boto3 and MiniStack speak."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class HttpMessage:
    """A request or an answer; `head` ends with the empty line, `body` is as it was on the wire."""

    head: bytes
    body: bytes

    @property
    def bytes(self) -> bytes:
        return self.head + self.body

    @property
    def action(self) -> str:
        """What is asked of AWS, such as PutEvents; empty where it does not say so."""
        return self.target.rpartition(".")[2]

    @property
    def target(self) -> str:
        """The service and the action, such as AWSEvents.PutEvents."""
        return self.header("x-amz-target")

    @property
    def service(self) -> str:
        """The part before the action, such as DynamoDB_20120810."""
        return self.target.rpartition(".")[0]

    @property
    def closes(self) -> bool:
        return self.header("connection").lower() == "close"

    @property
    def json(self) -> Any:
        """The body; None where it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def header(self, name: str) -> str:
        """The header's value; empty where it is not there."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.decode("latin-1").lower() == name:
                return value.strip().decode("latin-1")
        return ""

    def with_json(self, body: Any) -> "HttpMessage":
        """The same with another body; what was computed over the old one is left out."""
        content = json.dumps(body).encode()
        kept = [
            line
            for line in self.head.rstrip(b"\r\n").split(b"\r\n")
            if not line.lower().startswith(_OF_THE_BODY)
        ]
        head = b"\r\n".join([*kept, b"content-length: %d" % len(content), b"", b""])
        return HttpMessage(head, content)


_OF_THE_BODY = (b"content-length:", b"transfer-encoding:", b"x-amz-crc32:", b"content-md5:")


def answer(
    status: int, body: Any, headers: Mapping[str, str] = MappingProxyType({})
) -> HttpMessage:
    """An answer of AWS's, in JSON; `headers` are more than its own."""
    lines = {"content-type": "application/x-amz-json-1.1", **headers}
    more = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    head = b"HTTP/1.1 %d Injected\r\n%b\r\n" % (status, more.encode())
    return HttpMessage(head, b"").with_json(body)


def error(status: int, code: str, message: str = "injected") -> HttpMessage:
    return answer(status, {"__type": code, "message": message})


async def read_message(stream: asyncio.StreamReader) -> HttpMessage | None:
    """Read one message; None where the other side is gone before or in the middle of it."""
    try:
        head = await stream.readuntil(b"\r\n\r\n")
        message = HttpMessage(head, b"")
        if message.header("transfer-encoding").lower() == "chunked":
            return HttpMessage(head, await _read_chunks(stream))
        length = int(message.header("content-length") or 0)
        return HttpMessage(head, await stream.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def _read_chunks(stream: asyncio.StreamReader) -> bytes:
    chunks = []
    while True:
        size = await stream.readuntil(b"\r\n")
        chunks += [size, await stream.readexactly(int(size.split(b";")[0], 16) + 2)]
        if not int(size.split(b";")[0], 16):
            return b"".join(chunks)
