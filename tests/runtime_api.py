"""Lambda's runtime API, as the image's command meets it: next invocation, response, error.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, SimpleQueue
from subprocess import TimeoutExpired
from typing import Any
from uuid import uuid4

from infra.local_system.ports import LOOPBACK
from infra.local_system.settings import ROOT
from local.child import running_child
from tests.builders import ACCOUNT
from tests.threads import served
from verification.testkit.launcher import COVERAGE

PREFIX = "/2018-06-01/runtime"
ANSWERED_WITHIN = 60.0
"""Seconds; a runtime that starts on a busy machine takes some."""


class FunctionError(Exception):
    """What the runtime reported in place of an answer."""

    def __init__(self, report: dict[str, Any]) -> None:
        super().__init__(f"{report['errorType']}: {report['errorMessage']}")
        self.report = report


class RuntimeApi:
    """Hands one execution environment its invocations, one after the other."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._invocations: SimpleQueue[tuple[str, bytes, float] | None] = SimpleQueue()
        self._answers: SimpleQueue[tuple[str, Any]] = SimpleQueue()
        self._server = ThreadingHTTPServer((LOOPBACK, 0), _handler(self))
        self._server.daemon_threads = True
        self.address = f"{LOOPBACK}:{self._server.server_port}"

    def invoke(self, event: Any, *, timeout: float = 240) -> Any:
        """Invoke and wait for the answer; `timeout` is the function's, in seconds.

        Raises FunctionError.
        """
        request_id = str(uuid4())
        self._invocations.put((request_id, json.dumps(event).encode(), time.time() + timeout))
        try:
            path, answer = self._answers.get(timeout=ANSWERED_WITHIN)
        except Empty:
            raise AssertionError(f"no answer; it said: {self._output.read_text()}") from None
        if path == f"{PREFIX}/invocation/{request_id}/response":
            return answer
        raise FunctionError(answer)

    def lines(self) -> list[dict[str, Any]]:
        """The function's log; lines that the runtime writes itself are left out."""
        written = self._output.read_text().splitlines()
        return [json.loads(line) for line in written if line.startswith("{")]

    def end(self) -> None:
        """Have no more invocations: the runtime leaves when it asks for one."""
        self._invocations.put(None)

    @contextmanager
    def serving(self) -> Iterator[None]:
        with served(self._server):
            yield

    def next(self) -> tuple[str, bytes, float] | None:
        """The next invocation, once there is one; none when there will be no more."""
        return self._invocations.get()

    def take(self, path: str, answer: Any) -> None:
        self._answers.put((path, answer))


@contextmanager
def an_environment(folder: Path, handler: str, env: Mapping[str, str]) -> Iterator[RuntimeApi]:
    """Start what the image runs as a function, until the block ends."""
    output = folder / f"{handler}-{uuid4().hex[:8]}.log"
    api = RuntimeApi(output)
    with (
        api.serving(),
        running_child(
            handler,
            [sys.executable, "-m", "awslambdaric", handler],
            env={**env, **COVERAGE, "AWS_LAMBDA_RUNTIME_API": api.address},
            cwd=ROOT,
            log=output,
        ) as child,
    ):
        try:
            yield api
        finally:
            api.end()
            with suppress(TimeoutExpired):
                child.wait(timeout=30)


def _handler(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            assert self.path == f"{PREFIX}/invocation/next"
            invocation = api.next()
            if invocation is None:
                self.send_error(500)
                return
            request_id, body, deadline = invocation
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
            self.send_header("Lambda-Runtime-Deadline-Ms", str(round(deadline * 1000)))
            self.send_header(
                "Lambda-Runtime-Invoked-Function-Arn",
                f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:relay",
            )
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            api.take(self.path, json.loads(body))

        def log_message(self, *_: object) -> None:
            """A test's output is the test's."""

    return Handler
