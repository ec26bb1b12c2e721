"""`make up BREAK=1` and its console, as the processes that they are; in no containers."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from local.child import start_child, stop_child
from local.process import Process
from local.processes import breaking_socket, console_process, our_processes
from local.running import is_ready
from local.settings import LocalSettings
from local.up import addresses, console_address
from tests.e2e.world import ORDER
from tests.processes import ROOT
from tests.waiting import eventually


@dataclass
class Up:
    """`console` has the token that its page would have."""

    settings: LocalSettings
    child: Popen[bytes]
    log: Path
    http: httpx.Client
    console: httpx.Client

    def do(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.console.post(f"/api/breaking/{path}", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def subscribe(self) -> str:
        url = f"{addresses(self.settings)['subscription']}/subscriptions"
        answer = self.http.post(url, json=ORDER)
        assert answer.status_code == 201, answer.text
        created: str = answer.json()["subscriptionId"]
        return created

    def is_stocked(self, subscription_id: str) -> bool:
        url = f"{addresses(self.settings)['stock']}/stock/{subscription_id}"
        return self.http.get(url).status_code == 200

    def has_failed(self, relay: Process) -> bool:
        """Whether a relay has tried to publish and could not."""
        text = self.http.get(f"http://127.0.0.1:{relay.port}/metrics").text
        return any(line.startswith("relay_publish_failures_total{") for line in text.splitlines())

    def process(self, name: str) -> Process:
        return next(each for each in our_processes(self.settings) if each.name == name)


@pytest.fixture(scope="module")
def up(sample_credentials: None) -> Iterator[Up]:
    with TemporaryDirectory() as folder:  # a path of pytest's may be too long for a socket
        settings = LocalSettings.on_free_ports(Path(folder) / "state")
        given = settings.model_dump(exclude_none=True) | {"break": "1"}
        env = {name.upper(): str(value) for name, value in given.items()}
        log = Path(folder) / "up.log"
        with log.open("wb") as output:
            child = start_child(
                [sys.executable, "-m", "local.up"], env=env, cwd=ROOT, output=output
            )
        try:
            yield at_work(settings, child, log)
        finally:
            stop_child(child, within=40)


def at_work(settings: LocalSettings, child: Popen[bytes], log: Path) -> Up:
    def ready() -> bool:
        assert child.poll() is None, log.read_text()
        return "\nready in " in log.read_text() and is_ready(console_process(settings))

    eventually(ready, timeout=90, what="`make up` and its console ready")
    console = httpx.Client(base_url=console_address(settings), timeout=30, trust_env=False)
    about = console.get("/api/about").json()
    assert about["breaking"] == {"enabled": True, "why": None}
    console.headers["X-Console-Token"] = about["token"]
    return Up(settings, child, log, httpx.Client(timeout=10, trust_env=False), console)


def test_the_address_of_the_console_is_what_is_said_first(up: Up) -> None:
    """Then those of the APIs."""
    lines = up.log.read_text().splitlines()
    (ready,) = (at for at, line in enumerate(lines) if line.startswith("ready in "))
    assert lines[ready + 1].split() == ["console", f"{console_address(up.settings)}/"]


def test_a_relay_that_is_stopped_loses_nothing(up: Up) -> None:
    """What is committed meanwhile is published once the relay is back."""
    state = up.do("processes/subscriptions-relay", run=False)
    assert [each["name"] for each in state["processes"] if not each["running"]] == [
        "subscriptions-relay"
    ]
    assert not is_ready(up.process("subscriptions-relay"))
    subscription_id = up.subscribe()

    up.do("processes/subscriptions-relay", run=True)

    eventually(lambda: up.is_stocked(subscription_id), timeout=60, what="stock put aside")


def test_a_bus_that_refuses_loses_nothing(up: Up) -> None:
    """The relays wait; once it takes events again, they come."""
    assert up.do("bus", refuse=True)["bus"] == {"refusing": True}
    relay = up.process("subscriptions-relay")
    eventually(lambda: is_ready(relay), timeout=60, what="the relay at work")
    subscription_id = up.subscribe()
    eventually(lambda: up.has_failed(relay), timeout=60, what="the relay refused by its bus")
    assert not up.is_stocked(subscription_id)

    assert up.do("bus", refuse=False)["bus"] == {"refusing": False}

    eventually(lambda: up.is_stocked(subscription_id), timeout=60, what="stock put aside")
    letters = up.console.get("/api/dead-letters").json()["queues"]
    assert not any(each["letters"] for each in letters)


def test_poison_is_set_aside_explained_and_dropped(up: Up) -> None:
    """From the queue it was sent to, to the trail."""
    sent = up.do("poison", queue="stock-subscription-created", kind="missing field")
    assert "without its quantity" in sent["sentence"]
    dlq = "subscriptions-created-dlq"

    def letters() -> list[dict[str, Any]]:
        queues = up.console.get("/api/dead-letters").json()["queues"]
        return [letter for each in queues if each["queue"] == dlq for letter in each["letters"]]

    (letter,) = eventually(letters, timeout=60, what="the poison in the dead-letter queue")
    assert "quantity: Field required" in letter["plain"]
    preview = up.console.post("/api/dead-letters/preview", json={"queue": dlq}).json()["preview"]
    dropped = up.console.post(
        "/api/dead-letters/drop", json={"preview": preview, "confirm": "drop"}
    )
    assert dropped.json()["done"] == 1
    trail = up.console.get("/api/dead-letters/trail").json()
    assert trail["file"] == str(up.settings.state_dir / "operations.jsonl")
    assert trail["lines"][0]["action"] == "drop"


def test_when_it_ends_nothing_of_it_is_left(up: Up) -> None:
    """Not even of what was stopped and never started again; exit code 0."""
    up.do("processes/stock-consumer", run=False, kill=True)

    assert stop_child(up.child, within=60)

    assert up.child.returncode == 0
    assert up.log.read_text().splitlines()[-1] == "stopped"
    assert not breaking_socket(up.settings).exists()
    for process in [*our_processes(up.settings), console_process(up.settings)]:
        assert not is_ready(process)
