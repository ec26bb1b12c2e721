"""On a real mongod: no process opens more than it may, and what waits for that is never lost."""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast
from uuid import uuid4

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from infra.documentdb import provision_collections
from relay.adapters.change_stream import ChangeStream
from runtime.errors import Unavailable
from runtime.mongodb import Bound, Bounds, Document, Mongo, connect
from runtime.outbox.mongodb import MongoOutbox
from runtime.outbox.rows import Row
from runtime.verdicts import Family
from services.payment.handlers import Handlers
from services.payment.store import OUTBOX_COLLECTION, MongoStore
from tests.builders import a_cause
from tests.failing_mongod import FailingMongod, failing_mongod
from tests.integration.test_api_bad_input import problem
from tests.integration.test_processes import an_event
from tests.queues import make_queue
from tests.system import System, asking
from verification.testkit.waiting import eventually

TRANSACTIONS, CURSORS, CONNECTIONS = 3, 2, 5


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FailingMongod]:
    with failing_mongod(tmp_path_factory.mktemp("bounded-mongod")) as mongod:
        yield mongod


@pytest.fixture(scope="module")
def server(mongod: FailingMongod) -> Iterator[MongoClient[Document]]:
    """What asks the server what is open there."""
    with MongoClient[Document](mongod.uri) as client:
        yield client


@pytest.fixture
def database(mongod: FailingMongod) -> Iterator[Database[Document]]:
    with connect(mongod.uri, connections=CONNECTIONS) as client:
        database = client[f"test-{uuid4().hex[:8]}"]
        provision_collections(database)
        yield database
        client.drop_database(database)


def a_mongo(database: Database[Document]) -> Mongo:
    """One that waits for long, so that all of a crowd have their turn."""
    mongo = Mongo(database, bounds=Bounds(TRANSACTIONS, CURSORS, CONNECTIONS))
    mongo.transactions = Bound("transactions", TRANSACTIONS, longest_wait=30)
    return mongo


def opened(server: MongoClient[Document]) -> dict[str, int]:
    status = server.admin.command("serverStatus")
    return {
        "transactions": status["transactions"]["currentOpen"],
        "cursors": status["metrics"]["cursor"]["open"]["total"],
    }


def most_of(looks: Callable[[], int], work: list[Future[Any]]) -> int:
    """The most that was seen until all the work was done."""
    most = 0
    while not all(each.done() for each in work):
        most = max(most, looks())
    for each in work:
        each.result()
    return most


def test_a_crowd_of_commits_opens_as_many_transactions_as_it_may(
    mongod: FailingMongod, server: MongoClient[Document], database: Database[Document]
) -> None:
    """Forty threads, as an API has, and slow commits: never more than three, and all are made."""
    handlers = Handlers(MongoStore(a_mongo(database)))
    ids = [str(uuid4()) for _ in range(40)]
    with mongod.delaying("commitTransaction", 50), ThreadPoolExecutor(40) as pool:
        work = [pool.submit(handlers.create, each, "20000004", a_cause()) for each in ids]
        most = most_of(lambda: opened(server)["transactions"], work)
    assert 0 < most <= TRANSACTIONS
    assert database[OUTBOX_COLLECTION].count_documents({}) == len(ids)


def test_one_that_waits_too_long_is_an_outage_and_nothing_is_written(
    mongod: FailingMongod, database: Database[Document]
) -> None:
    """A throttle; the next try passes."""
    mongo = Mongo(database, bounds=Bounds(transactions=1))
    mongo.transactions = Bound("transactions", 1, longest_wait=0.1)
    handlers, late = Handlers(MongoStore(mongo)), str(uuid4())
    with mongod.delaying("commitTransaction", 1500), ThreadPoolExecutor(1) as pool:
        first = pool.submit(handlers.create, str(uuid4()), "20000004", a_cause())
        eventually(lambda: not mongo.transactions._free._value, what="a transaction")
        with pytest.raises(Unavailable, match="open transactions: 1") as refused:
            handlers.create(late, "20000004", a_cause())
        first.result()
    assert refused.value.family is Family.THROTTLED
    assert database["payments"].find_one({"_id": late}) is None
    assert handlers.create(late, "20000004", a_cause()).version == 1


