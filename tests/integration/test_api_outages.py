"""A database that goes away: 503 with Retry-After, nothing half-written, and back by itself."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from contracts.names import EventType
from tests.builders import a_cause
from tests.integration.test_api_bad_input import ORDER, problem
from tests.system import System, asking
from verification.testkit.tcp_proxy import TcpProxy
from verification.testkit.waiting import eventually


@pytest.fixture
def dynamodb(system: System) -> Iterator[tuple[TcpProxy, System]]:
    """A system whose AWS can be cut off."""
    with TcpProxy(urlsplit(system.endpoint).port or 0).running() as proxy:
        yield proxy, replace(system, endpoint=f"http://127.0.0.1:{proxy.port}")


@pytest.fixture
def mongodb(system: System) -> Iterator[tuple[TcpProxy, System]]:
    """A system whose MongoDB can be cut off; a direct connection stays on the proxy."""
    port = urlsplit(system.mongodb_uri).port or 0
    with TcpProxy(port).running() as proxy:
        uri = f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true&retryWrites=false"
        yield proxy, replace(system, mongodb_uri=uri)


def at_once(*requests: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Send requests side by side: each waits seconds for a database that is away."""
    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(lambda send: send(), requests))


def test_dynamodb_away_is_503_until_it_is_back(
    dynamodb: tuple[TcpProxy, System], system: System
) -> None:
    """Reads, lists, writes and readiness say so; the same process serves when it is back."""
    proxy, cut_off = dynamodb
    key = f"key {uuid4()}"
    with asking(cut_off.app("subscription")) as client:
        first = client.post("/subscriptions", json=ORDER)
        assert first.status_code == 201
        proxy.cut()
        for answer in at_once(
            lambda: client.get(f"/subscriptions/{first.json()['id']}"),
            lambda: client.get("/subscriptions"),
            lambda: client.post("/subscriptions", json=ORDER, headers={"Idempotency-Key": key}),
            lambda: client.get("/readyz"),
        ):
            found = problem(answer, 503, "unavailable")
            assert found["detail"].startswith("DynamoDB is unavailable")
            assert int(answer.headers["retry-after"]) > 0
        assert client.get("/healthz").status_code == 200
        proxy.restore()
        eventually(lambda: client.get("/readyz").status_code == 200, what="ready again")

        def created() -> httpx.Response | None:
            sent = client.post("/subscriptions", json=ORDER, headers={"Idempotency-Key": key})
            return sent if sent.status_code == 201 else None

        again = eventually(created, what="the same request is served")
    assert len(system.outbox("subscription", again.json()["id"])) == 1


def test_mongodb_away_is_503_until_it_is_back(
    mongodb: tuple[TcpProxy, System], system: System
) -> None:
    """A cancellation that met the outage left nothing; sent again, it is one event."""
    proxy, cut_off = mongodb
    payment_id = str(uuid4())
    system.payments.create(payment_id, "20000004", a_cause())
    path = f"/payments/{payment_id}"
    with asking(cut_off.app("payment")) as client:
        assert client.get(path).status_code == 200
        proxy.cut()
        for answer in at_once(
            lambda: client.patch(path, json={"status": "cancelled"}),
            lambda: client.get("/payments"),
            lambda: client.get("/readyz"),
        ):
            found = problem(answer, 503, "unavailable")
            assert found["detail"].startswith("MongoDB is unavailable")
            assert int(answer.headers["retry-after"]) > 0
        assert client.get("/healthz").status_code == 200
        assert len(system.outbox("payment", payment_id)) == 1
        proxy.restore()
        eventually(lambda: client.get("/readyz").status_code == 200, what="ready again")
        eventually(
            lambda: client.patch(path, json={"status": "cancelled"}).status_code == 200,
            what="the same request is served",
        )
    types = [record["eventType"] for record in system.outbox("payment", payment_id)]
    assert types == [EventType.PAYMENT_CREATED, EventType.PAYMENT_CANCELLED]


def test_an_api_that_starts_while_its_database_is_away_waits_for_it(
    mongodb: tuple[TcpProxy, System],
) -> None:
    """It starts, is alive and not ready, and is ready as soon as there is a database."""
    proxy, cut_off = mongodb
    proxy.cut()
    with asking(cut_off.app("payment")) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        proxy.restore()
        eventually(lambda: client.get("/readyz").status_code == 200, what="ready")
