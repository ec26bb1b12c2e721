"""Every family of the database's failures, under a consumer and an API that outlive each."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pymongo import MongoClient

from infra.documentdb import provision_collections
from runtime.mongodb_failures import CODES
from runtime.verdicts import HELD, Family
from tests.builders import a_cause
from tests.failing_mongod import FailingMongod, failing_mongod
from tests.integration.test_api_bad_input import problem
from tests.integration.test_processes import an_event
from tests.queues import TestQueue, make_queue
from tests.system import System, asking
from verification.testkit.launcher import LaunchedProcess
from verification.testkit.waiting import eventually

UNLISTED = 42424
"""A code that is in no list."""

EACH = [
    *((family, min(CODES[family])) for family in HELD if family in CODES),
    (Family.AWAY, 50),
    (Family.THROTTLED, 14031),
    (Family.UNKNOWN, UNLISTED),
]
each_code = pytest.mark.parametrize(
    ("family", "code"), EACH, ids=[f"{family}-{code}" for family, code in EACH]
)


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FailingMongod]:
    with failing_mongod(tmp_path_factory.mktemp("failing-mongod")) as mongod:
        yield mongod


@pytest.fixture(scope="module")
def payments(system: System, mongod: FailingMongod) -> System:
    """The payment service on that mongod."""
    found = replace(system, mongodb_uri=mongod.uri, database=f"payments-{uuid4().hex[:8]}")
    with MongoClient[dict[str, Any]](mongod.uri) as client:
        provision_collections(client[found.database])
    return found


@dataclass(frozen=True)
class Consuming:
    process: LaunchedProcess
    created: TestQueue


@pytest.fixture(scope="module")
def consumer(payments: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consuming]:
    created = make_queue(payments.aws)
    folder: Path = tmp_path_factory.mktemp("consumer")
    own = {"SUBSCRIPTION_CREATED_QUEUE": created.queue.name, "QUEUE_WAIT_SECONDS": "1"}
    with payments.running(folder, "payment", "consumer", own, is_measured=False) as process:
        process.until_ready()
        yield Consuming(process, created)


@each_code
def test_a_consumer_holds(
    payments: System, mongod: FailingMongod, consumer: Consuming, family: Family, code: int
) -> None:
    """Its log has the code; then the payment is made once, and nothing is buried."""
    process, created = consumer.process, consumer.created
    before, payment_id = len(process.lines()), str(uuid4())

    def said() -> bool:
        held = [line for line in process.lines()[before:] if line["event"] == "held"]
        return any(f"code {code}" in line["reason"] for line in held)

    with mongod.with_code(code):
        created.send(an_event(payment_id, 1))
        eventually(said, timeout=20, what=f"held for {family}, code {code}")
    eventually(lambda: len(payments.outbox("payment", payment_id)) == 1, timeout=30, what="made")
    eventually(created.empty, timeout=30, what="an empty queue")
    process.until_ready()
    assert created.dead_letters() == {}


def test_an_overload_with_an_unknown_code_buries_nothing(
    payments: System, mongod: FailingMongod, consumer: Consuming
) -> None:
    """It refuses one insert in four, of whichever message: each passes in the end."""
    created, payment_ids = consumer.created, [str(uuid4()) for _ in range(60)]
    before = len(consumer.process.lines())
    with mongod.with_code(UNLISTED, ["insert"], share=0.25):
        for payment_id in payment_ids:
            created.send(an_event(payment_id, 1))
        eventually(created.empty, timeout=90, what="an empty queue")
    said = [line["event"] for line in consumer.process.lines()[before:]]
    assert "held" in said
    assert "failed, backing off" not in said
    assert all(len(payments.outbox("payment", each)) == 1 for each in payment_ids)
    assert created.dead_letters() == {}


@pytest.fixture(scope="module")
def api(payments: System) -> Iterator[httpx.Client]:
    with asking(payments.app("payment")) as client:
        yield client


@each_code
def test_an_api_answers_503(
    payments: System, mongod: FailingMongod, api: httpx.Client, family: Family, code: int
) -> None:
    """With Retry-After, for reads, writes and readiness; and serves when it is over."""
    payment_id = str(uuid4())
    payments.payments.create(payment_id, "20000004", a_cause())
    path = f"/payments/{payment_id}"
    with mongod.with_code(code):
        for answer in (
            api.get(path),
            api.get("/payments"),
            api.patch(path, json={"status": "cancelled"}),
            api.get("/readyz"),
        ):
            found = problem(answer, 503, "unavailable")
            assert f"code {code}" in found["detail"], family
            assert int(answer.headers["retry-after"]) > 0
    eventually(lambda: api.get("/readyz").status_code == 200, what="ready again")
    assert api.patch(path, json={"status": "cancelled"}).status_code == 200
