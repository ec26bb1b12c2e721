"""The three services, provisioned once for the session and served over HTTP."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pymongo import MongoClient

from infra.documentdb import provision_collections
from infra.local import provision
from tests.builders import a_cause
from tests.conftest import MiniStack
from tests.operations import operations
from tests.system import NAMES, Name, System, serving


@pytest.fixture(scope="session")
def system(ministack: MiniStack, mongodb_uri: str) -> System:
    """Every queue, table and collection of the topology, in a region and a database of its own."""
    unique = uuid4().hex[:8]
    system = System(f"test-{unique}", ministack.endpoint, mongodb_uri, f"payments-{unique}")
    provision(system.aws)
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        provision_collections(client[system.database])
    return system


@pytest.fixture(scope="session")
def apis(system: System) -> Iterator[Mapping[Name, httpx.Client]]:
    """An HTTP client for each of the three services, which are served by real sockets."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                httpx.Client(
                    base_url=stack.enter_context(serving(system.app(name))),
                    trust_env=False,
                    timeout=20,
                )
            )
            for name in NAMES
        }


@pytest.fixture
def subscriptions(apis: Mapping[Name, httpx.Client]) -> httpx.Client:
    return apis["subscription"]


@pytest.fixture
def stock(apis: Mapping[Name, httpx.Client]) -> httpx.Client:
    return apis["stock"]


@pytest.fixture
def payments(apis: Mapping[Name, httpx.Client]) -> httpx.Client:
    return apis["payment"]


@pytest.fixture(scope="session")
def lifecycle(system: System, apis: Mapping[Name, httpx.Client]) -> str:
    """The subscription of the examples, with its stock and its payment; its id."""
    document = apis["subscription"].get("/openapi.json").json()
    post = next(each for each in operations(document) if each.method == "post")
    answer = post.send(apis["subscription"])
    assert answer.status_code == 201, answer.text
    created = answer.json()
    system.stock.allocate(created["id"], created["quantity"], a_cause())
    system.payments.create(created["id"], created["accountNumber"], a_cause())
    return str(created["id"])
