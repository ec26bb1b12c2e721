"""An HTTP gate in front of an AWS endpoint: holds a call, fails it, or lets half of it pass.

A call is named by its operation, as in PutEvents. `before` happens to a request that has not been
applied; `after` to an answer whose request has. Whoever holds the gate sees who reached it, and
whatever he has set stays until `open`.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"

Where = Literal["before", "after"]
Entries = list[dict[str, Any]]
Choose = Callable[[dict[str, Any]], tuple[str, str] | None]
"""Of an entry of PutEvents: the error code and message it fails with, or None if it passes."""


class Cut(Exception):
    """The connection ends here without an answer."""


class Gate:
    """Forwards POSTs to `target`, an address like http://127.0.0.1:4566, unless told otherwise.

    Calls of DynamoDB and its streams go to `dynamodb`, where that is another address.
    """

    def __init__(self, target: str, *, dynamodb: str | None = None) -> None:
        self._address, self._dynamodb = urlsplit(target), urlsplit(dynamodb or target)
        self._changed = threading.Condition()
        self._held: dict[tuple[Where, str], int] = {}
        self._waiting: Counter[tuple[Where, str]] = Counter()
        self._refusals: dict[str, tuple[int, str, int]] = {}
        self._dropping: Counter[str] = Counter()
        self._choose: Choose | None = None
        self._trusted: tuple[frozenset[str], str] | None = None
        self._is_cut = False
        self._cuts = self._active = 0
        self.calls: Counter[str] = Counter()
        self.distrusted: Counter[str] = Counter()
        self._server = _Server((LOOPBACK, 0), _handler(self))
        self.endpoint = f"http://{LOOPBACK}:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator["Gate"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.cut()
            self._server.shutdown()
            self._server.server_close()

    def hold(self, where: Where, operation: str, *, passing: int = 0) -> None:
        """Hold every call of an operation, but for the next `passing` ones."""
        with self._changed:
            self._held[where, operation] = passing

    def reached(self, where: Where, operation: str, *, timeout: float = 20) -> None:
        """Wait until a call is held there."""
        with self._changed:
            held = self._changed.wait_for(lambda: self._waiting[where, operation], timeout)
            assert held, f"no {operation} was held {where} it was applied; calls: {self.calls}"

    def let_go(self) -> None:
        """Hold no calls any longer; what else was set stays."""
        with self._changed:
            self._held.clear()
            self._changed.notify_all()

    def open(self) -> None:
        """Let everything pass again, what is held too."""
        with self._changed:
            self._held.clear()
            self._trusted = None
            self._refusals.clear()
            self._dropping.clear()
            self._choose, self._is_cut = None, False
            self._changed.notify_all()

    def refuse(self, operation: str, status: int, code: str, *, times: int = 1_000_000) -> None:
        """Answer the next `times` calls with an AWS error, without applying them."""
        with self._changed:
            self._refusals[operation] = (status, code, times)

    def trust(self, *keys: str, code: str) -> None:
        """Take calls that these access keys signed, and answer an AWS error to all others."""
        with self._changed:
            self._trusted = frozenset(keys), code

    def drop_answers(self, operation: str, *, times: int) -> None:
        """Apply the next calls, then cut the connection in place of an answer."""
        with self._changed:
            self._dropping[operation] = times

    def fail_entries(self, choose: Choose) -> None:
        """Have entries of PutEvents fail behind HTTP 200; the others are forwarded."""
        with self._changed:
            self._choose = choose

    def cut(self) -> None:
        """Nobody is there any more: every connection ends without an answer, what is held too."""
        with self._changed:
            self._is_cut = True
            self._cuts += 1
            self._changed.notify_all()

    def drop(self) -> None:
        """Forget the calls of a client that is gone: on return none is under way, all may pass."""
        self.cut()
        with self._changed:
            assert self._changed.wait_for(lambda: not self._active, timeout=60)
        self.open()

    def answer(self, operation: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Forward one call as the plan has it; raises Cut."""
        with self._changed:
            self.calls[operation] += 1
            self._active += 1
        try:
            return self._answer(operation, headers, body)
        finally:
            with self._changed:
                self._active -= 1
                self._changed.notify_all()

    def _answer(self, operation: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        self._wait("before", operation)
        refusal = self._distrust(operation, headers) or self._refusal(operation)
        if refusal is not None:
            return refusal
        if operation == "PutEvents" and self._choose is not None:
            status, answer = self._put_events(headers, json.loads(body), self._choose)
        else:
            status, answer = self._forward(headers, body)
        self._wait("after", operation)
        with self._changed:
            if self._dropping[operation]:
                self._dropping[operation] -= 1
                raise Cut
        return status, answer

    def _wait(self, where: Where, operation: str) -> None:
        spot = (where, operation)
        with self._changed:
            if self._is_cut:
                raise Cut
            if self._held.get(spot, 0) > 0:
                self._held[spot] -= 1
                return
            if spot not in self._held:
                return
            self._waiting[spot] += 1
            self._changed.notify_all()
            cuts = self._cuts
            self._changed.wait_for(lambda: spot not in self._held or self._cuts > cuts)
            self._waiting[spot] -= 1
            if self._cuts > cuts:
                raise Cut

    def _refusal(self, operation: str) -> tuple[int, bytes] | None:
        with self._changed:
            if operation not in self._refusals:
                return None
            status, code, times = self._refusals[operation]
            if times == 1:
                del self._refusals[operation]
            else:
                self._refusals[operation] = (status, code, times - 1)
        return status, _error(code)

    def _distrust(self, operation: str, headers: dict[str, str]) -> tuple[int, bytes] | None:
        with self._changed:
            keys, code = self._trusted or (None, "")
        key = headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]
        if keys is None or key in keys:
            return None
        with self._changed:
            self.distrusted[operation] += 1
        return 403, _error(code)

    def _put_events(
        self, headers: dict[str, str], request: dict[str, Any], choose: Choose
    ) -> tuple[int, bytes]:
        entries: Entries = request["Entries"]
        verdicts = [choose(entry) for entry in entries]
        passing = [
            entry for entry, verdict in zip(entries, verdicts, strict=True) if verdict is None
        ]
        results: Entries = []
        if passing:
            _, answer = self._forward(headers, json.dumps({"Entries": passing}).encode())
            results = json.loads(answer)["Entries"]
        accepted = iter(results)
        merged = [
            next(accepted)
            if verdict is None
            else {"ErrorCode": verdict[0], "ErrorMessage": verdict[1]}
            for verdict in verdicts
        ]
        failed = len(entries) - len(passing)
        return 200, json.dumps({"FailedEntryCount": failed, "Entries": merged}).encode()

    def _forward(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        is_dynamodb = headers.get("X-Amz-Target", "").startswith("DynamoDB")
        address = self._dynamodb if is_dynamodb else self._address
        connection = HTTPConnection(str(address.hostname), address.port, timeout=30)
        try:
            connection.request("POST", "/", body, {**headers, "Content-Length": str(len(body))})
            response = connection.getresponse()
            return response.status, response.read()
        except OSError as error:
            raise Cut from error
        finally:
            connection.close()


def _error(code: str) -> bytes:
    return json.dumps({"__type": code, "message": f"the gate says {code}"}).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100

    def handle_error(self, *_: object) -> None:
        """A client that was killed resets its connections: that is what the test is about."""


def _handler(gate: Gate) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
            passed_on = ("X-Amz-Target", "Content-Type", "Authorization", "X-Amz-Date")
            headers = {name: self.headers[name] for name in passed_on if name in self.headers}
            try:
                status, answer = gate.answer(operation, headers, body)
            except Cut:
                self.close_connection = True
                return
            with suppress(OSError):  # whoever asked may be gone
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """A test's output is the test's."""

    return Handler
