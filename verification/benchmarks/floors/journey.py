"""The raw hops of a journey, one by one: what the engines alone take from commit to effect.

Each hop is one call, made as soon as the one before has its answer; a long poll is already waiting
for what comes to a queue. What a journey takes above is the system's: polling and work.
"""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any
from uuid import uuid4

from botocore.exceptions import EndpointConnectionError
from pymongo import MongoClient
from pymongo.change_stream import CollectionChangeStream
from pymongo.collection import Collection

from runtime.sqs.queue import find_url
from verification.benchmarks.floors.aws import stream_end
from verification.load.queues import tap
from verification.testkit.engines import Engines

Hop = Callable[[str], object]
"""Does its part for the journey of that name, and returns when the next may begin."""

_DETAIL = {"load": "raw", "text": "x" * 400}
SOURCE, TYPE = "app.raw", "Raw"

PHASE = 0.1
"""Seconds between the looks of MiniStack's long poll at its queue: a journey begins at any moment
between two, as a customer's does, where one right after the other would always wait for all of it.
"""


class Hops:
    """Hops on tables, a collection, a bus and queues of its own."""

    def __init__(self, engines: Engines) -> None:
        aws = engines.aws
        self._dynamodb: Any = aws.client("dynamodb")
        self._streams: Any = aws.client("dynamodbstreams")
        self._events: Any = aws.client("events")
        self._sqs: Any = aws.client("sqs")
        self._bus, next_bus = _buses(self._events)
        self._table, self._effects = (_table(self._dynamodb) for _ in range(2))
        self._iterator = stream_end(self._table, self._dynamodb, self._streams)
        queue = find_url(self._sqs, tap(aws, next_bus, _DETAIL["load"]))
        self._fifo = self._sqs.create_queue(
            QueueName=_name(".fifo"), Attributes={"FifoQueue": "true"}
        )["QueueUrl"]
        self._arrivals = _LongPoll(self._sqs, queue)
        self._fifo_arrivals = _LongPoll(self._sqs, self._fifo)
        self._mongodb: MongoClient[dict[str, Any]] = MongoClient(engines.mongodb_uri)
        database = self._mongodb[engines.database]
        self._rows, self._outbox, self._payments = (
            database.create_collection(_name()) for _ in range(3)
        )
        self._changes: CollectionChangeStream[dict[str, Any]] = self._outbox.watch()

    def journeys(self) -> Mapping[str, Callable[[], float]]:
        """By effect, the hops to it, in seconds: its database is what the last of them writes to.

        From a customer's commit, through a stream and two buses; or from a payment's, through a
        change stream, a FIFO queue and two buses.
        """
        on_buses: list[Hop] = [self._publish, self._arrivals.take]
        created: list[Hop] = [partial(self._transact, self._table), self._read_stream, *on_buses]
        cancelled: list[Hop] = [
            partial(self._insert, self._outbox),
            lambda _: self._changes.next(),
            self._send,
            self._fifo_arrivals.take,
            *on_buses,
        ]
        effect = partial(self._transact, self._effects)
        payment = partial(self._insert, self._payments)
        return {
            "allocated": partial(self._timed, created, effect),
            "paid": partial(self._timed, created, payment),
            "given back": partial(self._timed, cancelled, effect),
            "cancelled": partial(self._timed, cancelled, effect),
        }

    def _read_stream(self, _: str) -> None:
        """Ask until it tells: both items of a transaction come at once."""
        records: list[Any] = []
        while not records:
            answer = self._streams.get_records(ShardIterator=self._iterator, Limit=1000)
            self._iterator, records = answer["NextShardIterator"], answer["Records"]

    def _send(self, name: str) -> None:
        self._sqs.send_message(
            QueueUrl=self._fifo,
            MessageBody=json.dumps(_DETAIL),
            MessageGroupId=name,
            MessageDeduplicationId=name,
        )

    def _publish(self, _: str) -> None:
        entry = {"Source": SOURCE, "DetailType": TYPE, "Detail": json.dumps(_DETAIL)}
        self._events.put_events(Entries=[{"EventBusName": self._bus, **entry}])

    def _transact(self, table: str, name: str) -> None:
        """Write two items in one transaction."""
        items = [{"id": {"S": f"{name} {part}"}, "detail": {"S": "x" * 500}} for part in "ab"]
        self._dynamodb.transact_write_items(
            TransactItems=[{"Put": {"TableName": table, "Item": item}} for item in items]
        )

    def _insert(self, collection: Collection[dict[str, Any]], name: str) -> None:
        """Write two documents in one transaction."""
        with self._mongodb.start_session() as session, session.start_transaction():
            self._rows.insert_one({"_id": f"{collection.name} {name}"}, session=session)
            collection.insert_one({"_id": name, "detail": "x" * 500}, session=session)

    def _timed(self, hops: Sequence[Hop], last: Hop) -> float:
        name = str(uuid4())
        time.sleep(random.uniform(0, PHASE))  # noqa: S311 (not a secret)
        started = time.perf_counter()
        for hop in (*hops, last):
            hop(name)
        return time.perf_counter() - started


class _LongPoll:
    """A long poll that is always waiting, as a consumer's is: its queue's messages, one by one."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs, self._url = sqs, url
        self._came: SimpleQueue[str] = SimpleQueue()
        Thread(target=self._poll, daemon=True).start()

    def take(self, _: str) -> None:
        """Wait for a message."""
        self._came.get()

    def _poll(self) -> None:
        while True:
            try:
                answer = self._sqs.receive_message(QueueUrl=self._url, WaitTimeSeconds=5)
            except EndpointConnectionError:
                return  # the engines have stopped
            for message in answer.get("Messages", []):
                self._came.put(message["MessageId"])
                handle = message["ReceiptHandle"]
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=handle)


def _name(suffix: str = "") -> str:
    return f"raw-{uuid4()}{suffix}"


def _buses(events: Any) -> tuple[str, str]:
    """A bus, and the next that all of its events go on to."""
    bus, next_bus = _name(), _name()
    for name in (bus, next_bus):
        events.create_event_bus(Name=name)
    onward = events.describe_event_bus(Name=next_bus)["Arn"]
    events.put_rule(Name=bus, EventBusName=bus, EventPattern=json.dumps({"source": [SOURCE]}))
    events.put_targets(Rule=bus, EventBusName=bus, Targets=[{"Id": "next", "Arn": onward}])
    return bus, next_bus


def _table(dynamodb: Any) -> str:
    name = _name()
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    return name
