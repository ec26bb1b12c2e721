"""A payment API of its own over a real database, with a secret, and a payment."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pymongo import MongoClient

from infra.documentdb import provision_collections
from tests.builders import a_cause
from tests.security.webhook.bank import SECRET, api_of
from tests.system import System


@pytest.fixture(scope="module")
def system(mongodb_uri: str) -> System:
    """The payments' database; the API uses nothing of AWS."""
    system = System("none", "http://127.0.0.1:1", mongodb_uri, f"webhook-{uuid4().hex[:8]}")
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        provision_collections(client[system.database])
    return system


@pytest.fixture(scope="module")
def api(system: System) -> Iterator[httpx.Client]:
    with api_of(system, SECRET) as client:
        yield client


@pytest.fixture
def payment_id(system: System) -> str:
    """A payment that a SubscriptionCreated set up."""
    payment_id = str(uuid4())
    system.payments.create(payment_id, "20000002", a_cause())
    return payment_id
