"""Where a customer's bank details and names are: in these places at some time, in no other.

In version 1 of the wire and in version 2, each on a system of its own.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from pymongo import MongoClient

from infra.local_system.addresses import aws_endpoint
from infra.local_system.environment import REGION
from infra.taps import taps_of
from infra.topology import TOPOLOGY
from runtime.aws import CachingAws
from tests.e2e.conftest import local
from tests.e2e.local_system import LocalSystem
from tests.e2e.world import World
from tests.integration.observability.story import Traced
from verification.testkit.waiting import eventually

NUMBER = "31415926"
PERSON = {
    "accountNumber": NUMBER,
    "accountName": "Q Zimmerwald",
    "accountSortCode": "27-18-28",
    "customerFirstName": "Quirina",
    "customerSurname": "Zimmerwald",
}

FORGOTTEN = {
    "accountNumber": "16180339",
    "accountName": "P Abendroth",
    "accountSortCode": "57-72-15",
    "customerFirstName": "Philine",
    "customerSurname": "Abendroth",
}
"""Who is erased: another person, so that the tests do not see each other's."""

KEPT = {
    # for as long as the subscription and the payment are kept; the last for a day
    "table subscriptions",
    "collection payments.payments",
    "collection local.oplog.rs",
}
"""In version 2 no other place has any of it."""

PLACES = KEPT | {
    # until the relay has published the event; the streams of both keep a row for a day
    "table subscriptions-outbox",
    "stream subscriptions-outbox",
    "collection payments.outbox",
    # until the message is handled, or dead-lettered
    "queue stock-subscription-created",
    "queue payments-subscription-created",
    "queue stock-payment-cancelled",
    "queue subscriptions-payment-cancelled",
    "queue payment-events.fifo",
    # as long as they keep what was on the bus
    *(f"log group {bus}-event-logs" for bus in ("subscriptions", "stock", "payments")),
    *(f"archive {bus}-bus-archive" for bus in ("subscriptions", "stock", "payments")),
}
"""In version 1; docs/security.md quotes both."""

EVENTS = {
    "subscriptions": {"SubscriptionCreated", "PaymentCancelled", "SubscriptionCancelled"},
    "stock": {"SubscriptionCreated", "PaymentCancelled"},
    "payments": {"SubscriptionCreated", "PaymentCreated", "PaymentCancelled"},
}
"""Of version 1 of the wire, which events carry it on which bus."""

CONSUMERS = ("subscription-consumer", "stock-consumer", "payment-consumer")
RELAYS = ("subscriptions-relay", "payments-change-stream", "payments-forward")


