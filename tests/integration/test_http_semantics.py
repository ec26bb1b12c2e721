"""HTTP as RFC 9110 and RFC 9112 have it, on a raw socket: the APIs, a health server, the console.

A client library would tidy up much of what is sent here.
"""

import json
import socket
from collections.abc import Mapping

import pytest

from console.parts import Parts
from infra.local_system.ports import LOOPBACK
from tests.builders import a_cause
from tests.integration.test_api_bad_input import ORDER
from tests.raw_http import ENDLESS, Answer, Server
from tests.system import NAMES, System
from verification.testkit.waiting import eventually

HEALTH = ("/healthz", "/readyz", "/startupz", "/metrics")
"""All that a health server has, in plain text: its answers are no problems."""

VARY = {"/metrics", "/outbox", "/readyz"}
"""What they answer is not twice the same."""


@pytest.fixture(params=(*NAMES, "health", "console"))
def server(request: pytest.FixtureRequest, servers: Mapping[str, Server]) -> Server:
    return servers[request.param]


@pytest.mark.parametrize(
    "target",
    [
        "http://{host}/healthz",
        "HTTP://{host}/healthz",
        "https://{host}/healthz",
        "http://{host}/healthz?why=so",
        "http://[::1]:80/healthz/",
    ],
)
def test_a_url_as_target_is_served_as_its_path(server: Server, target: str) -> None:
    """Absolute form (RFC 9112, 3.2.2): a server has to take what a client sends to a proxy."""
    host = f"{LOOPBACK}:{server.port}"
    answer = server.ask(f"GET {target.format(host=host)}")
    assert (answer.status, answer.body) == (200, server.ask("GET /healthz").body)


def test_a_url_without_a_path_is_the_root(server: Server) -> None:
    """And its query is no part of the host."""
    for target in ("http://localhost", "http://localhost?a=b"):
        assert server.ask(f"GET {target}").status == server.ask("GET /").status


def test_the_urls_host_counts_and_not_the_header(servers: Mapping[str, Server]) -> None:
    """The console's guard sees the name that the request is for, whichever way it is given."""
    server = servers["console"]
    assert server.ask("GET http://localhost/api/about", b"Host: evil.example").status == 200
    answer = server.ask("GET http://evil.example/api/about", b"Host: localhost")
    assert (answer.status, answer.kind) == (421, "misdirected")


@pytest.mark.parametrize(
    "line",
    [
        "GET http:///healthz",
        "GET http://:80/healthz",
        "GET http://me@localhost/healthz",
        "GET ftp://localhost/healthz",
        "GET healthz",
        "GET *",
        "CONNECT localhost:80",
    ],
)
def test_any_other_target_is_400(server: Server, line: str) -> None:
    """No host, a user, another scheme, no slash: there is nothing that it could mean here."""
    assert server.ask(line).kind == "malformed-request"


def test_a_question_to_the_whole_server_has_an_answer(server: Server) -> None:
    """OPTIONS with an asterisk is well-formed (RFC 9112, 3.2.4)."""
    assert server.ask("OPTIONS *").status in {404, 405}


def test_head_is_get_without_content(server: Server) -> None:
    """The same status and headers, Content-Length included, and the connection goes on."""
    for path in server.reads:
        get, head = server.ask(f"GET {path}"), server.ask(f"HEAD {path}")
        assert (head.status, head.body) == (get.status, b""), path
        passing = {"date", "x-correlation-id"} | ({"content-length"} if path in VARY else set())
        assert comparable(head, passing) == comparable(get, passing), path
        assert "content-length" in head.headers, path
    host = b" HTTP/1.1\r\nHost: x\r\n"
    last = b"GET /healthz" + host + b"Connection: close\r\n\r\n"
    both = server.send(b"HEAD /healthz" + host + b"\r\n" + last)
    first, _, second = both.partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 200 ")
    assert second.startswith(b"HTTP/1.1 200 ")


def comparable(answer: Answer, passing: set[str]) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in passing}


def test_head_of_a_stream_ends(servers: Mapping[str, Server], quiet_console: Parts) -> None:
    """Its headers come, and the stream has no page left."""
    answer = servers["console"].ask(f"HEAD {ENDLESS}")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")
    eventually(lambda: not quiet_console.hub.pages, what="the stream's end")


def test_a_slash_at_the_end_changes_nothing(server: Server) -> None:
    """The same answer and no redirect; two slashes, or one that is encoded, are another path."""
    for path in server.reads:
        if path == "/":
            continue
        plain, slashed = server.ask(f"GET {path}"), server.ask(f"GET {path}/")
        assert slashed.status == plain.status, path
        assert slashed.headers["content-type"] == plain.headers["content-type"], path
        assert path in VARY or slashed.body == plain.body, path
        assert server.ask(f"HEAD {path}/").status == plain.status, path
        if not path.endswith(".css"):  # a file's path is tidied up where files are served
            assert server.ask(f"GET {path}//").status == 404, path
            assert server.ask(f"GET {path}%2F").status == 404, path


