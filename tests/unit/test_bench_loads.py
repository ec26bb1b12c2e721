"""A load's numbers are of answers that were wanted, each counted once."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, cast

import pytest

from verification.benchmarks.http_load import request
from verification.benchmarks.loads import Load, LoadFailed, play
from verification.testkit.launcher import LaunchedProcess
from verification.testkit.loopback import LoopbackServer

SLOW = 0.02
"""Seconds before each answer."""


class Api(LoopbackServer):
    """Answers each request with a status after a while, in two pieces; keeps what it was sent."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self._status = status
        self.received: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
            self.received.append(head + await reader.readexactly(length))
            await asyncio.sleep(SLOW)
            writer.write(b"HTTP/1.1 %d Some\r\nContent-Length: 2\r\n\r\n{" % self._status)
            await writer.drain()
            writer.write(b"}")


class Process:
    """As much of a process as a load asks for."""

    name, cpu_seconds = "api", 1.0

    def __init__(self, port: int) -> None:
        self.port = port


@pytest.fixture
def api(request: Any) -> Iterator[Api]:
    with Api(getattr(request, "param", 201)).running() as server:
        yield server


def played(api: Api, load: Load) -> Any:
    return play(cast("LaunchedProcess", Process(api.port)), load, connections=4, seconds=0.3)


def test_each_answer_counts_once(api: Api) -> None:
    """Four connections, each of which waits for its answer: four in flight, and no more."""
    bodies = [{"n": 1}, {"n": 2}, {"n": 3}]
    found = played(api, Load("POST", "/things", 201, {"X-Who": "me"}, bodies))
    assert len(found.milliseconds) == len(api.received) >= 4
    assert found.percentile(0) >= 1000 * SLOW
    assert found.throughput <= 4 / SLOW
    assert found.generator > 0
    sent = [each for each in api.received if b"X-Who: me" in each]
    assert [json.loads(each.partition(b"\r\n\r\n")[2]) for each in sent[:3]] == bodies


@pytest.mark.parametrize("api", [503], indirect=True)
def test_one_failure_fails_the_load(api: Api) -> None:
    """A server that refuses is fast: its throughput says nothing."""
    with pytest.raises(LoadFailed, match="503 Some"):
        played(api, Load("GET", "/things", 200))


def test_a_server_that_goes_away_fails_the_load(api: Api) -> None:
    """And does not make it wait."""
    with pytest.raises(LoadFailed, match="Connect"):
        play(cast("LaunchedProcess", Process(1)), Load("GET", "/", 200), connections=1, seconds=0.1)
    assert not api.received


def test_a_request_without_a_body_has_no_length() -> None:
    """As a GET is sent."""
    assert request("GET", "/a", 80, {}) == b"GET /a HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n"
