"""An API that is asked to stop: unready at once, it serves on while it drains, then leaves."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import APIRouter

from infra.local_system.ports import LOOPBACK
from runtime.errors import Unavailable
from runtime.http.connections import limited
from runtime.http.draining import DrainingServer
from tests.system import an_app
from tests.threads import beside
from verification.testkit.waiting import eventually

DRAIN = 10.0


@dataclass
class Draining:
    """A server that drains by a clock of its own; `away` is its dependency."""

    now: float = 0.0
    away: bool = False
    port: int = 0
    server: DrainingServer = field(init=False)

    def check(self) -> None:
        if self.away:
            raise Unavailable("the database", "away")

    def ask(self, path: str) -> httpx.Response:
        """On a connection of its own."""
        return httpx.get(f"http://{LOOPBACK}:{self.port}{path}", trust_env=False)

    def signalled(self) -> None:
        self.server.handle_exit(signal.SIGTERM, None)


@contextmanager
def serving(drain: float) -> Iterator[Draining]:
    """Until it has left; in a thread, where signals do not reach it."""
    process = Draining()
    routes = APIRouter()

    @routes.get("/things")
    async def things() -> list[str]:
        return ["thing"]

    app = an_app(routes, check=process.check)
    with socket.create_server((LOOPBACK, 0)) as listening:
        process.port = listening.getsockname()[1]
        process.server = DrainingServer(
            limited(app, listening, stop_seconds=1),
            app,
            drain=drain,
            clock=lambda: process.now,
        )

        def leave() -> None:
            process.server.should_exit = True

        with beside(lambda: process.server.run([listening]), leave):
            eventually(lambda: process.server.started, what="it serves")
            yield process


def test_it_serves_on_while_it_drains_and_is_not_ready() -> None:
    """New connections as well, each for one request; then it leaves."""
    with serving(DRAIN) as process:
        assert process.ask("/readyz").status_code == 200
        process.signalled()
        unready = process.ask("/readyz")
        assert unready.status_code == 503
        assert "asked to stop" in unready.text
        assert process.ask("/startupz").status_code == 200
        process.now = DRAIN - 0.1
        assert process.ask("/things").json() == ["thing"]
        eventually(
            lambda: process.ask("/things").headers.get("connection") == "close",
            what="an answer is its connection's last",
        )
        process.now = DRAIN
        eventually(lambda: process.server.should_exit, what="it leaves")
    with pytest.raises(httpx.TransportError):
        process.ask("/things")


def test_a_second_signal_ends_the_draining() -> None:
    """Who asks twice does not want to wait."""
    with serving(DRAIN) as process:
        process.signalled()
        assert not process.server.should_exit
        process.signalled()
        assert process.server.should_exit


def test_without_draining_it_leaves_at_once() -> None:
    """On one machine no load balancer has to notice."""
    with serving(0) as process:
        process.signalled()
        assert process.server.should_exit


def test_an_api_has_started_once_it_was_ready() -> None:
    """While its database is away it is not, if it never was; later it stays so."""
    with serving(0) as process:
        process.away = True
        assert process.ask("/startupz").status_code == 503
        process.away = False
        assert process.ask("/startupz").status_code == 200
        process.away = True
        assert process.ask("/startupz").status_code == 200
        assert process.ask("/readyz").status_code == 503


def test_it_looks_seldom_and_leaves_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle it wakes for its stop alone: here it would look again in an hour."""
    monkeypatch.setattr(DrainingServer, "tick", 3600.0)
    with serving(0) as process:
        process.signalled()
        eventually(lambda: not process.server.servers[0].is_serving(), what="it accepts no more")
