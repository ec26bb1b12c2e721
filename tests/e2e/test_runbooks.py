"""The runbook of a restore, on the running system: docs/how-to/restore-a-database.md."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from pymongo import MongoClient

from contracts.timestamps import format_timestamp
from infra.local_system.addresses import DATABASE
from infra.local_system.settings import ROOT
from local.process_table import our_processes
from operations.audit.report import FindingKind
from tests.e2e.conftest import local
from tests.e2e.operated import Operator
from tests.e2e.world import ORDER, World
from verification.testkit.waiting import eventually

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAGE = ROOT / "docs" / "how-to" / "restore-a-database.md"
PAYMENTS = ("payment-api", "payment-consumer", "payments-change-stream")
SUBSCRIPTIONS = ("subscription-api", "subscription-consumer", "subscriptions-relay")


@pytest.fixture(scope="module")
def apart(sample_credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A system of this module's own, since its databases go back in time."""
    with local(tmp_path_factory.mktemp("restored")) as world:
        yield world


@dataclass(frozen=True)
class Site:
    """The system, and what an operator does there by hand."""

    world: World
    operator: Operator

    @cached_property
    def environments(self) -> dict[str, Any]:
        return {each.name: each.env for each in our_processes(self.world.settings)}

    def stop(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.world.system.kill(name)

    def start(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.world.system.restart(name)
        self.world.system.wait_ready()

    def ids_since(self, moment: datetime, bus: str, event_type: str) -> list[str]:
        """Of the events of a type in a bus's log, as the runbook's command finds them."""
        return [
            event["detail"]["subscriptionId"]
            for event in self.world.events(bus)
            if event["detail-type"] == event_type
            and event["detail"]["metadata"]["occurredAt"] >= format_timestamp(moment)
        ]

    def lost(self) -> set[tuple[str, str]]:
        """The changes since this test began of which only the bus knows: event and aggregate.

        A change that was made again since has two events. There is no other difference.
        """
        found = self.operator.audit().differences
        by_kind = {
            kind: {(each.event_type, each.aggregate_id) for each in found if each.kind is kind}
            for kind in FindingKind
        }
        lost = by_kind.pop(FindingKind.NOT_COMMITTED) - by_kind.pop(FindingKind.TWO_EVENTS)
        assert not any(by_kind.values()), by_kind
        return lost

    def erase(self, service: str, ids: list[str]) -> None:
        """Run the service's command with the environment of its API."""
        subprocess.run(
            [sys.executable, "-m", f"services.{service}.main", "erase"],
            cwd=ROOT,
            env={**self.environments[f"{service}-api"], "ERASE_IDS": ",".join(ids)},
            check=True,
            timeout=60,
        )

    def put_back(self, table: str, copy: str) -> None:
        """Run the script of the page, as printed."""
        (script,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
        subprocess.run(
            [sys.executable, "-c", script],
            env={**self.environments["subscription-api"], "TABLE": table, "COPY": copy},
            check=True,
            timeout=60,
        )

    def replay(self, bus: str, since: datetime) -> None:
        code, _ = self.operator.run("replay", "--bus", bus, "--from", format_timestamp(since))
        assert code == 0

    def quiet(self) -> None:
        eventually(lambda: not self.world.pending(), timeout=60, what="empty outboxes")


@pytest.fixture
def site(apart: World, tmp_path: Any) -> Site:
    return Site(apart, Operator(apart, tmp_path, since=datetime.now(UTC)))


@dataclass(frozen=True)
class Documents:
    """Payments' database, and a copy of it."""

    uri: str

    def copy(self) -> dict[str, list[Any]]:
        with MongoClient[Any](self.uri) as client:
            return {name: list(client[DATABASE][name].find()) for name in ("payments", "outbox")}

    def restore(self, copy: dict[str, list[Any]]) -> None:
        with MongoClient[Any](self.uri) as client:
            for name, documents in copy.items():
                client[DATABASE][name].delete_many({})
                if documents:
                    client[DATABASE][name].insert_many(documents)


@dataclass(frozen=True)
class Tables:
    """Subscriptions' tables, and a copy of them."""

    dynamodb: "DynamoDBClient"

    def copy(self) -> dict[str, list[Any]]:
        return {
            name: self.dynamodb.scan(TableName=name)["Items"]
            for name in ("subscriptions", "subscriptions-outbox")
        }

    def restored(self, copy: dict[str, list[Any]]) -> Iterator[tuple[str, str]]:
        """Make a table beside each, as DynamoDB restores one; yield the names of both."""
        for name, rows in copy.items():
            table, restored = self.dynamodb.describe_table(TableName=name)["Table"], f"{name}-copy"
            keys = {each["AttributeName"] for each in table["KeySchema"]}
            self.dynamodb.create_table(
                TableName=restored,
                KeySchema=table["KeySchema"],
                AttributeDefinitions=[
                    each for each in table["AttributeDefinitions"] if each["AttributeName"] in keys
                ],
                BillingMode="PAY_PER_REQUEST",
            )
            for row in rows:
                self.dynamodb.put_item(TableName=restored, Item=row)
            yield name, restored


def active(world: World) -> str:
    subscription_id = world.subscribe()
    world.until("payment", subscription_id, "active")
    world.until("stock", subscription_id, "allocated")
    return subscription_id


def subscribe(world: World, key: str) -> str:
    answer = world.http.post(
        f"{world.addresses['subscription']}/subscriptions",
        json=ORDER,
        headers={"Idempotency-Key": key},
    )
    assert answer.status_code == 201
    subscription_id: str = answer.json()["subscriptionId"]
    return subscription_id


def end(world: World, subscription_id: str) -> None:
    """As the bank does."""
    assert world.cancel_payment(subscription_id).status_code == 200
    world.until("subscription", subscription_id, "cancelled")
    world.until("stock", subscription_id, "deallocated")


def erase(world: World, subscription_id: str) -> None:
    assert world.erase(subscription_id).status_code == 200
    eventually(
        lambda: world.read("payment", subscription_id).get("erasedAt"), what="an erased payment"
    )


def test_payments_restored_to_an_earlier_time(site: Site) -> None:
    """Erased again before anything starts; what happened since comes back by a replay."""
    # Given payments of which one's event has not left the outbox, and a copy of that moment
    world, documents = site.world, Documents(site.operator.environment.mongodb_uri)
    kept, ended, erased = (active(world) for _ in range(3))
    site.quiet()
    world.system.kill("payments-change-stream")
    pending = world.subscribe()
    eventually(lambda: world.pending() == {"payment": 1}, timeout=60, what="one event left")
    copy, restored_to = documents.copy(), datetime.now(UTC)
    site.start(("payments-change-stream",))
    eventually(lambda: world.events_of("payments", pending, "PaymentCreated"), what="its event")

    # And since then one that ended, one that began, and one that was erased
    end(world, ended)
    begun = active(world)
    end(world, erased)
    erase(world, erased)
    site.quiet()

    # When the database is restored to that moment, while nothing uses it
    site.stop(PAYMENTS)
    documents.restore(copy)
    numbers = {each["_id"]: each["accountNumber"] for each in documents.copy()["payments"]}
    assert numbers[erased] is not None
    assert begun not in numbers

    # Then what was erased since is erased again before anything starts
    assert site.ids_since(restored_to, "subscriptions", "SubscriptionErased") == [erased]
    site.erase("payment", [erased])
    numbers = {each["_id"]: each["accountNumber"] for each in documents.copy()["payments"]}
    assert numbers[erased] is None
    assert numbers[kept] is not None

    # And a replay of what others published since brings the rest back
    site.start(PAYMENTS)
    assert world.status("payment", ended) == "active"
    site.replay("subscriptions-event-bus", restored_to)
    world.until("payment", begun, "active")

    # And what the bank ended since, which payments itself published, is ended again
    for each in site.ids_since(restored_to, "payments", "PaymentCancelled"):
        assert world.cancel_payment(each).status_code == 200
    assert world.status("payment", ended) == "cancelled"
    assert world.status("payment", erased) == "cancelled"
    assert world.read("payment", erased)["accountNumber"] is None
    assert {world.status("payment", each) for each in (kept, pending)} == {"active"}

    # And the event that was in the outbox then is sent again, which the FIFO queue forgets
    site.quiet()
    assert len(world.events_of("payments", pending, "PaymentCreated")) == 1
    for each, status in ((kept, "active"), (pending, "active"), (ended, "cancelled")):
        world.until("subscription", each, status)
    assert site.lost() == set()


def test_subscriptions_restored_to_an_earlier_time(site: Site) -> None:
    """What ended since ends again; what began since is known to others, and to its customer."""
    world = site.world
    tables = Tables(site.operator.environment.aws("subscriptions").client("dynamodb"))
    kept, ended, erased = (active(world) for _ in range(3))
    site.quiet()
    world.system.kill("subscriptions-relay")
    pending = world.subscribe()
    copy, restored_to = tables.copy(), datetime.now(UTC)
    site.start(("subscriptions-relay",))
    world.until("payment", pending, "active")
    end(world, ended)
    key = str(uuid4())
    begun = subscribe(world, key)
    world.until("payment", begun, "active")
    end(world, erased)
    erase(world, erased)
    site.quiet()

    # When the tables are restored to that moment, while nothing uses them
    site.stop(SUBSCRIPTIONS)
    for table, restored in tables.restored(copy):
        site.put_back(table, restored)
    assert tables.copy() == copy

    # Then what was erased since is erased again before anything starts
    assert site.ids_since(restored_to, "subscriptions", "SubscriptionErased") == [erased]
    site.erase("subscription", [erased, begun])  # of `begun` there is nothing
    rows = {row["subscriptionId"]["S"]: row for row in tables.copy()["subscriptions"]}
    assert "accountNumber" not in rows[erased]
    assert "accountNumber" in rows[kept]

    # And a replay of the payments that ended since ends their subscriptions again
    site.start(SUBSCRIPTIONS)
    assert world.status("subscription", ended) == "active"
    site.replay("payments-event-bus", restored_to)
    world.until("subscription", ended, "cancelled")
    assert world.status("subscription", kept) == "active"
    assert world.status("subscription", erased) == "erased"

    # And the event that was in the outbox then is published again, which changes nothing
    site.quiet()
    eventually(
        lambda: len(world.events_of("subscriptions", pending, "SubscriptionCreated")) == 2,
        what="its event again",
    )
    assert world.status("payment", pending) == "active"

    # And what began since is still debited: the audit names it
    site.quiet()
    assert world.read("subscription", begun) == {}
    assert world.status("payment", begun) == "active"
    assert site.lost() == {("SubscriptionCreated", begun)}

    # And its customer's request, sent again, brings it back as it was
    assert subscribe(world, key) == begun
    world.until("subscription", begun, "active")
    site.quiet()
    assert world.status("payment", begun) == "active"
    assert site.lost() == set()
