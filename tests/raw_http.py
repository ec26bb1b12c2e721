"""HTTP on a raw socket, as no client library sends it, and what our servers offer to ask for."""

import json
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fastapi import FastAPI

from infra.local_system.ports import LOOPBACK

ENDLESS = "/api/live"
"""The console's stream of events: a GET of it has no end."""


def sent(port: int, *pieces: bytes) -> bytes:
    """All that comes until the other side closes; raises TimeoutError if it never does."""
    with socket.create_connection((LOOPBACK, port), timeout=60) as client:
        for piece in pieces:
            client.sendall(piece)
        answer = b""
        while data := client.recv(65536):
            answer += data
        return answer


@dataclass(frozen=True)
class Server:
    """`reads` are paths to GET, each with an end; `writes` methods and paths that take a body.

    `methods` are all that a path has, beside GET and HEAD.
    """

    port: int
    reads: tuple[str, ...]
    writes: tuple[tuple[str, str], ...] = ()
    headers: tuple[bytes, ...] = ()
    methods: Mapping[str, set[str]] = field(default_factory=dict)

    def send(self, whole: bytes) -> bytes:
        return sent(self.port, whole)

    def ask(self, line: str, *headers: bytes, body: bytes = b"") -> "Answer":
        """Send one request, `line` being its method and target, with a Host and with our token."""
        own = () if any(each.lower().startswith(b"host:") for each in headers) else (b"Host: x",)
        lines = (f"{line} HTTP/1.1".encode(), b"Connection: close", *own, *self.headers, *headers)
        return Answer.of(self.send(b"\r\n".join(lines) + b"\r\n\r\n" + body))

    def write(self, line: str, body: bytes, *headers: bytes) -> "Answer":
        """Send a body that says it is JSON."""
        length = b"Content-Length: %d" % len(body)
        return self.ask(line, b"Content-Type: application/json", length, *headers, body=body)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, raw: bytes) -> "Answer":
        head, separator, body = raw.partition(b"\r\n\r\n")
        assert separator, raw
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in lines)
        return cls(int(first.split(" ")[1]), {name.lower(): value for name, value in pairs}, body)

    @property
    def kind(self) -> str:
        """The last part of a problem's type."""
        assert self.headers["content-type"] == "application/problem+json", self
        return str(json.loads(self.body)["type"]).rpartition(":")[2]

    @property
    def detail(self) -> str:
        return str(json.loads(self.body)["detail"])


def described(app: FastAPI, url: str, hidden: tuple[str, ...], *headers: bytes) -> Server:
    """A server with every route of its OpenAPI document, each parameter of a path being x."""
    reads, writes, every = list(hidden), [], dict[str, set[str]]()
    for path, methods in app.openapi()["paths"].items():
        filled = re.sub(r"\{.*?\}", "x", path)
        every.setdefault(filled, set()).update(map(str.upper, methods))
        reads += [filled] if "get" in methods and path != ENDLESS else []
        writes += [
            (method.upper(), filled) for method, each in methods.items() if "requestBody" in each
        ]
    return Server(urlsplit(url).port or 0, tuple(reads), tuple(writes), headers, every)
