"""A replica set whose primary goes, under the payment store and under the change-stream relay."""

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient, WriteConcern
from pymongo.errors import DuplicateKeyError, PyMongoError

from contracts.outbox import OutboxRecord
from infra.documentdb import provision_collections
from local.child import signal_child
from relay.adapters.change_stream import ChangeStream
from relay.ports import LostPosition
from runtime.errors import Conflict, Unavailable
from runtime.ids import utc_now
from runtime.mongodb import Document, Mongo, connect
from runtime.outbox.mongodb import MongoOutbox
from runtime.outbox.mongodb_rows import to_document
from services.payment.handlers import Handlers
from services.payment.model import Payment, PaymentNotFound, Status
from services.payment.store import OUTBOX_COLLECTION, PAYMENTS_COLLECTION, MongoStore
from tests.builders import ACCOUNT, a_cause
from tests.conftest import MiniStack
from tests.received import Received
from tests.relay_world import COLLECTION, World, a_world, mongo_settings, records
from tests.replica_set import ReplicaSet
from verification.testkit.waiting import eventually

WORKERS = 8

Fault = Callable[[ReplicaSet], None]


def step_down(members: ReplicaSet) -> None:
    members.step_down()


def kill_and_start_again(members: ReplicaSet) -> None:
    port = members.kill_primary()
    members.primary()
    members.start_again(port)


FAULTS = pytest.mark.parametrize("fault", [step_down, kill_and_start_again])


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaSet]:
    with ReplicaSet(tmp_path_factory.mktemp("replica-set")).running() as members:
        yield members


class Payments:
    """The payment service's handlers on a database of the test's own, and what is in it."""

    def __init__(self, client: MongoClient[Document]) -> None:
        self.database = client[f"payments-{uuid4().hex[:8]}"]
        provision_collections(self.database)
        self.store = MongoStore(Mongo(self.database))
        self.handlers = Handlers(self.store)

    def create(self, payment_id: str) -> Payment:
        return self.handlers.create(payment_id, ACCOUNT, a_cause())

    def cancel(self, payment_id: str) -> Payment:
        return self.handlers.cancel(payment_id, a_cause())

    def versions(self) -> dict[str, int]:
        return {each["_id"]: each["version"] for each in self.database[PAYMENTS_COLLECTION].find()}

    def events(self) -> dict[str, list[tuple[int, str]]]:
        """Of each payment in the outbox: its sequences and types, in order."""
        found: dict[str, list[tuple[int, str]]] = {}
        for each in self.database[OUTBOX_COLLECTION].find().sort("sequence", 1):
            event = each["sequence"], each["eventType"]
            found.setdefault(each["aggregateId"], []).append(event)
        return found

    def assert_whole(self) -> None:
        """Each version of each payment has exactly its one event, and there are no others."""
        happened = [(1, "PaymentCreated"), (2, "PaymentCancelled")]
        versions = self.versions()
        assert self.events() == {each: happened[:version] for each, version in versions.items()}


@pytest.fixture
def payments(members: ReplicaSet) -> Iterator[Payments]:
    members.primary()
    with connect(members.uri) as client:
        yield Payments(client)


NOT_NOW = (Unavailable, Conflict, PaymentNotFound)
"""Ways to say that nothing is known to have happened.

A new primary does not know at once how far the majority was: for a moment it shows an older state.
"""


def insist(act: Callable[[], Payment]) -> Payment:
    """Do as a consumer does: try until it is known to have happened."""

    def tried() -> Payment | None:
        try:
            return act()
        except NOT_NOW:
            return None

    return eventually(tried, timeout=40, what="an outcome", every=0.1)


@FAULTS
def test_a_primary_that_goes_in_the_middle_of_transactions(
    members: ReplicaSet, payments: Payments, fault: Fault
) -> None:
    """What was acknowledged is there, with one event for each version; nothing is half there.

    Half of the workers insist, and half take an unknown outcome for an answer.
    """
    enough = threading.Event()
    acknowledged: dict[str, int] = {}
    interrupted: Counter[str] = Counter()

    def work(worker: int) -> None:
        number = 0
        while not enough.wait(0.02):  # leaves the servers time for an election
            payment_id, number = f"{worker}-{number}", number + 1
            try:
                acknowledged[payment_id] = payments.create(payment_id).version
                acknowledged[payment_id] = payments.cancel(payment_id).version
            except NOT_NOW as error:
                interrupted[type(error).__name__] += 1
                if worker % 2:
                    insist(lambda: payments.create(payment_id))  # noqa: B023
                    acknowledged[payment_id] = insist(lambda: payments.cancel(payment_id)).version  # noqa: B023

    def go_on() -> None:
        seen = len(acknowledged)
        eventually(lambda: len(acknowledged) > seen + 20, timeout=60, what="more payments")

    with ThreadPoolExecutor(WORKERS) as workers:
        working = [workers.submit(work, worker) for worker in range(WORKERS)]
        try:
            go_on()
            while not interrupted:
                fault(members)
                go_on()
        finally:
            enough.set()
        for each in working:
            each.result()
    versions = payments.versions()
    assert all(versions.get(each, 0) >= version for each, version in acknowledged.items())
    payments.assert_whole()


