"""compose.yaml runs what the table of workloads says, each process as contained as the next."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.workloads import WORKLOADS, Workload

FILE = Path(__file__).parents[2] / "compose.yaml"

COMPOSED: dict[str, Any] = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSED["services"]

ENGINES = {"ministack", "mongod"}
LOCAL = {"provision", "tap"}
TOOLS = {"streamed"}
ENDS = {"provision", *TOOLS}
"""What ends by itself."""


def test_every_workload_is_a_service() -> None:
    """Beside them are only the engines, what provisions them, the tap and the tools."""
    workloads = {workload.name for workload in WORKLOADS}
    assert SERVICES.keys() == workloads | ENGINES | LOCAL | TOOLS


def test_tools_start_only_when_asked_for() -> None:
    """`docker compose up` leaves them alone."""
    assert {name for name, service in SERVICES.items() if service.get("profiles")} == TOOLS


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_a_service_is_its_workload(workload: Workload) -> None:
    """The same command and settings as on a laptop and on AWS."""
    service = SERVICES[workload.name]

    assert service["command"] == list(workload.command)
    assert service["environment"].items() >= workload.settings.items()
    assert ("AWS_ENDPOINT_URL" in service["environment"]) == workload.uses_aws
    assert ("MONGODB_URI" in service["environment"]) == workload.uses_documents
    assert service["init"] is True


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_may_do_and_take_little(name: str) -> None:
    """No root to write to, no capability that it does not need, a share of memory, a restart."""
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["restart"] == ("no" if name in ENDS else "unless-stopped")
    # Only mongo's own image starts as root, to hand its data over.
    assert bool(service.get("cap_add")) == (name == "mongod")


def test_only_the_apis_are_published_and_only_to_this_machine() -> None:
    """Whoever reaches an engine may do everything."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {
        "subscription-api": ["127.0.0.1:${SUBSCRIPTION_API_PORT:-8001}:8000"],
        "stock-api": ["127.0.0.1:${STOCK_API_PORT:-8002}:8000"],
        "payment-api": ["127.0.0.1:${PAYMENT_API_PORT:-8003}:8000"],
    }


def test_every_container_that_stays_says_how_it_is() -> None:
    """So that `docker compose up --wait` ends when the whole system is at work."""
    for name, service in SERVICES.items():
        assert service["healthcheck"].get("disable", False) == (name in ENDS), name
