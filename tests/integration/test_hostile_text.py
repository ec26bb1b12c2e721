"""No text of a stranger's makes a server fail, in a path, a query, a header or a body.

Whatever it is, the answer is 4xx, which the client can repair, or what was asked for.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest

from runtime.cursors import encode
from tests.raw_http import ENDLESS, Server

TEXTS = {
    "a NUL": "a\0b",
    "half a surrogate pair": "\ud800",
    "not ASCII": "é",
    "beyond the first plane": "\U0001f600",
    "a C1 control": "\x85",
    "an escape": "\x1b[2J",
    "a bidirectional override": "\u202e",
    "a line's end": "a\r\nb",
    "a noncharacter": "\uffff",
    "nothing": "",
    "blanks": "   ",
    "long": "é" * 1500,
    "a dot": ".",
    "another path": "../../etc/passwd",
    "a percent sign": "%",
    "a digit of another script": "\u0663",
}
PARAMETERS = ("limit", "cursor", "status", "accountNumber", "from")
HEADERS = ("Idempotency-Key", "X-Correlation-Id", "traceparent", "Content-Encoding", "Range")
ORDER: dict[str, Any] = {
    "accountNumber": "20000001",
    "accountName": "Grace Hopper",
    "accountSortCode": "12-34-56",
    "customerFirstName": "Grace",
    "customerSurname": "Hopper",
}
BODIES: tuple[dict[str, Any], ...] = (
    {**ORDER, "idempotencyKey": "key"},
    {"status": "cancelled", "subscriptionId": "x"},
    {"queue": "stock-dlq", "aggregateId": "x"},
    {"queue": "stock-dlq", "messageIds": ["x"]},
    {"preview": "x", "confirm": "drop"},
    {"bus": "stock-event-bus", "from": "2h", "to": "now", "rules": ["x"]},
    {"queue": "stock-subscription-created", "kind": "x"},
    {"run": True, "refuse": True},
)

LOOKS = {"/readyz", ENDLESS}
"""What says how the console is, and what has no end."""


@pytest.fixture(params=("subscription", "stock", "payment", "console"))
def server(request: pytest.FixtureRequest, servers: Mapping[str, Server]) -> Server:
    return servers[request.param]


@pytest.fixture(params=TEXTS.values(), ids=[*TEXTS])
def text(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def escaped(text: str) -> str:
    """As in a target; half a surrogate pair by the bytes that it would have."""
    return quote(text.encode(errors="surrogatepass"), safe="")


def refused_or_done(server: Server, line: str, *headers: bytes, body: bytes = b"") -> int:
    """Ask, with a body where there is one, and return the status, which is below 500."""
    answer = server.write(line, body, *headers) if body else server.ask(line, *headers)
    assert answer.status < 500, (line, headers, body, answer)
    return answer.status


def operations(server: Server) -> Iterator[tuple[str, str]]:
    for path, methods in server.methods.items():
        if path not in LOOKS:
            yield from ((method, path) for method in sorted(methods))


def test_in_a_path(server: Server, text: str) -> None:
    """In place of each id and name, and as a file's name."""
    for method, path in operations(server):
        if "/x" in path:
            line = f"{method} {path.replace('/x', f'/{escaped(text)}')}"
            refused_or_done(server, line, body=b"" if method == "GET" else b"{}")
    for folder in ("", "/page", "/docs/assets"):
        refused_or_done(server, f"GET {folder}/{escaped(text)}")


def test_in_a_query(server: Server, text: str) -> None:
    """Also where the route has no such parameter; each alone where one of them is refused."""
    given = [f"{name}={escaped(text)}" for name in PARAMETERS]
    for method, path in operations(server):
        if method == "GET" and refused_or_done(server, f"GET {path}?{'&'.join(given)}") >= 400:
            for each in given:
                refused_or_done(server, f"GET {path}?{each}")


def test_in_a_header(server: Server, text: str) -> None:
    """As UTF-8, and as the one byte that it may have in Latin-1."""
    for raw in {text.encode(errors="surrogatepass"), text.encode("latin-1", errors="replace")}:
        for name in HEADERS:
            header = name.encode() + b": " + raw
            refused_or_done(server, "GET /page/css/base.css", header)
            for method, path in server.writes:
                refused_or_done(server, f"{method} {path}", header, body=b"{}")


def test_in_a_body(server: Server, text: str) -> None:
    """As the value of every field that some route has, and as its name."""
    for method, path in server.writes:
        for body in BODIES:
            for name in body:
                value = [text] if isinstance(body[name], list) else text
                for wrong in ({**body, name: value}, {**body, text: "x"}):
                    refused_or_done(server, f"{method} {path}", body=json.dumps(wrong).encode())


@pytest.mark.parametrize(
    ("name", "path", "filtered"),
    [
        ("subscription", "subscriptions", "accountNumber=12345678"),
        ("stock", "stock", "status=allocated"),
        ("payment", "payments", "status=active"),
    ],
)
def test_in_a_cursor(
    servers: Mapping[str, Server], name: str, path: str, filtered: str, text: str
) -> None:
    """Whose digest is right: anybody can make one."""
    filter_name, _, value = filtered.partition("=")
    for scope, query in ((f"{filter_name}=None", ""), (filtered, f"&{filtered}")):
        for position in (
            {"_id": text},
            {"subscriptionId": text},
            {text: "x"},
            {"subscriptionId": text, filter_name: value, "created": "x"},
            {"subscriptionId": "x", filter_name: value, "created": text},
        ):
            cursor = encode(f"{path}?{scope}", position)
            refused_or_done(servers[name], f"GET /{path}?cursor={cursor}{query}")


def test_a_subscription_without_a_name_is_not_found(servers: Mapping[str, Server]) -> None:
    """Blanks are taken off an id; what an API has under no id is its list. Nor are dots a path."""
    for name in ("%20", "%C2%85", ".", "%2E%2E"):
        assert servers["console"].ask(f"GET /api/subscriptions/{name}").status == 404, name
