"""Clients that ask again until they have an answer, against small APIs that fail in every way."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.threads import served
from verification.chaos.clients import ClientLoad, Clients
from verification.chaos.ledger import Ledger
from verification.testkit.waiting import eventually

Script = dict[str, list[int]]
"""By method, the answers to give first; 0 resets the connection. Then everything succeeds."""

ONE = ClientLoad(subscribers=1, pause=0.01, cancelled=1.0, by_bank=1.0, cancellers=1)
SUCCESS = {"POST": 201, "PATCH": 200, "GET": 200}


class Api(BaseHTTPRequestHandler):
    """All three services: a subscription's id is its key."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_POST(self) -> None:
        key = self.headers["Idempotency-Key"]
        self.server.keys.append(key)
        self._answer({"subscriptionId": key})

    def do_PATCH(self) -> None:
        self._answer({"status": "cancelled"})

    def do_GET(self) -> None:
        self._answer({"status": self.server.payment})

    def _answer(self, body: dict[str, Any]) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        left = self.server.script.get(self.command)
        status = left.pop(0) if left else SUCCESS[self.command]
        if not status:
            self.close_connection = True
            return
        content = self.server.answer or json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, script: Script, payment: str, answer: bytes | None) -> None:
        super().__init__(("127.0.0.1", 0), Api)
        self.script, self.payment = script, payment
        self.keys: list[str] = []
        self.answer = answer


@contextmanager
def clients_of(
    script: Script, payment: str = "cancelled", *, answer: bytes | None = None
) -> Iterator[tuple[Clients, Ledger, Server]]:
    """Run one subscriber, one canceller and one reader against the APIs."""
    server = Server(script, payment, answer)
    with served(server):
        address = f"http://127.0.0.1:{server.server_port}"
        ledger = Ledger()
        clients = Clients(
            dict.fromkeys(("subscription", "stock", "payment"), address), ledger, seed=1, load=ONE
        )
        with clients.running():
            yield clients, ledger, server


def test_a_request_whose_answer_is_lost_is_sent_again_with_the_same_key() -> None:
    """A reset and a 503 are waited out; what is kept is what was answered."""
    with clients_of({"POST": [0, 503]}) as (clients, ledger, server):
        eventually(lambda: len(ledger) > 0, what="a promise")
        assert clients.finish(within=60) == 0
    assert server.keys[0] == server.keys[1] == server.keys[2]
    assert len(set(server.keys)) == len(ledger) == len(server.keys) - 2
    assert ledger.retries["POST /subscriptions"] == 2
    assert ledger.broken == []


def test_a_payment_that_is_not_there_yet_is_cancelled_when_it_is() -> None:
    """404 is no refusal: the payment follows the subscription by itself."""
    with clients_of({"PATCH": [404, 0, 404]}) as (clients, ledger, _):
        eventually(lambda: len(ledger) > 0, what="a promise")
        assert clients.finish(within=60) == 0
    assert {promise.cancelled_by for promise in ledger} == {"bank"}
    assert ledger.retries["PATCH /payments/{id}"] == 3
    assert ledger.broken == []


def test_what_nobody_answers_is_counted() -> None:
    """The end of a run does not wait for ever."""
    with clients_of({"POST": [503] * 1000}) as (clients, ledger, _):
        eventually(lambda: ledger.requests["POST /subscriptions"] > 0, what="a request")
        assert clients.finish(within=0.1) == 1
    assert len(ledger) == 0


@pytest.mark.parametrize(
    ("script", "payment", "accusation"),
    [
        ({"POST": [500]}, "cancelled", "POST /subscriptions answered 500"),
        ({"PATCH": [409]}, "cancelled", "PATCH /payments/"),
        ({"GET": [404]}, "cancelled", "answered 404"),
        ({}, "active", "was cancelled, and is"),
    ],
)
def test_an_answer_that_contradicts_a_promise_is_an_accusation(
    script: Script, payment: str, accusation: str
) -> None:
    """A failure that asks for no patience, a promise that is gone, a cancellation undone."""
    with clients_of(script, payment) as (_, ledger, _):
        eventually(lambda: ledger.broken, what="an accusation")
    assert accusation in ledger.broken[0]


def test_an_answer_that_cannot_be_read_is_an_accusation() -> None:
    """Whoever got it asks no more: without a word of it, a run would pass for want of load."""
    with clients_of({}, answer=b"<html>") as (_, ledger, _):
        eventually(lambda: ledger.broken, what="an accusation")
    assert "client-_subscribe_on-0 gave up" in ledger.broken[0]
