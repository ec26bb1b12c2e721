"""A relay's outbox, bus and queues on real engines, and a tap on the bus."""

import json
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from pymongo import MongoClient
from pymongo.collection import Collection
from structlog.testing import capture_logs
from structlog.typing import EventDict

import relay.__main__
from contracts.outbox import OutboxRecord
from local.child import signal_child
from relay.__main__ import DaemonAdapters
from relay.feed_reader import PART, FeedReader
from relay.pipeline import Pipeline
from relay.settings import ChangeStreamRelaySettings, DynamoDBRelaySettings
from relay.sweeper import Backlog, Sweeper
from runtime.aws import Aws
from runtime.ids import utc_now
from runtime.metrics import RelayMetrics, new_registry
from runtime.mongodb import Document
from runtime.outbox.dynamodb_rows import to_item
from runtime.outbox.mongodb import MongoOutbox
from runtime.outbox.mongodb_rows import to_document
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.settings import WorkerSettings
from tests.conftest import MiniStack
from tests.integration.emulated import empty_aws
from tests.relay_fakes import record_of
from tests.threads import beside
from verification.testkit.fault_proxy import FaultProxy
from verification.testkit.launcher import LaunchedProcess, running
from verification.testkit.waiting import eventually

S = TypeVar("S", bound=WorkerSettings)

TABLE, BUS, DLQ, TAP = "outbox", "bus", "dlq", "tap"
FIFO, FIFO_DLQ = "events.fifo", "events-dlq.fifo"
COLLECTION = "outbox"


