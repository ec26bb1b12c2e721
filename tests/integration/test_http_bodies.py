"""What a body may be, and text that is none, on a raw socket: the APIs and the console."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.integration.test_api_bad_input import ORDER
from tests.raw_http import Server
from tests.system import NAMES

UNPAIRED = "%ED%A0%80"
"""A surrogate without its pair, as UTF-8 would write it."""


@pytest.fixture(params=(*NAMES, "health", "console"))
def server(request: pytest.FixtureRequest, servers: Mapping[str, Server]) -> Server:
    return servers[request.param]


@pytest.fixture(params=("subscription", "payment", "console"))
def reader(request: pytest.FixtureRequest, servers: Mapping[str, Server]) -> Server:
    """One that takes bodies."""
    found = servers[request.param]
    assert found.writes
    return found


@pytest.mark.parametrize("coding", [b"gzip", b"identity, gzip", b"br", b"GZIP", b"aws-chunked"])
def test_an_encoded_body_is_415_and_says_what_is_taken(reader: Server, coding: bytes) -> None:
    """Whatever is in it (RFC 9110, 15.5.16)."""
    for method, path in reader.writes:
        answer = reader.write(f"{method} {path}", b"\x1f\x8b\x08", b"Content-Encoding: " + coding)
        assert (answer.status, answer.kind) == (415, "unsupported-media-type"), path
        assert answer.headers["accept-encoding"] == "identity"
        assert "Content-Encoding" in answer.detail


OTHER_TYPES = (b"text/plain", b"application/x+json", b"application/vnd.api+json", b"json")


def test_a_body_of_another_type_is_415_and_says_what_is_taken(reader: Server) -> None:
    """In Accept, and for PATCH in Accept-Patch (RFC 5789)."""
    for method, path in reader.writes:
        for headers in [(), *((b"Content-Type: " + each,) for each in OTHER_TYPES)]:
            answer = reader.ask(f"{method} {path}", b"Content-Length: 2", *headers, body=b"{}")
            assert (answer.status, answer.kind) == (415, "unsupported-media-type"), path
            accept = "accept-patch" if method == "PATCH" else "accept"
            assert answer.headers[accept] == "application/json"


def test_a_body_that_says_it_is_not_encoded_is_read(reader: Server) -> None:
    """`identity` names no coding; neither does an empty header."""
    for method, path in reader.writes:
        for coding in (b"identity", b"Identity", b""):
            answer = reader.write(f"{method} {path}", b"[]", b"Content-Encoding: " + coding)
            assert answer.status == 422, (path, answer)


TEXT = '{"quantity": 3, "status": "cancelled", "queue": "x"}'


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"\xef\xbb\xbf" + TEXT.encode(), "byte order mark"),
        (TEXT.encode("utf-16"), "not UTF-8"),
        (TEXT.encode("utf-16-le"), "not UTF-8"),
        (TEXT.encode("utf-16-be"), "not UTF-8"),
        (TEXT.encode("utf-32"), "not UTF-8"),
        (TEXT.encode("utf-32-le"), "not UTF-8"),
        (TEXT.encode("utf-32-be"), "not UTF-8"),
        (b'{"status": "caf\xe9"}', "not UTF-8, from byte 15 on"),
        (b'{"status": "\xed\xa0\x80"}', "not UTF-8"),
        (b'{"quantity": 1, "quantity": 2}', 'names "quantity" more than once'),
        (b'{"a": 1, "\\u0061": 1}', 'names "a" more than once'),
        (b'{"a": [{"b": {"c": 1, "d": 2, "c": 3}}]}', 'names "c" more than once'),
        (b'{"\\ud800": 1, "\\ud800": 2}', 'names "\\ud800" more than once'),
        (b'{"\\ud800": 1}', "without its pair"),
        (b'{"status": "\\udfff\\ud800"}', "without its pair"),
        (b'{"status": ["\\uD83D"]}', "without its pair"),
        (b"{", "not JSON: "),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"status": }', "not JSON: Expecting value at character 11"),
        (b"[" * 60_000, "nested too deeply"),
        (b"1" * 5_000, "too many digits"),
    ],
)
def test_json_that_others_read_in_another_way_is_400(reader: Server, body: bytes, why: str) -> None:
    """One that is not UTF-8, says a thing twice, or holds what is no text: with the reason."""
    for method, path in reader.writes:
        answer = reader.write(f"{method} {path}", body)
        assert (answer.status, answer.kind) == (400, "malformed-request"), path
        assert why in answer.detail, path


def test_what_only_looks_alike_is_read(servers: Mapping[str, Server]) -> None:
    """Names that differ, the same name in two objects, a whole pair, an escaped backslash."""
    for text in ('{"a": {"b": 1}, "b": {"b": 1}}', '{"a": "\\ud83d\\ude00"}', '{"a": "\\\\ud800"}'):
        assert servers["payment"].write("PATCH /payments/x", text.encode()).status == 422, text


def test_an_unpaired_surrogate_is_no_failure_anywhere(server: Server) -> None:
    """In a path, a query, or a header: what is no character is refused, replaced or not found."""
    raw = b"\xed\xa0\x80"
    for path in server.reads:
        plain = server.ask(f"GET {path}").status
        for line in (
            f"GET {path.replace('/x', f'/{UNPAIRED}')}",
            f"GET {path}?status={UNPAIRED}&cursor={UNPAIRED}&limit={UNPAIRED}",
            f"GET {path}?{UNPAIRED}={UNPAIRED}",
        ):
            assert server.ask(line).status in {plain, 400, 404, 422}, line
        named = server.ask(f"GET {path}", b"X-Correlation-Id: " + raw, b"traceparent: " + raw)
        assert named.status == plain, path
    for method, path in server.writes:
        answer = server.write(f"{method} {path}", b"{}", b"Idempotency-Key: " + raw)
        takes_no_fields = path.endswith(("/cancellation", "/erasure"))
        expected = 200 if "/try/" in path else 404 if takes_no_fields else 422
        assert answer.status == expected, path


def test_the_console_tries_any_key(servers: Mapping[str, Server]) -> None:
    """One that is no header's text reaches the API, whose refusal is what is to be seen."""
    body = json.dumps({**ORDER, "idempotencyKey": "café"}).encode()
    answer = servers["console"].write("POST /api/try/subscriptions", body)
    assert answer.status == 200, answer
    shown: dict[str, Any] = json.loads(answer.body)
    assert shown["response"]["status"] == 422