@dataclass
class Search:
    """Looks everywhere, and adds the places where a subscription is to `passed`.

    Those where any of the `person` is are added to `found`, those with the account number to
    `numbered`.
    """

    world: World
    version: int
    person: Mapping[str, str] = field(default_factory=lambda: PERSON)
    subscription_id: str = "not yet"
    passed: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=set)
    numbered: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._aws: Any = CachingAws(region=REGION, endpoint_url=aws_endpoint(self.world.settings))

    def until_in(self, *places: str) -> None:
        def is_there() -> bool:
            self.look()
            return self.passed >= set(places)

        eventually(is_there, timeout=100, every=0.5, what=f"it is in {', '.join(places)}")

    def look(self) -> None:
        for place, contents in chain(
            self._tables(),
            self._streams(),
            self._collections(),
            self._queues(),
            self._log_groups(),
            self._archives(),
        ):
            text = " ".join(map(str, contents))
            for places, words in (
                (self.passed, [self.subscription_id]),
                (self.found, self.person.values()),
                (self.numbered, [self.person["accountNumber"]]),
            ):
                if any(word in text for word in words):
                    places.add(place)

    def _tables(self) -> Iterator[tuple[str, Iterable[object]]]:
        dynamodb = self._aws.client("dynamodb")
        for name in dynamodb.list_tables()["TableNames"]:
            pages = dynamodb.get_paginator("scan").paginate(TableName=name)
            yield f"table {name}", (item for page in pages for item in page["Items"])

    def _streams(self) -> Iterator[tuple[str, Iterable[object]]]:
        for stream in self._aws.client("dynamodbstreams").list_streams()["Streams"]:
            yield f"stream {stream['TableName']}", self._records(stream["StreamArn"])

    def _records(self, stream: str) -> Iterator[object]:
        streams = self._aws.client("dynamodbstreams")
        for shard in streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]:
            iterator = streams.get_shard_iterator(
                StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            ).get("ShardIterator")
            while iterator:
                page = streams.get_records(ShardIterator=iterator)
                yield from page["Records"]
                iterator = page.get("NextShardIterator") if page["Records"] else None

    def _collections(self) -> Iterator[tuple[str, Iterable[object]]]:
        uri = f"mongodb://127.0.0.1:{self.world.settings.mongodb_port}/?directConnection=true"
        with MongoClient[dict[str, Any]](uri) as client:
            for database in client.list_database_names():
                for name in client[database].list_collection_names():
                    yield f"collection {database}.{name}", client[database][name].find()

    def _queues(self) -> Iterator[tuple[str, Iterable[object]]]:
        """One look a queue is enough, and each is a receive that counts against the message."""
        sqs = self._aws.client("sqs")
        for url in sqs.list_queues()["QueueUrls"]:
            place = f"queue {url.rsplit('/', 1)[-1]}"
            if place not in self.passed and not self._is_empty(url):
                received = sqs.receive_message(
                    QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0
                )
                yield place, received.get("Messages", ())

    def _is_empty(self, url: str) -> bool:
        visible = "ApproximateNumberOfMessages"
        found = self._aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[visible])
        return int(found["Attributes"][visible]) == 0

    def _log_groups(self) -> Iterator[tuple[str, Iterable[object]]]:
        logs = self._aws.client("logs")
        for group in logs.describe_log_groups()["logGroups"]:
            name = group["logGroupName"]
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name)
            yield f"log group {name}", (line for page in pages for line in page["events"])

    def _archives(self) -> Iterator[tuple[str, Iterable[object]]]:
        """An archive's contents cannot be read: it has what its pattern takes of what was there."""
        for archive in self._aws.client("events").list_archives()["Archives"]:
            name = archive["ArchiveName"]
            described = self._aws.client("events").describe_archive(ArchiveName=name)
            pattern = json.loads(described.get("EventPattern") or "{}")
            bus = archive["EventSourceArn"].rsplit("/", 1)[-1].removesuffix("-event-bus")
            yield (
                f"archive {name}",
                (
                    event
                    for event in self.world.events(bus)
                    if all(
                        field not in pattern or event[field] in pattern[field]
                        for field in ("source", "detail-type")
                    )
                ),
            )

    def replay_everything(self) -> None:
        """Replay each archive on its bus, and wait until what was erased has been on all again."""
        events = self._aws.client("events")
        for archive in events.list_archives()["Archives"]:
            described = events.describe_archive(ArchiveName=archive["ArchiveName"])
            events.start_replay(
                ReplayName=f"all-of-{archive['ArchiveName']}"[:64],
                EventSourceArn=described["ArchiveArn"],
                EventStartTime=datetime.now(UTC) - timedelta(hours=1),
                EventEndTime=datetime.now(UTC),
                Destination={"Arn": archive["EventSourceArn"]},
            )
        expected = {
            "subscriptions": {"SubscriptionCreated", "SubscriptionErased"},
            "stock": {"SubscriptionCreated", "StockAllocated"},
            "payments": {"PaymentCreated", "PaymentCancelled", "SubscriptionCreated"},
        }
        eventually(
            lambda: all(self._replayed(bus) >= types for bus, types in expected.items()),
            what="what was erased on every bus again",
        )
        eventually(lambda: not self.world.pending() and self._is_quiet(), what="empty queues")

    def _replayed(self, bus: str) -> set[str]:
        return {
            event["detail-type"]
            for event in self.world.events_of(bus, self.subscription_id)
            if event.get("replay-name")
        }

    def _is_quiet(self) -> bool:
        """Whether nothing waits in a work queue, or is in work."""
        depths = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        sqs = self._aws.client("sqs")
        return not any(
            int(depth)
            for queue in TOPOLOGY.queues
            if queue.redrive
            for depth in sqs.get_queue_attributes(
                QueueUrl=sqs.get_queue_url(QueueName=queue.name)["QueueUrl"], AttributeNames=depths
            )["Attributes"].values()
        )


@pytest.fixture(scope="module")
def searched(traced: Traced) -> Search:
    """In version 2, which `make up` has."""
    return lifecycle(traced.world, 2)


@pytest.fixture(scope="module")
def searched_in_clear(
    sample_credentials: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Search]:
    """In version 1."""
    with local(tmp_path_factory.mktemp("in-clear"), {"EVENT_VERSION": "1"}) as world:
        yield lifecycle(world, 1)