def records(count: int, *, aggregates: int = 1_000, prefix: str = "a") -> list[OutboxRecord]:
    """`count` events in rounds: each aggregate's first, then each aggregate's second.

    Their details have id, aggregate and sequence, so that the bus shows them.
    """
    return [a_keyed_record(f"{prefix}{n % aggregates}", n // aggregates + 1) for n in range(count)]


def a_keyed_record(aggregate_id: str, sequence: int, **changes: Any) -> OutboxRecord:
    event_id = f"{aggregate_id}-{sequence}"
    detail = {"id": event_id, "aggregate": aggregate_id, "sequence": sequence}
    values: dict[str, Any] = {"event_id": event_id, "detail": json.dumps(detail)}
    return record_of(aggregate_id, sequence, **values | changes)


def ids(of: Sequence[OutboxRecord]) -> set[str]:
    return {record.event_id for record in of}


@dataclass
class World:
    """An AWS region of the test's own, reached by the relay through a gate and by the test beside.

    Events on the bus are known by the details that `records` gives them.
    """

    aws: Aws
    gate: FaultProxy
    folder: Path
    region: str
    mongodb_uri: str | None = None
    database: str = field(default_factory=lambda: f"relay-{uuid4().hex[:8]}")
    arrived: list[tuple[str, str, int]] = field(default_factory=list)

    def environment(self, **changes: str) -> dict[str, str]:
        return {
            "AWS_REGION": self.region,
            "AWS_ENDPOINT_URL": self.gate.endpoint,
            "OUTBOX_TABLE": TABLE,
            "EVENT_BUS": BUS,
            "DEAD_LETTER_QUEUE": DLQ,
            "SWEEP_MIN_AGE_SECONDS": "30",
            **changes,
        }

    @contextmanager
    def relay(self, command: str, **changes: str) -> Iterator[LaunchedProcess]:
        """Run a relay until the block ends; it is at work when the block begins."""
        env = self.environment(**changes)
        with running(
            self.folder, "relay", command, env, port_name="HEALTH_PORT", is_measured=False
        ) as process:
            process.until_ready()
            yield process

    def provision_dynamodb(self) -> None:
        self.create_table()
        self.create_bus()
        self.create_queue(DLQ)

    def provision_forwarding(self, *, visibility_timeout: int = 60, max_receives: int = 3) -> None:
        self.create_bus()
        self.create_fifo_queues(visibility_timeout=visibility_timeout, max_receives=max_receives)

    def provision_change_stream(self) -> None:
        self.collection.database.create_collection(COLLECTION)
        self.collection.create_index([("occurredAt", 1), ("sequence", 1)], name="by-age")
        self.create_fifo_queues()

    def url(self, queue: str) -> str:
        return self.aws.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]

    def create_bus(self) -> None:
        """Make the bus, and a rule that sends all that is on it to a queue."""
        events, sqs = self.aws.client("events"), self.aws.client("sqs")
        events.create_event_bus(Name=BUS)
        url = sqs.create_queue(QueueName=TAP)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        events.put_rule(Name="all", EventBusName=BUS, EventPattern='{"source":[{"prefix":""}]}')
        targets: Any = [{"Id": "tap", "Arn": arn["QueueArn"]}]
        events.put_targets(Rule="all", EventBusName=BUS, Targets=targets)

    def create_queue(self, name: str, **attributes: str) -> None:
        fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        settings: Any = {**fifo, **attributes}
        self.aws.client("sqs").create_queue(QueueName=name, Attributes=settings)

    def create_fifo_queues(self, *, visibility_timeout: int = 60, max_receives: int = 3) -> None:
        self.create_queue(FIFO_DLQ)
        attributes = self.aws.client("sqs").get_queue_attributes(
            QueueUrl=self.url(FIFO_DLQ), AttributeNames=["QueueArn"]
        )["Attributes"]
        policy = {"deadLetterTargetArn": attributes["QueueArn"], "maxReceiveCount": max_receives}
        self.create_queue(
            FIFO, RedrivePolicy=json.dumps(policy), VisibilityTimeout=str(visibility_timeout)
        )

    def create_table(self, *, stream: bool = True) -> None:
        specification: Any = {"StreamEnabled": stream}
        client = self.aws.client("dynamodb")
        # A call whose answer comes late is sent again by boto3, and then meets its own table.
        with suppress(client.exceptions.ResourceInUseException):
            client.create_table(
                TableName=TABLE,
                KeySchema=[
                    {"AttributeName": "aggregateId", "KeyType": "HASH"},
                    {"AttributeName": "sequence", "KeyType": "RANGE"},
                ],
                AttributeDefinitions=[
                    {"AttributeName": "aggregateId", "AttributeType": "S"},
                    {"AttributeName": "sequence", "AttributeType": "N"},
                ],
                BillingMode="PAY_PER_REQUEST",
                StreamSpecification=specification
                | ({"StreamViewType": "NEW_IMAGE"} if stream else {}),
            )

    def put(self, *documents: dict[str, Any]) -> None:
        """Write documents to the outbox table, 25 at a time."""
        for start in range(0, len(documents), 25):
            some = documents[start : start + 25]
            requests: Any = [{"PutRequest": {"Item": to_item(each)}} for each in some]
            self.aws.client("dynamodb").batch_write_item(RequestItems={TABLE: requests})

    def commit(self, events: Sequence[OutboxRecord]) -> list[OutboxRecord]:
        """Write events to the outbox table as of now; returns them as they were written.

        Their times are the commit's: a sweep that follows an opening is for what was before it.
        """
        committed = [replace(event, occurred_at=utc_now()) for event in events]
        self.put(*(record.to_document() for record in committed))
        return committed

    def outbox(self) -> set[str]:
        """The ids of the events that are in the outbox table."""
        items: list[Any] = []
        for page in (
            self.aws.client("dynamodb")
            .get_paginator("scan")
            .paginate(TableName=TABLE, ConsistentRead=True)
        ):
            items += page["Items"]
        return {item["eventId"]["S"] for item in items if "eventId" in item}

    def on_bus(self) -> list[str]:
        """The ids of all events that were ever on the bus, in order, as often as they were."""
        for message in self.drained(TAP):
            event = json.loads(message["Body"])
            detail = event["detail"]
            self.arrived.append((detail["id"], detail["aggregate"], detail["sequence"]))
        return [event_id for event_id, _, _ in self.arrived]

    def sequences(self) -> dict[str, list[int]]:
        """By aggregate, the sequences on the bus in the order of their first arrival."""
        self.on_bus()
        found: dict[str, list[int]] = {}
        for _, aggregate, sequence in self.arrived:
            if sequence not in found.setdefault(aggregate, []):
                found[aggregate].append(sequence)
        return found

    def duplicates(self) -> int:
        return sum(count - 1 for count in Counter(self.on_bus()).values())

    def drained(self, queue: str) -> list[dict[str, Any]]:
        """Take all messages that a queue holds."""
        sqs, url = self.aws.client("sqs"), self.url(queue)
        messages: list[Any] = []
        while batch := sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages"):
            messages += batch
            sqs.delete_message_batch(
                QueueUrl=url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]}
                    for n, message in enumerate(batch)
                ],
            )
        return messages

    def until_on_bus(self, wanted: set[str], *, timeout: float = 60) -> None:
        eventually(lambda: wanted <= set(self.on_bus()), timeout=timeout, what="all on the bus")

    def until_published(self, *events: Sequence[OutboxRecord]) -> None:
        """All of them are on the bus, and the outbox table is empty."""
        self.until_on_bus(ids([*chain.from_iterable(events)]))
        eventually(lambda: not self.outbox(), what="an empty outbox")

    def carry(self, events: Sequence[OutboxRecord]) -> None:
        """Commit events, and wait until they are published."""
        self.until_published(self.commit(events))

    def in_order(self) -> bool:
        """Whether the events of each aggregate came to the bus in their sequence."""
        return all(found == sorted(found) for found in self.sequences().values())

    def insert(self, events: Sequence[OutboxRecord]) -> None:
        """Write events to the outbox collection as they are."""
        self.collection.insert_many(mongo_documents(events))

    def until_collection_is_empty(self) -> None:
        eventually(lambda: not self.collection.count_documents({}), what="an empty outbox")

    @cached_property
    def mongodb(self) -> MongoClient[Document]:
        assert self.mongodb_uri is not None
        return MongoClient(self.mongodb_uri)

    @property
    def collection(self) -> Collection[Document]:
        return self.mongodb[self.database][COLLECTION]

    def kill_cursors(self) -> int:
        """Kill every cursor on the outbox collection; returns how many there were."""
        found = [
            each["cursor"]["cursorId"]
            for each in self.operations(idle=True)
            if "cursorId" in each.get("cursor", {})
        ]
        self.mongodb[self.database].command({"killCursors": COLLECTION, "cursors": found})
        return len(found)

    def operations(self, *, idle: bool = False) -> list[dict[str, Any]]:
        """What the server does on the outbox collection just now, and the cursors it holds."""
        stages: list[dict[str, Any]] = [
            {"$currentOp": {"idleCursors": idle, "allUsers": True}},
            {"$match": {"ns": f"{self.database}.{COLLECTION}"}},
        ]
        return list(self.mongodb["admin"].aggregate(stages))


