"""What `make demo` does where another terminal is just bringing the system up."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.local_system.ports import LOOPBACK
from infra.local_system.settings import LocalSettings
from local.demo import comes_up
from tests.threads import served
from verification.testkit.ports import settings_on_free_ports
from verification.testkit.waiting import eventually


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[LocalSettings]:
    with settings_on_free_ports(tmp_path) as reserved:
        yield reserved


def has_said(said: list[str], more_than: int) -> bool:
    return len(said) > more_than


def test_it_waits_for_a_system_that_gets_further(settings: LocalSettings) -> None:
    """One API after the other is at work; it says what it still waits for."""
    said: list[str] = []
    came: list[bool] = []
    waiting = threading.Thread(target=lambda: came.append(comes_up(settings, say=said.append)))
    waiting.start()
    with ExitStack() as stack:
        for number, api in enumerate(("subscription_api", "stock_api", "payment_api")):
            eventually(partial(has_said, said, number), what="it says for what it waits")
            address = LOOPBACK, getattr(settings, f"{api}_port")
            stack.enter_context(served(ThreadingHTTPServer(address, Ready)))
        waiting.join()
    assert came == [True]
    assert "subscription-api" in said[0]
    assert "tap" in said[-1]


def test_it_gives_up_a_system_that_gets_no_further(settings: LocalSettings) -> None:
    """By a bound since the last step, and it has said for which processes."""
    said: list[str] = []
    assert not comes_up(settings, say=said.append, patience=0.2)
    (line,) = said
    assert line.startswith("waiting for ")
    assert "stock-api" in line