def test_a_slash_at_the_end_changes_no_write(servers: Mapping[str, Server], system: System) -> None:
    """POST and PATCH do the same."""
    created = servers["subscription"].write("POST /subscriptions/", json.dumps(ORDER).encode())
    assert created.status == 201
    name = str(json.loads(created.body)["id"])
    assert created.headers["location"] == f"/subscriptions/{name}"
    system.payments.create(name, "20000005", a_cause())
    cancelled = servers["payment"].write(f"PATCH /payments/{name}/", b'{"status": "cancelled"}')
    assert json.loads(cancelled.body)["status"] == "cancelled"


def test_a_wrong_method_is_405_with_those_that_are_right(server: Server) -> None:
    """OPTIONS too, with and without a slash at the end; HEAD is right wherever GET is."""
    for path in server.reads:
        right = {"GET", "HEAD", *server.methods.get(path, ())}
        for method in {"OPTIONS", "BREW", "DELETE", "PUT", "POST"} - right:
            for line in (f"{method} {path}", f"{method} {path.rstrip('/')}/"):
                answer = server.ask(line)
                assert answer.status == 405, line
                assert set(answer.headers["allow"].split(", ")) == right, line
                assert server.reads == HEALTH or answer.kind == "method-not-allowed", line
    for method, path in server.writes:
        assert method in server.ask(f"BREW {path}").headers["allow"].split(", ")


@pytest.mark.parametrize("name", [*NAMES, "console"])
def test_an_unknown_route_is_404_whatever_is_sent(servers: Mapping[str, Server], name: str) -> None:
    """A problem; a body that no route reads is not looked at."""
    server = servers[name]
    for line in ("GET /nowhere", "HEAD /nowhere", "GET /nowhere/", "GET //healthz"):
        answer = server.ask(line)
        assert answer.status == 404, line
        assert line.startswith("HEAD") or answer.kind == "not-found"
    assert server.write("POST /nowhere", b"\xff", b"Content-Encoding: gzip").kind == "not-found"


def test_head_where_there_is_only_a_write_is_405(servers: Mapping[str, Server]) -> None:
    """HEAD is allowed where GET is, and nowhere else."""
    answer = servers["console"].ask("HEAD /api/try/subscriptions")
    assert (answer.status, answer.headers["allow"], answer.body) == (405, "POST", b"")


def test_an_old_client_is_served(server: Server) -> None:
    """HTTP/1.0 needs no Host and gets no chunks; its connection ends with the answer."""
    headers = b"".join(each + b"\r\n" for each in server.headers)
    line = b"GET http://localhost/healthz HTTP/1.0\r\n"
    answer = Answer.of(server.send(line + headers + b"\r\n"))
    assert answer.status == 200
    assert answer.headers["connection"] == "close"
    assert len(answer.body) == int(answer.headers["content-length"])


@pytest.mark.parametrize(
    ("version", "headers", "status"),
    [
        ("1.1", b"Transfer-Encoding: gzip, chunked\r\n", 501),
        ("1.1", b"Transfer-Encoding: identity\r\n", 501),
        ("1.1", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 501),
        ("1.1", b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400),
        ("1.1", b"Transfer-Encoding : chunked\r\n", 400),
        ("1.0", b"Transfer-Encoding: chunked\r\n", 400),
    ],
)
def test_a_body_whose_end_is_not_clear_is_refused(
    server: Server, version: str, headers: bytes, status: int
) -> None:
    """Once, as a problem, and what follows is not read as a request (RFC 9112, 6.1)."""
    start = f"POST /healthz HTTP/{version}\r\nHost: x\r\n".encode()
    behind = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    raw = server.send(start + headers + b"\r\n" + behind)
    assert raw.count(b"HTTP/1.1 ") == 1
    answer = Answer.of(raw)
    assert (answer.status, answer.headers["connection"]) == (status, "close")
    assert answer.kind == {400: "malformed-request", 501: "unknown-transfer-coding"}[status]


def test_chunked_is_taken_whatever_its_case(servers: Mapping[str, Server]) -> None:
    """Names of codings have none (RFC 9112, 7)."""
    body = json.dumps(ORDER).encode()
    chunks = b"%x;why=so\r\n" % len(body) + body + b"\r\n0\r\nX-Trailer: y\r\n\r\n"
    answer = servers["subscription"].ask(
        "POST /subscriptions",
        b"Content-Type: application/json",
        b"Transfer-Encoding: Chunked",
        body=chunks,
    )
    assert answer.status == 201, answer


def test_a_client_that_waits_gets_100_continue(servers: Mapping[str, Server]) -> None:
    """100 Continue where the body will be read; a refusal at once where it will not."""
    body = json.dumps(ORDER).encode()
    port = servers["subscription"].port
    head = (
        b"POST /subscriptions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n"
        b"Content-Length: %d\r\nContent-Type: %s\r\n%s\r\n"
    )
    with socket.create_connection((LOOPBACK, port), timeout=20) as client:
        client.sendall(head % (len(body), b"application/json", b""))
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert client.recv(65536).startswith(b"HTTP/1.1 201 ")
    for kind, more in ((b"text/plain", b""), (b"application/json", b"Content-Encoding: br\r\n")):
        with socket.create_connection((LOOPBACK, port), timeout=20) as client:
            client.sendall(head % (len(body), kind, more))
            assert client.recv(65536).startswith(b"HTTP/1.1 415 ")
