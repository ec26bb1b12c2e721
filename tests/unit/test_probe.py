"""The health check of a container: it asks, and its exit code is the answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from infra.local_system.ports import LOOPBACK
from runtime.process.health import Readiness
from runtime.process.health_server import HealthServer
from verification.testkit.launcher import run_to_end
from verification.testkit.ports import reserved_ports


@pytest.fixture
def readiness() -> Readiness:
    return Readiness("queue")


@pytest.fixture
def port(readiness: Readiness) -> Iterator[int]:
    server = HealthServer(LOOPBACK, 0, readiness=readiness, registry=CollectorRegistry())
    with server.serving():
        yield server.port


def test_a_process_that_is_ready(port: int, readiness: Readiness, tmp_path: Path) -> None:
    """Exit code 0, and nothing to say."""
    readiness.up("queue")
    assert run_to_end(tmp_path, "runtime.probe", f"{port}/readyz", {}) == (0, "")


def test_a_process_that_is_not_ready(port: int, tmp_path: Path) -> None:
    """Exit code 1, and the process's own reason; it is alive all the same."""
    assert run_to_end(tmp_path, "runtime.probe", f"{port}/readyz", {}) == (1, "queue: starting\n")
    assert run_to_end(tmp_path, "runtime.probe", f"{port}/healthz", {}) == (0, "")


def test_a_process_that_is_not_there(tmp_path: Path) -> None:
    """Exit code 1, and the address."""
    with reserved_ports(1) as (port,):
        code, output = run_to_end(tmp_path, "runtime.probe", f"{port}/readyz", {})
    assert code == 1
    assert output.startswith(f"127.0.0.1:{port}: ")


@pytest.mark.parametrize("wrong", ["", "readyz", "8000 readyz"])
def test_a_question_that_it_does_not_understand(wrong: str, tmp_path: Path) -> None:
    """Exit code 2, and how to ask."""
    code, output = run_to_end(tmp_path, "runtime.probe", wrong, {})
    assert code == 2
    assert "PORT/PATH" in output
