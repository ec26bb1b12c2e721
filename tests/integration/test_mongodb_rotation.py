"""A database password that is changed while our processes run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import pytest
from pymongo import MongoClient

from local.child import stop_child
from runtime.errors import Unavailable
from runtime.mongodb import Document, Mongo, refuses_credentials
from tests.conftest import MiniStack
from tests.guarded_mongod import GuardedMongod, a_guarded_mongod
from tests.integration.test_aws_rotation import put, until_not_ready
from tests.integration.test_processes import an_event
from tests.queues import TestQueue, make_queue
from tests.received import Received
from tests.relay_world import FIFO_DLQ, a_world, mongo_settings, records
from tests.system import System
from verification.testkit.launcher import LaunchedProcess
from verification.testkit.waiting import eventually

OLD, NEW = "s/e:c@r%t", "an0ther one"

Change = Callable[[GuardedMongod, str, str], None]
CHANGES = pytest.mark.parametrize(
    "change", [GuardedMongod.change_password, GuardedMongod.replace_user]
)


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedMongod]:
    with a_guarded_mongod(tmp_path_factory.mktemp("guarded")) as started:
        yield started


@pytest.fixture
def user(mongod: GuardedMongod) -> str:
    name = f"user-{uuid4().hex[:8]}"
    mongod.create_user(name, OLD)
    return name


@dataclass(frozen=True)
class Payments:
    """The payment service's processes, on a database and a queue of the test's own."""

    mongod: GuardedMongod
    system: System
    folder: Path
    queue: TestQueue

    @contextmanager
    def running(
        self, command: Literal["api", "consumer"], **credentials: str
    ) -> Iterator[LaunchedProcess]:
        settings = {
            "SUBSCRIPTION_CREATED_QUEUE": self.queue.queue.name,
            "QUEUE_WAIT_SECONDS": "1",
            **credentials,
        }
        with self.system.running(self.folder, "payment", command, settings) as process:
            yield process

    def order(self) -> str:
        self.queue.send(an_event(subscription_id := str(uuid4()), 1))
        return subscription_id

    def until_handled(self, subscription_id: str) -> None:
        with MongoClient[Document](self.mongod.root_uri) as client:
            payments = client[self.system.database]["payments"]
            eventually(lambda: payments.find_one({"_id": subscription_id}), what="the payment")
        eventually(self.queue.empty, what="an empty queue")
        assert not self.queue.dead_letters()


@pytest.fixture
def payments(
    mongod: GuardedMongod, ministack: MiniStack, system: System, tmp_path: Path
) -> Payments:
    found = replace(system, mongodb_uri=mongod.uri, database=f"payments-{uuid4().hex[:8]}")
    mongod.provision(found.database)
    return Payments(mongod, found, tmp_path, make_queue(system.aws))


@CHANGES
def test_a_consumer_takes_the_next_password_from_its_file(
    payments: Payments, user: str, tmp_path: Path, change: Change
) -> None:
    """Until it is there it is not ready and holds what it has: nothing is dead-lettered."""
    put(tmp_path / "password", f"{OLD}\n")
    with payments.running(
        "consumer", MONGODB_USERNAME=user, MONGODB_PASSWORD_FILE=str(tmp_path / "password")
    ) as process:
        process.until_ready()
        payments.until_handled(payments.order())
        change(payments.mongod, user, NEW)
        held = payments.order()
        until_not_ready(process)
        answer = process.get("/readyz")
        assert answer is not None
        assert "MongoDB is unavailable: code" in answer.text
        put(tmp_path / "password", NEW)
        payments.until_handled(held)
        process.until_ready()


@CHANGES
def test_an_api_takes_the_next_password_from_its_file(
    payments: Payments, user: str, tmp_path: Path, change: Change
) -> None:
    """Until it is there it answers 503, to a readiness probe too, and never 500."""
    put(tmp_path / "password", OLD)
    with payments.running(
        "api", MONGODB_USERNAME=user, MONGODB_PASSWORD_FILE=str(tmp_path / "password")
    ) as process:
        process.until_ready()

        def status() -> int:
            answer = process.get("/payments")
            assert answer is not None
            assert ("retry-after" in answer.headers) == (answer.status_code == 503)
            return answer.status_code

        assert status() == 200
        change(payments.mongod, user, NEW)
        until_not_ready(process)
        assert status() == 503
        put(tmp_path / "password", NEW)
        process.until_ready()
        assert status() == 200


@CHANGES
def test_a_relay_takes_the_next_password_from_its_file(
    mongod: GuardedMongod, ministack: MiniStack, user: str, tmp_path: Path, change: Change
) -> None:
    """What is committed meanwhile stays in the outbox, and leaves once and in order."""
    put(tmp_path / "password", OLD)
    with a_world(ministack, tmp_path, mongodb_uri=mongod.root_uri) as world:
        world.provision_change_stream()
        settings: dict[str, Any] = mongo_settings(world) | {
            "MONGODB_URI": mongod.uri,
            "MONGODB_USERNAME": user,
            "MONGODB_PASSWORD_FILE": str(tmp_path / "password"),
            "SWEEP_MIN_AGE_SECONDS": "1",
            "SWEEP_INTERVAL_SECONDS": "1",
        }
        before, meanwhile = records(6, aggregates=2), records(6, aggregates=2, prefix="b")
        received = Received(world)
        with world.relay("change-stream", **settings) as process:
            world.insert(before)
            received.until(before)
            change(mongod, user, NEW)
            until_not_ready(process)
            world.insert(meanwhile)
            put(tmp_path / "password", NEW)
            received.until(meanwhile)
            process.until_ready()
            world.until_collection_is_empty()
        assert not world.drained(FIFO_DLQ)


def test_a_password_in_the_environment_needs_a_new_process_and_loses_nothing(
    payments: Payments, user: str
) -> None:
    """As docs/deploy.md has it: the old one waits with its message, the next one handles it."""
    with payments.running("consumer", MONGODB_USERNAME=user, MONGODB_PASSWORD=OLD) as process:
        process.until_ready()
        payments.mongod.change_password(user, NEW)
        held = payments.order()
        until_not_ready(process)
        assert stop_child(process.child)
        assert process.child.returncode == 0
    assert not payments.queue.empty()
    with payments.running("consumer", MONGODB_USERNAME=user, MONGODB_PASSWORD=NEW) as process:
        process.until_ready()
        payments.until_handled(held)


def test_a_process_that_starts_with_the_old_password_waits(payments: Payments, user: str) -> None:
    """A task that starts in the middle of a rotation buries nothing, and the next one handles."""
    payments.mongod.change_password(user, NEW)
    held = payments.order()
    with payments.running("consumer", MONGODB_USERNAME=user, MONGODB_PASSWORD=OLD) as process:
        eventually(lambda: "code 18" in process.output.read_text(), what="a refusal")
        until_not_ready(process)
    assert not payments.queue.empty()
    with payments.running("consumer", MONGODB_USERNAME=user, MONGODB_PASSWORD=NEW):
        payments.until_handled(held)


def test_a_client_that_was_replaced_may_be_closed_under_its_cursor(
    mongod: GuardedMongod, user: str
) -> None:
    """A sweep that outlives its client by a minute is an outage, and the next one begins again."""
    passwords = iter([OLD, NEW])
    mongo = Mongo.at(mongod.uri, "rotated", lambda: {"username": user, "password": next(passwords)})
    mongo.database["rows"].insert_many({} for _ in range(4))
    before = mongo.database.client
    cursor = mongo.database["rows"].find().batch_size(2)
    next(cursor)
    mongod.change_password(user, NEW)
    with pytest.raises(Unavailable) as refused, mongo.reaching():
        mongo.database["rows"].find_one()
    assert refuses_credentials(refused.value)
    with mongo.reaching():
        assert mongo.database["rows"].find_one()
    assert mongo.database.client is not before
    before.close()
    with pytest.raises(Unavailable), mongo.reaching():
        list(cursor)
