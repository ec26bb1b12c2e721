"""The engines behind their wires, and every store as one fixture: `subject`.

The clients are made as the services make them, so that their retries and time limits are part of
what is tested. The wires can be cut, and can lose a request or an answer.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient

from infra.local_system.environment import REGION
from infra.local_system.ports import LOOPBACK
from runtime.aws import Aws
from runtime.mongodb import Document, connect
from tests.conftest import MiniStack
from tests.dynamodb_local import DynamoDBLocal
from tests.integration.store_suite import subjects
from tests.integration.store_suite.kinds import PAYMENT, STOCK, SUBSCRIPTION, Kind
from tests.integration.store_suite.subjects import Clients, Subject
from verification.testkit.tcp_proxy import TcpProxy

IMPATIENCE = 0.3
"""Seconds that the impatient clients wait for an answer; the services' own wait 5 and 10."""


def _wire_to(port: int | None) -> TcpProxy:
    assert port
    return TcpProxy(port)


@contextmanager
def _dynamodbs(endpoint: str) -> Iterator[Clients]:
    with _wire_to(urlsplit(endpoint).port).running() as wire:
        wired = f"http://{LOOPBACK}:{wire.port}"
        yield Clients(
            direct=Aws(region=REGION, endpoint_url=endpoint).client("dynamodb"),
            wired=Aws(region=REGION, endpoint_url=wired).client("dynamodb"),
            impatient=Aws(region=REGION, endpoint_url=wired, read_timeout=IMPATIENCE).client(
                "dynamodb"
            ),
            wire=wire,
        )


@pytest.fixture(scope="session")
def ministack_dynamodbs(ministack: MiniStack) -> Iterator[Clients]:
    with _dynamodbs(ministack.endpoint) as clients:
        yield clients


@pytest.fixture(scope="session")
def dynamodb_local_dynamodbs(dynamodb_local: DynamoDBLocal) -> Iterator[Clients]:
    with _dynamodbs(dynamodb_local.endpoint) as clients:
        yield clients


@pytest.fixture(scope="session")
def mongodbs(mongodb_uri: str) -> Iterator[Clients]:
    """Straight to the wire: a client that is told the replica set's members would go past it."""
    with (
        _wire_to(urlsplit(mongodb_uri).port).running() as wire,
        connect(mongodb_uri) as direct,
        connect(f"mongodb://{LOOPBACK}:{wire.port}/?directConnection=true") as wired,
        MongoClient[Document](
            LOOPBACK,
            wire.port,
            directConnection=True,
            retryWrites=False,
            socketTimeoutMS=IMPATIENCE * 1000,
        ) as impatient,
    ):
        yield Clients(direct, wired, impatient, wire)


def in_memory(kind: Kind) -> Callable[[pytest.FixtureRequest], Iterator[Subject]]:
    def make(_: pytest.FixtureRequest) -> Iterator[Subject]:
        yield subjects.memory(kind)

    return make


def on_dynamodb(
    kind: Kind, emulator: str = "ministack"
) -> Callable[[pytest.FixtureRequest], Iterator[Subject]]:
    def make(request: pytest.FixtureRequest) -> Iterator[Subject]:
        clients: Clients = request.getfixturevalue(f"{emulator}_dynamodbs")
        yield subjects.dynamodb(kind, clients)
        clients.wire.restore()

    return make


def on_mongodb(request: pytest.FixtureRequest) -> Iterator[Subject]:
    clients: Clients = request.getfixturevalue("mongodbs")
    with subjects.mongodb(clients) as subject:
        yield subject
    clients.wire.restore()


@pytest.fixture(
    params=[
        pytest.param(in_memory(SUBSCRIPTION), id="memory-subscription"),
        pytest.param(in_memory(STOCK), id="memory-stock"),
        pytest.param(in_memory(PAYMENT), id="memory-payment"),
        pytest.param(on_dynamodb(SUBSCRIPTION), id="dynamodb-subscription"),
        pytest.param(on_dynamodb(STOCK), id="dynamodb-stock"),
        pytest.param(on_dynamodb(SUBSCRIPTION, "dynamodb_local"), id="local-subscription"),
        pytest.param(on_dynamodb(STOCK, "dynamodb_local"), id="local-stock"),
        pytest.param(on_mongodb, id="mongodb-payment"),
    ]
)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    yield from request.param(request)


@pytest.fixture(
    params=[
        pytest.param(in_memory(SUBSCRIPTION), id="memory"),
        pytest.param(on_dynamodb(SUBSCRIPTION), id="dynamodb"),
        pytest.param(on_dynamodb(SUBSCRIPTION, "dynamodb_local"), id="local"),
    ]
)
def owned(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """A store whose rows have owners."""
    yield from request.param(request)