@contextmanager
def payment_service(system: System, mongod: FailingMongod, **more: str) -> Iterator[System]:
    found = replace(
        system, mongodb_uri=mongod.uri, database=f"payments-{uuid4().hex[:8]}", more=more
    )
    with MongoClient[Document](mongod.uri) as client:
        provision_collections(client[found.database])
        yield found
        client.drop_database(found.database)


def test_an_api_that_may_open_none_answers_503(system: System, mongod: FailingMongod) -> None:
    """With Retry-After, for a change and for a list; what needs neither is served."""
    none = {"MONGODB_MAX_TRANSACTIONS": "0", "MONGODB_MAX_CURSORS": "0"}
    with payment_service(system, mongod) as payments:
        payment_id = str(uuid4())
        payments.payments.create(payment_id, "20000004", a_cause())
        with asking(replace(payments, more=none).app("payment")) as api:
            path = f"/payments/{payment_id}"
            for answer in (api.patch(path, json={"status": "cancelled"}), api.get("/payments")):
                found = problem(answer, 503, "unavailable")
                assert ": 0, as many as this process may have" in found["detail"]
                assert int(answer.headers["retry-after"]) > 0
            assert api.get(path).json()["status"] == "active"
            assert api.get("/readyz").status_code == 200


def test_a_consumer_handles_a_crowd_through_one_transaction(
    system: System,
    mongod: FailingMongod,
    server: MongoClient[Document],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Twenty threads wait for their turn, some for too long: those hold, and none is buried."""
    created = make_queue(system.aws)
    own = {
        "SUBSCRIPTION_CREATED_QUEUE": created.queue.name,
        "QUEUE_WAIT_SECONDS": "1",
        "MONGODB_MAX_TRANSACTIONS": "1",
        "MONGODB_MAX_CONNECTIONS": "2",
    }
    ids, folder = [str(uuid4()) for _ in range(20)], tmp_path_factory.mktemp("bounded-consumer")
    with (
        payment_service(system, mongod) as payments,
        payments.running(folder, "payment", "consumer", own, is_measured=False) as process,
    ):
        process.until_ready()
        with mongod.delaying("commitTransaction", 500), ThreadPoolExecutor(1) as pool:
            for each in ids:
                created.send(an_event(each, 1))
            emptied = pool.submit(eventually, created.empty, timeout=60, what="an empty queue")
            assert most_of(lambda: opened(server)["transactions"], [emptied]) == 1
        assert all(len(payments.outbox("payment", each)) == 1 for each in ids)
        reasons = [line["reason"] for line in process.lines() if line["event"] == "held"]
    assert any("open transactions: 1" in reason for reason in reasons)
    assert created.dead_letters() == {}


def test_an_abandoned_scan_leaves_no_cursor_open(
    server: MongoClient[Document], database: Database[Document]
) -> None:
    """Its cursor is closed at once, and another scan may open one."""
    handlers = Handlers(MongoStore(a_mongo(database)))
    for _ in range(12):
        handlers.create(str(uuid4()), "20000004", a_cause())
    outbox = MongoOutbox(Mongo(database, bounds=Bounds(cursors=1)), OUTBOX_COLLECTION, page=5)
    before = opened(server)["cursors"]
    for _ in range(3):
        scan = cast("Generator[Sequence[Row]]", outbox.scan())
        assert len(next(scan)) == 5
        assert opened(server)["cursors"] == before + 1
        scan.close()
        assert opened(server)["cursors"] == before
    assert sum(map(len, outbox.scan())) == 12


def test_a_change_stream_that_is_opened_again_holds_one_cursor(
    server: MongoClient[Document], database: Database[Document]
) -> None:
    """However often; closed, it holds none."""
    mongo = Mongo(database, bounds=Bounds(cursors=1))
    changes, before = ChangeStream(mongo, OUTBOX_COLLECTION), opened(server)["cursors"]
    for _ in range(3):
        changes.open()
        assert opened(server)["cursors"] == before + 1
    changes.close()
    assert opened(server)["cursors"] == before
    with mongo.cursors.taking():
        pass


def test_a_change_stream_that_cannot_be_opened_gives_its_place_back(
    mongod: FailingMongod, database: Database[Document]
) -> None:
    """The relay tries again for as long as it takes."""
    mongo = Mongo(database, bounds=Bounds(cursors=1))
    changes = ChangeStream(mongo, OUTBOX_COLLECTION)
    with mongod.with_code(42424, ["aggregate"]):
        for _ in range(2):
            with pytest.raises(Unavailable):
                changes.open()
    changes.open()
    changes.close()