@contextmanager
def a_world(
    ministack: MiniStack,
    folder: Path,
    *,
    mongodb_uri: str | None = None,
    dynamodb: str | None = None,
) -> Iterator[World]:
    """A world on the emulator; its DynamoDB is at the endpoint `dynamodb`, if one is named."""
    aws = empty_aws(ministack, dynamodb=dynamodb)
    region = aws.client("sqs").meta.region_name
    with FaultProxy(ministack.endpoint, dynamodb=dynamodb).running() as gate:
        world = World(aws, gate, folder, region, mongodb_uri)
        yield world
        if "mongodb" in vars(world):
            world.mongodb.close()


def kill(process: LaunchedProcess) -> None:
    """kill -9, and wait until it is gone."""
    signal_child(process.child, signal.SIGKILL)
    process.child.wait(timeout=60)


def mongo_documents(committed: Sequence[OutboxRecord]) -> list[Document]:
    return [to_document(record) for record in committed]


def mongo_settings(world: World) -> dict[str, str]:
    return {
        "MONGODB_URI": str(world.mongodb_uri),
        "MONGODB_DATABASE": world.database,
        "OUTBOX_COLLECTION": "outbox",
        "FIFO_QUEUE": FIFO,
        "DEAD_LETTER_QUEUE": FIFO_DLQ,
    }


def send(world: World, committed: list[OutboxRecord]) -> None:
    for start in range(0, len(committed), 10):
        world.aws.client("sqs").send_message_batch(
            QueueUrl=world.url(FIFO),
            Entries=[
                {
                    "Id": str(n),
                    "MessageBody": record.to_json(),
                    "MessageGroupId": record.aggregate_id,
                    "MessageDeduplicationId": record.event_id,
                }
                for n, record in enumerate(committed[start : start + 10])
            ],
        )


def depth(world: World) -> int:
    """Messages in the FIFO queue, seen and unseen."""
    attributes = world.aws.client("sqs").get_queue_attributes(
        QueueUrl=world.url(FIFO), AttributeNames=["All"]
    )["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"]) + int(
        attributes["ApproximateNumberOfMessagesNotVisible"]
    )


@contextmanager
def in_threads(
    adapters: DaemonAdapters, *, min_age: float = 30, interval: float = 30
) -> Iterator[list[EventDict]]:
    """Run the parts of a relay as its process does, in threads of the test's own.

    Ages and intervals are in seconds. Gives what the relay logs, as it does.
    """
    stop, metrics, readiness = Stop(), RelayMetrics(new_registry()), Readiness(PART)
    pipeline = Pipeline(adapters, stop=stop, metrics=metrics)
    backlog = Backlog(
        adapters,
        pipeline.window,
        stop=stop,
        metrics=metrics,
        now=utc_now,
        min_age=timedelta(seconds=min_age),
        interval=timedelta(seconds=interval),
    )
    sweeper = Sweeper(backlog)
    reader = FeedReader(
        adapters.feed, sweeper, pipeline.window, stop=stop, readiness=readiness, now=utc_now
    )
    with capture_logs() as logged, ExitStack() as threads:
        if isinstance(adapters.outbox, MongoOutbox):
            threads.callback(adapters.outbox._mongo.database.client.close)
        for part in (pipeline.run, sweeper.run, reader.run):
            threads.enter_context(beside(part, stop.request))
        eventually(lambda: not readiness.reasons(), what="a relay at work")
        yield logged


def dynamodb_adapters(world: World) -> DaemonAdapters:
    """The adapters of `python -m relay dynamodb`, made as that process makes them."""
    settings = read(DynamoDBRelaySettings, world.environment(POLL_SECONDS="0.05"))
    return relay.__main__.dynamodb_adapters(settings, Stop())


def change_stream_adapters(world: World) -> DaemonAdapters:
    settings = read(ChangeStreamRelaySettings, world.environment(**mongo_settings(world)))
    return relay.__main__.change_stream_adapters(settings)


def read(settings: type[S], environment: dict[str, str]) -> S:
    """What a process reads from that environment."""
    values = {name.lower(): value for name, value in environment.items()}
    known = {name: values[name] for name in settings.model_fields if name in values}
    return settings(**known, health_port=0)
