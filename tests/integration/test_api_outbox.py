"""GET /outbox: how much waits to be published, in each of the three services."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.builders import a_cause
from tests.system import Name, System
from verification.testkit.waiting import eventually


@pytest.mark.parametrize("service", ["stock", "payment"])
def test_a_commit_is_one_more_and_has_an_age(
    apis: Mapping[Name, httpx.Client], system: System, service: Name
) -> None:
    """On DynamoDB and on MongoDB alike."""
    client = apis[service]
    before = client.get("/outbox").json()
    if service == "stock":
        system.stock.allocate(str(uuid4()), 2, a_cause())
    else:
        system.payments.create(str(uuid4()), "12345678", a_cause())

    def deeper() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get("/outbox").json()
        return found if found["depth"] == before["depth"] + 1 else None

    found = eventually(deeper, what="one more waits")
    assert found["atLeast"] is False
    assert found["oldestAgeSeconds"] >= 0

    def older() -> bool:
        age = client.get("/outbox").json()["oldestAgeSeconds"]
        return bool(age > found["oldestAgeSeconds"])

    eventually(older, what="it grows older")


def test_it_is_documented_in_every_api(apis: Mapping[Name, httpx.Client]) -> None:
    """With the answer's fields and the outage."""
    for client in apis.values():
        responses = client.get("/openapi.json").json()["paths"]["/outbox"]["get"]["responses"]
        assert responses.keys() == {"200", "503"}
