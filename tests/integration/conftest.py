"""The three services, provisioned once for the session and served over HTTP."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client import CollectorRegistry
from pymongo import MongoClient

from console.app import create_app
from console.parts import Parts
from console.security import TOKEN_HEADER
from infra.documentdb import provision_collections
from infra.local import provision
from infra.local_system.ports import LOOPBACK
from runtime.process.health import Readiness
from runtime.process.health_server import HealthServer
from tests.builders import a_cause
from tests.conftest import MiniStack
from tests.console_client import a_console
from tests.integration.operated import Operated, operated
from tests.operations import operations
from tests.raw_http import Server, described
from tests.relay_world import World, a_world
from tests.system import NAMES, Name, System, asking, serving


@pytest.fixture(scope="session")
def system(ministack: MiniStack, mongodb_uri: str) -> System:
    """Every queue, table and collection of the topology, in a region and a database of its own."""
    unique = uuid4().hex[:8]
    system = System(f"test-{unique}", ministack.endpoint, mongodb_uri, f"payments-{unique}")
    provision(system.aws)
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        provision_collections(client[system.database])
    return system


@pytest.fixture(scope="module")
def operated_system(
    ministack: MiniStack, mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operated]:
    """Everything of the topology in a region of the module's own, as an operator reaches it."""
    with operated(ministack, mongodb_uri, tmp_path_factory.mktemp("operated")) as system:
        yield system


@pytest.fixture(scope="session")
def apis(system: System) -> Iterator[Mapping[Name, httpx.Client]]:
    """An HTTP client for each of the three services, which are served by real sockets."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(asking(system.app(name))) for name in NAMES}


@pytest.fixture
def world(ministack: MiniStack, mongodb_uri: str, tmp_path: Path) -> Iterator[World]:
    """Of which nothing is made yet."""
    with a_world(ministack, tmp_path, mongodb_uri=mongodb_uri) as world:
        yield world


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


@pytest.fixture(scope="session")
def quiet_console(system: System, apis: Mapping[Name, httpx.Client]) -> Parts:
    """A console that taps nothing: its routes, over a real system."""
    return a_console(system, apis, console_name="quiet", console_allowed_hosts="x")


@pytest.fixture(scope="session")
def servers(
    system: System, apis: Mapping[Name, httpx.Client], quiet_console: Parts
) -> Iterator[Mapping[str, Server]]:
    """Every kind of HTTP server that we have, as its process serves it, by its name."""
    health = ("/healthz", "/readyz", "/startupz", "/metrics")
    docs = ("/openapi.json", "/docs", "/docs/start.js", "/docs/assets/swagger-ui.css")
    files = ("/", "/asyncapi", "/asyncapi.json", "/page/css/base.css")
    token = f"{TOKEN_HEADER}: {quiet_console.token}".encode()
    worker = HealthServer(LOOPBACK, 0, readiness=Readiness(), registry=CollectorRegistry())
    app = create_app(quiet_console)
    with worker.serving(), serving(app) as url:
        yield {
            "health": Server(worker.port, health),
            "console": described(app, url, files, token),
            **{
                name: described(system.app(name), str(apis[name].base_url), health + docs)
                for name in NAMES
            },
        }
