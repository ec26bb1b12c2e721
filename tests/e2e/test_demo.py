"""`make demo` as a newcomer's shell starts it: full of other work's settings, in any encoding."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from infra.local_system.settings import ROOT
from tests.e2e.world import World
from verification.testkit.ports import settings_on_free_ports
from verification.testkit.waiting import eventually

EXPORTED = {
    "AWS_PROFILE": "work",
    "AWS_REGION": "us-east-1",
    "MONGODB_URI": "mongodb://other.example:27017/",
    "MONGODB_USERNAME": "me",
    "MONGODB_PASSWORD": "hidden",
    "HTTP_HOST": "203.0.113.1",
    "HTTP_PORT": "1",
    "HEALTH_HOST": "203.0.113.1",
    "QUEUE_WAIT_SECONDS": "99",
    "LOG_LEVEL": "debug",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    "POLL_SECONDS": "soon",
}
"""Each alone ends some process, or sends it elsewhere."""


@pytest.mark.timeout(300)  # it waits for as long as the start shows progress
def test_the_demo_runs_in_a_shell_full_of_other_settings(tmp_path: Path) -> None:
    """It ends well, names what it does not use in one line, and prints the journey in latin-1."""
    with settings_on_free_ports(tmp_path / "state") as settings:
        given = settings.model_dump(exclude_none=True)
        ours = {name.upper(): str(value) for name, value in given.items() if name != "breakable"}
        done = subprocess.run(
            [sys.executable, "-m", "local.demo"],
            env={**os.environ, **ours, **EXPORTED, "PYTHONIOENCODING": "latin-1"},
            cwd=ROOT,
            capture_output=True,
            encoding="latin-1",
            check=False,
            timeout=280,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    assert [name for name in EXPORTED if name not in line] == []
    assert "hidden" not in line
    assert "subscription cancelled" in done.stdout
    assert "for the bank's reason 1" in done.stdout  # by the signed callback
    log = (tmp_path / "state" / "demo.log").read_text(encoding="utf-8")
    assert "stock-api              \N{BOX DRAWINGS LIGHT VERTICAL} " in log
    assert "other.example" not in log


def test_a_demo_without_stock_shows_the_rejection_and_restores_what_it_found(
    either: World,
) -> None:
    """Within a minute: all that was begun is undone, and as much is on hand as before."""
    either.inventory("PUT", {"onHand": 500})
    done = subprocess.run(
        [sys.executable, "-m", "local.demo", "--out-of-stock"],
        env=environment_of(either),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rejected, 24 razors wanted and 0 available" in done.stdout
    assert "cancelled by stock: out of stock" in done.stdout
    assert "payment cancelled" in done.stdout
    assert either.inventory("GET")["onHand"] == 500
    either.inventory("DELETE")


def test_a_demo_that_is_interrupted_leaves_stock_for_the_next(running: World) -> None:
    """Ctrl-C while all is sold out: no limit was set before, and none is after it."""
    command, environment = [sys.executable, "-m", "local.demo"], environment_of(running)
    with subprocess.Popen(
        [*command, "--out-of-stock"],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        eventually(lambda: is_set(running), what="an inventory of nothing")
        demo.send_signal(signal.SIGINT)
        said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130, said
    assert not is_set(running)
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "subscription cancelled" in done.stdout


def environment_of(world: World) -> dict[str, str]:
    """A shell's, from which the demo finds the system that is up."""
    given = world.settings.model_dump(exclude_none=True)
    ours = {name.upper(): str(value) for name, value in given.items() if name != "breakable"}
    return {**os.environ, **ours, "COLUMNS": "200"}


def is_set(world: World) -> bool:
    url = f"{world.addresses['stock']}/inventory/razor-123"
    return world.http.get(url).status_code == httpx.codes.OK