@pytest.mark.parametrize("act", ["create", "cancel"])
@pytest.mark.parametrize(
    ("answer", "is_applied"),
    [
        pytest.param({"closeConnection": True}, False, id="no-answer"),
        pytest.param({"errorCode": 251}, False, id="251-and-not-applied"),
        pytest.param(
            {"writeConcernError": {"code": 251, "errmsg": "lost"}}, True, id="251-and-applied"
        ),
        pytest.param(
            {"writeConcernError": {"code": 64, "errmsg": "slow"}}, True, id="no-majority-in-time"
        ),
    ],
)
def test_a_commit_whose_outcome_is_unknown(
    members: ReplicaSet, payments: Payments, act: str, answer: dict[str, Any], is_applied: bool
) -> None:
    """It is told as an outage, and the next try decides on what there is: one event, once."""
    if act == "cancel":
        payments.create("p")
    change = payments.create if act == "create" else payments.cancel
    version = 2 if act == "cancel" else 1
    members.set_parameter("transactionLifetimeLimitSeconds", 2)  # a commit that never came
    data = {"failCommands": ["commitTransaction"], **answer}
    with members.failing("failCommand", data=data), pytest.raises(Unavailable):
        change("p")
    document = {"_id": "p", "version": version}
    assert members.has_alone(payments.database.name, PAYMENTS_COLLECTION, document) is is_applied
    assert insist(lambda: change("p")).version == version
    payments.assert_whole()
    members.set_parameter("transactionLifetimeLimitSeconds", 60)


def test_a_commit_that_only_a_lost_primary_had(members: ReplicaSet, payments: Payments) -> None:
    """Nobody is told of it while it can still be undone: neither a second try nor the relay."""
    with (
        ExitStack() as alone,
        connect(members.uri) as other,
        ThreadPoolExecutor(1) as first,
    ):
        mongo = Mongo(other[payments.database.name])
        store = MongoStore(mongo)
        stream = ChangeStream(mongo, OUTBOX_COLLECTION)
        stream.open()
        for port in members.secondaries():
            alone.enter_context(members.failing("stopReplProducer", port))
        trying = first.submit(payments.create, "p")
        eventually(
            lambda: members.has_alone(payments.database.name, PAYMENTS_COLLECTION, {"_id": "p"}),
            what="a commit on the primary alone",
        )
        assert store.get("p") is None
        assert not any(MongoOutbox(mongo, OUTBOX_COLLECTION).scan(utc_now()))
        assert not list(stream.read())
        port = members.kill_primary()
        alone.close()
        members.primary()
        with pytest.raises(Unavailable):
            trying.result()
        stream.close()
        assert insist(lambda: payments.create("p")).status is Status.ACTIVE
        members.start_again(port)
    payments.assert_whole()


@pytest.fixture
def world(ministack: MiniStack, members: ReplicaSet, tmp_path: Path) -> Iterator[World]:
    members.primary()
    with a_world(ministack, tmp_path, mongodb_uri=members.uri) as world:
        world.provision_change_stream()
        yield world


def commit(world: World, events: list[OutboxRecord]) -> None:
    """Write events one after the other, each as of now and once, whatever becomes of the primary.

    A mark in the same transaction tells a second try that the first one came through: the row
    itself may have been published and deleted by then.
    """
    marks = world.mongodb[world.database]["marks"]

    def written(event: OutboxRecord) -> bool:
        document = to_document(replace(event, occurred_at=utc_now()))
        try:
            with (
                world.mongodb.start_session() as session,
                session.start_transaction(write_concern=WriteConcern("majority")),
            ):
                marks.insert_one({"_id": event.event_id}, session=session)
                world.collection.insert_one(document, session=session)
        except DuplicateKeyError:
            return True
        except PyMongoError:
            return False
        return True

    for event in events:
        eventually(lambda: written(event), timeout=40, what="a primary", every=0.1)  # noqa: B023


@FAULTS
def test_a_primary_that_goes_in_the_middle_of_the_change_stream(
    members: ReplicaSet, world: World, fault: Fault
) -> None:
    """What is committed before, while and after another takes over is all sent, in sequence."""
    committed = records(160, aggregates=20)
    received = Received(world)
    with (
        world.relay("change-stream", **mongo_settings(world)),
        ThreadPoolExecutor(1) as writer,
    ):
        writing = writer.submit(commit, world, committed)
        received.until(committed[:40], timeout=40)
        fault(members)
        writing.result()
        received.until(committed, timeout=40)
        world.until_collection_is_empty()


def test_a_place_that_is_gone_from_the_oplog(members: ReplicaSet, world: World) -> None:
    """A relay that hung while the server forgot its place opens anew, and sweeps what it missed.

    Its cursor has died, so that the driver resumes by a token: 286. Who still has a cursor: 136.
    """
    before, meanwhile, after = (records(40, aggregates=10, prefix=name) for name in "xyz")
    received = Received(world)
    other = ChangeStream(Mongo(world.collection.database), COLLECTION)
    with world.relay("change-stream", **mongo_settings(world)) as process:
        commit(world, before)
        received.until(before)
        world.until_collection_is_empty()
        signal_child(process.child, signal.SIGSTOP)
        eventually(lambda: not world.operations(), what="an end of its last read")
        other.open()
        commit(world, meanwhile)
        members.forget_history()
        with pytest.raises(LostPosition, match="136"):
            list(other.read())
        world.kill_cursors()
        signal_child(process.child, signal.SIGCONT)
        received.until(meanwhile, timeout=40)
        commit(world, after)
        received.until(after)
        world.until_collection_is_empty()
    reasons = [line["reason"] for line in process.lines() if line["level"] == "warning"]
    assert reasons == ["code 286"]