def lifecycle(world: World, version: int) -> Search:
    """A subscription waits at each place on its way, and is looked for there."""
    search = Search(world, version)
    for name in (*CONSUMERS, *RELAYS):
        world.system.kill(name)
    search.subscription_id = subscription_id = world.subscribe(**PERSON)
    search.until_in("table subscriptions", "table subscriptions-outbox")
    world.system.restart("subscriptions-relay")
    search.until_in("queue stock-subscription-created", "queue payments-subscription-created")
    for name in CONSUMERS:
        world.system.restart(name)
    world.until("stock", subscription_id, "allocated")
    world.until("payment", subscription_id, "active")
    search.until_in("collection payments.payments", "collection payments.outbox")
    for name in CONSUMERS:
        world.system.kill(name)
    world.system.restart("payments-change-stream")
    search.until_in("queue payment-events.fifo")
    world.system.restart("payments-forward")
    assert world.cancel_payment(subscription_id).status_code == 200
    search.until_in("queue stock-payment-cancelled", "queue subscriptions-payment-cancelled")
    for name in CONSUMERS:
        world.system.restart(name)
    world.until("subscription", subscription_id, "cancelled")
    world.until("stock", subscription_id, "deallocated")
    eventually(lambda: not world.pending(), what="empty outboxes")
    eventually(
        lambda: all(carried(world, subscription_id)[bus] >= EVENTS[bus] for bus in EVENTS),
        what="the last events on their buses",
    )
    search.look()
    assert search.passed >= PLACES
    return search


def carried(world: World, word: str) -> dict[str, set[str]]:
    """By bus, the types of event that had it in them."""
    return {
        bus: {event["detail-type"] for event in world.events(bus) if word in json.dumps(event)}
        for bus in EVENTS
    }


def places(found: set[str]) -> set[str]:
    """Without the taps, which stand for what EventBridge itself does."""
    return found - {f"queue {tap.queue}" for tap in taps_of(TOPOLOGY)}


def test_bank_details_and_names_are_where_they_are_kept_and_in_no_other_place(
    searched: Search,
) -> None:
    """Of all tables, streams, collections, queues, dead-letter queues, log groups and archives.

    The other details and the names are in subscriptions' table alone.
    """
    assert places(searched.found) == places(searched.numbered) == KEPT
    assert carried(searched.world, NUMBER) == {bus: set() for bus in EVENTS}


def test_in_version_1_the_account_number_is_in_no_other_place(searched_in_clear: Search) -> None:
    """Where events carry it: none that stock publishes, which needs no account number."""
    assert places(searched_in_clear.found) == places(searched_in_clear.numbered) == PLACES
    assert not {f"queue {each.name}" for each in TOPOLOGY.queues if not each.redrive} & PLACES
    assert carried(searched_in_clear.world, NUMBER) == EVENTS


def test_no_process_writes_it_to_its_log(searched: Search) -> None:
    """Whatever it logs of requests, events and failures; each of them wrote something."""
    system = searched.world.system
    assert isinstance(system, LocalSystem)
    lines = system.output.getvalue().splitlines()
    for name in searched.world.ours:
        assert any(line.startswith(name) for line in lines), name
    assert [line for line in lines if any(word in line for word in PERSON.values())] == []


def test_no_span_has_it(traced: Traced, searched: Search) -> None:
    """Neither in a name nor in an attribute, of which the lifecycle made many."""
    world = searched.world
    listed = world.http.get(
        f"{world.addresses['subscription']}/subscriptions?accountNumber={NUMBER}"
    )
    assert len(listed.json()["items"]) == 1
    name = "GET /subscriptions"
    eventually(
        lambda: [span for span in traced.receiver.spans if span.name == name],
        what="the span of a request that had the number in its query",
    )
    assert [span for span in traced.receiver.spans if NUMBER in str(span)] == []


def test_what_was_erased_is_nowhere_and_no_replay_brings_it_back(traced: Traced) -> None:
    """But for a day in the log of MongoDB's changes; every archive is replayed."""
    world = traced.world
    search = Search(world, 2, FORGOTTEN, world.subscribe(**FORGOTTEN))
    name = search.subscription_id
    world.until("stock", name, "allocated")
    world.until("payment", name, "active")
    search.look()
    assert places(search.found) == KEPT
    world.cancel(name, "other")
    world.until("stock", name, "deallocated")
    assert world.erase(name).json()["status"] == "erased"
    eventually(lambda: world.read("payment", name)["erasedAt"], what="the payment's erasure")

    assert erased_places(world, name) == {"collection local.oplog.rs"}
    search.replay_everything()
    assert erased_places(world, name) == {"collection local.oplog.rs"}
    assert world.read("payment", name)["status"] == "cancelled"


def erased_places(world: World, name: str) -> set[str]:
    """Where the erased person's details are, in a look that saw the subscription's tombstone."""
    search = Search(world, 2, FORGOTTEN, name)
    search.look()
    assert "table subscriptions" in search.passed
    return places(search.found)
