"""compose.yaml against the table of processes of `make up`: one system, described twice."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.processes import our_processes
from local.settings import LocalSettings

ROOT = Path(__file__).parents[2]

ELSEWHERE = ("AWS_", "MONGODB_URI", "HTTP_", "HEALTH_", "LOG_", "PYTHON")
"""Variables that say where things are and how to speak, which differs in containers."""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return read


@pytest.fixture(scope="module")
def ours(services: dict[str, Any]) -> dict[str, Any]:
    """The long-running processes of ours."""
    return {
        name: service
        for name, service in services.items()
        if service["image"] == "streamed-events" and name != "provision"
    }


def test_both_run_the_same_processes(ours: dict[str, Any]) -> None:
    """The same names, each the same command of the one image."""
    local = {process.name: list(process.command[2:]) for process in our_processes(LocalSettings())}
    assert {name: service["command"] for name, service in ours.items()} == local


def test_both_give_a_process_the_same_settings(ours: dict[str, Any]) -> None:
    """Tables, queues, buses and collections, and what needs neither AWS nor MongoDB has neither."""
    for process in our_processes(LocalSettings()):
        composed = ours[process.name]["environment"]
        assert _own(composed) == _own(process.env), process.name
        for variable in ("AWS_ENDPOINT_URL", "MONGODB_URI"):
            assert (variable in composed) == (variable in process.env), process.name


def test_only_the_three_apis_are_published_and_on_loopback_only(services: dict[str, Any]) -> None:
    """Nobody but this machine reaches them, and nobody at all the engines."""
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {
        "subscription-api": ["127.0.0.1:${SUBSCRIPTION_API_PORT:-8001}:8000"],
        "stock-api": ["127.0.0.1:${STOCK_API_PORT:-8002}:8000"],
        "payment-api": ["127.0.0.1:${PAYMENT_API_PORT:-8003}:8000"],
    }


def test_every_container_is_contained(services: dict[str, Any]) -> None:
    """A read-only root, no capability but those that mongo's entrypoint needs, a memory limit."""
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert ("cap_add" in service) == (name == "mongod"), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "mem_limit" in service, name
        once = name == "provision"
        assert service["restart"] == ("no" if once else "unless-stopped"), name
        assert ("test" in service["healthcheck"]) is not once, name


def _own(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(ELSEWHERE)}
