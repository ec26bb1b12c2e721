"""The stores that the suite is run over, each on its engine, with the faults it can suffer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import uuid4

from pymongo import MongoClient

from contracts.outbox import MAX_RECORD_BYTES, OutboxRecord
from infra.documentdb import provision_collections
from infra.domains.stock import DOMAIN as STOCK_DOMAIN
from infra.domains.subscriptions import DOMAIN as SUBSCRIPTION_DOMAIN
from infra.local_tables import render_tables
from infra.resources import Domain
from infra.topology import Topology
from runtime.errors import Unavailable
from runtime.mongodb import Document, Mongo
from runtime.outbox.dynamodb import MAX_ITEM_BYTES
from runtime.outbox.dynamodb_rows import from_item
from services.payment.store import MongoStore
from services.stock.store import DynamoStore as StockStore
from services.subscription.store import DynamoStore as SubscriptionStore
from tests.fakes import (
    Hooks,
    MemoryPayments,
    MemoryStock,
    MemoryStore,
    MemorySubscriptions,
    Plan,
    nothing,
)
from tests.integration.store_suite.kinds import PAYMENT, STOCK, SUBSCRIPTION, Kind
from verification.testkit.tcp_proxy import TcpProxy


class Faults(Protocol):
    """What can go wrong between a store and its engine, until it is restored."""

    def cut(self) -> None: ...
    def swallow_commits(self) -> None: ...
    def lose_answers_to_commits(self) -> None: ...
    def lose_one_answer_to_a_commit(self) -> None: ...
    def never_answer_commits(self) -> None: ...
    def restore(self) -> None: ...


@dataclass(frozen=True)
class Subject:
    """A store under test.

    `impatient` is the same store with a client that waits a fraction of a second for an answer.
    `outbox` reads what is in the engine, whatever the faults; `without_outbox` makes the same
    store, but its engine refuses the outbox's part of a commit of the given record.
    """

    kind: Kind
    store: Any
    impatient: Any
    outbox: Callable[[], list[OutboxRecord]]
    without_outbox: Callable[[OutboxRecord], Any]
    faults: Faults
    largest_record: int
    driver_retries: bool
    settle: Callable[[], None] = nothing


class MemoryFaults:
    def __init__(self) -> None:
        self.at_read, self.at_commit, self.at_outbox, self.at_answer = (Plan() for _ in range(4))
        self.hooks = Hooks(self.at_read, self.at_commit, self.at_outbox, self.at_answer)

    def cut(self) -> None:
        self.at_read.action = self.at_commit.action = self.refuse

    def swallow_commits(self) -> None:
        self.at_commit.action = self.refuse

    def lose_answers_to_commits(self) -> None:
        self.at_answer.action = self.refuse

    def lose_one_answer_to_a_commit(self) -> None:
        self.at_answer.once(self.refuse)

    def never_answer_commits(self) -> None:
        self.at_answer.action = self.refuse

    def restore(self) -> None:
        for plan in (self.at_read, self.at_commit, self.at_outbox, self.at_answer):
            plan.action = nothing

    def refuse(self) -> None:
        raise Unavailable("memory", "as planned")


class WireFaults:
    def __init__(self, wire: TcpProxy, commit: bytes) -> None:
        self._wire, self._commit = wire, commit
        self.cut, self.restore = wire.cut, wire.restore

    def swallow_commits(self) -> None:
        self._wire.swallow(self._commit)

    def lose_answers_to_commits(self) -> None:
        self._wire.lose_answers_to(self._commit)

    def lose_one_answer_to_a_commit(self) -> None:
        self._wire.lose_answers_to(self._commit, times=1)

    def never_answer_commits(self) -> None:
        self._wire.lose_answers_to(self._commit, is_silent=True)


def memory(kind: Kind) -> Subject:
    faults = MemoryFaults()
    store: MemoryStore[Any]
    if kind is SUBSCRIPTION:
        store = MemorySubscriptions(faults.hooks, largest=MAX_ITEM_BYTES, cuts_pages=True)
    elif kind is STOCK:
        store = MemoryStock(faults.hooks, largest=MAX_ITEM_BYTES, cuts_pages=True)
    else:
        store = MemoryPayments(faults.hooks)

    def without_outbox(_: OutboxRecord) -> Any:
        faults.at_outbox.action = faults.refuse
        return store

    return Subject(
        kind=kind,
        store=store,
        impatient=store,
        outbox=lambda: list(store.outbox),
        without_outbox=without_outbox,
        faults=faults,
        largest_record=MAX_RECORD_BYTES if kind is PAYMENT else MAX_ITEM_BYTES,
        driver_retries=False,
    )


@dataclass(frozen=True)
class Clients:
    """Of one engine; all but `direct` go by the wire."""

    direct: Any
    wired: Any
    impatient: Any
    wire: TcpProxy


def dynamodb(kind: Kind, clients: Clients) -> Subject:
    """On tables of its own, made from the topology."""
    domain = SUBSCRIPTION_DOMAIN if kind is SUBSCRIPTION else STOCK_DOMAIN
    run = uuid4().hex[:8]
    tables = tuple(replace(table, name=f"{run}-{table.name}") for table in domain.tables)
    render_tables(clients.direct, Topology((Domain(domain.name, tables=tables),)))
    rows, outbox, *more = (table.name for table in tables)

    def adapter(client: Any, table: str = outbox) -> SubscriptionStore | StockStore:
        if kind is SUBSCRIPTION:
            return SubscriptionStore(client, table=rows, outbox=table)
        return StockStore(client, table=rows, outbox=table, inventory=more[0])

    def read_outbox() -> list[OutboxRecord]:
        items = clients.direct.scan(TableName=outbox, ConsistentRead=True)["Items"]
        found = [OutboxRecord.from_document(from_item(item)) for item in items]
        return sorted(found, key=lambda record: record.key)

    return Subject(
        kind=kind,
        store=adapter(clients.wired),
        impatient=adapter(clients.impatient),
        outbox=read_outbox,
        without_outbox=lambda _: adapter(clients.wired, "nowhere-to-be-found"),
        faults=WireFaults(clients.wire, b"DynamoDB_20120810.TransactWriteItems"),
        largest_record=MAX_ITEM_BYTES,
        driver_retries=True,
    )


@contextmanager
def mongodb(clients: Clients) -> Iterator[Subject]:
    """In a database of its own, made as the topology says and dropped afterwards."""
    direct: MongoClient[Document] = clients.direct
    database = direct[f"test-{uuid4().hex[:8]}"]
    provision_collections(database)
    store = MongoStore(Mongo(clients.wired[database.name]))

    def read_outbox() -> list[OutboxRecord]:
        found = [OutboxRecord.from_document(document) for document in database["outbox"].find()]
        return sorted(found, key=lambda record: record.key)

    def without_outbox(record: OutboxRecord) -> MongoStore:
        refused = {"eventId": {"$ne": record.event_id}}
        database.command("collMod", "outbox", validator=refused)
        return store

    yield Subject(
        kind=PAYMENT,
        store=store,
        impatient=MongoStore(Mongo(clients.impatient[database.name])),
        outbox=read_outbox,
        without_outbox=without_outbox,
        faults=WireFaults(clients.wire, b"commitTransaction"),
        largest_record=MAX_RECORD_BYTES,
        driver_retries=True,
        settle=lambda: _abort_abandoned_transactions(direct),
    )
    _abort_abandoned_transactions(direct)
    direct.drop_database(database.name)


def _abort_abandoned_transactions(direct: MongoClient[Document]) -> None:
    """A transaction whose commit never arrived holds its locks for a minute; we do not wait."""
    idle = direct.admin.aggregate(
        [
            {"$currentOp": {"allUsers": True, "idleSessions": True}},
            {"$match": {"type": "idleSession", "transaction": {"$exists": True}}},
        ]
    )
    sessions = [{"id": operation["lsid"]["id"]} for operation in idle]
    if sessions:
        direct.admin.command("killSessions", sessions)


def an_aggregate(subject: Subject, identity: str = "one", *, group: int = 0, at: int = 0) -> Any:
    return subject.kind.make(identity, subject.kind.groups[group], at)


def committed(subject: Subject, identity: str = "one", *, group: int = 0, at: int = 0) -> Any:
    aggregate = an_aggregate(subject, identity, group=group, at=at)
    subject.store.commit(aggregate, subject.kind.record(aggregate), replaces=None)
    return aggregate
