"""The two kinds of outbox as a load run fills and watches them."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from pymongo import MongoClient
from pymongo.collection import Collection

from contracts.names import EventType, Source
from contracts.outbox import OutboxRecord
from contracts.timestamps import format_timestamp
from runtime.ids import new_event_id, utc_now
from runtime.mongodb import Document
from runtime.outbox.dynamodb_rows import to_item
from runtime.outbox.mongodb_rows import to_document
from verification.testkit.engines import Engines

ONE_DAY = timedelta(days=1)


BACKLOG, SAMPLED, FRESH = "backlog", "sampled", "fresh"
"""Kinds of event: those of the backlog, those of them that are looked for on the bus, new ones."""


def a_backlog(outbox: "LoadedOutbox", rows: int, *, one_in: int) -> list[OutboxRecord]:
    """Events of a day, evenly spread; two of each aggregate. One of a number of them is SAMPLED."""
    end = utc_now() - timedelta(minutes=2)
    step = (ONE_DAY - timedelta(minutes=2)) / rows
    names = [str(uuid4()) for _ in range((rows + 1) // 2)]
    return [
        a_record(
            outbox,
            names[n % len(names)],
            n // len(names) + 1,
            end - step * (rows - n),
            BACKLOG if n % one_in else SAMPLED,
        )
        for n in range(rows)
    ]


def a_record(
    outbox: "LoadedOutbox", aggregate_id: str, sequence: int, at: datetime, kind: str
) -> OutboxRecord:
    """An event of half a kilobyte that no rule of the topology sends anywhere."""
    detail = {"id": aggregate_id, "sequence": sequence, "load": kind, "text": "x" * 300}
    return OutboxRecord(
        aggregate_id=aggregate_id,
        sequence=sequence,
        event_id=new_event_id(),
        event_type=outbox.event_type,
        source=outbox.source,
        occurred_at=at,
        detail=json.dumps(detail),
        correlation_id="load",
    )


class LoadedTable:
    """subscriptions-outbox, and what is behind it."""

    database, run = "DynamoDB", "backlog"
    event_type, source = EventType.SUBSCRIPTION_CANCELLED, Source.SUBSCRIPTIONS
    table = "subscriptions-outbox"
    workloads: tuple[str, ...] = ("subscriptions-relay",)
    bus = "subscriptions-event-bus"

    def __init__(self, engines: Engines) -> None:
        self._client: Any = engines.aws.client("dynamodb")
        self._written: list[OutboxRecord] = []
        self._gone = 0

    def write(self, records: Sequence[OutboxRecord]) -> None:
        """Write with as many rows a call as DynamoDB takes, some calls at a time."""
        self._written += records
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._write, _cut(records, 25)))

    def oldest(self) -> datetime | None:
        """When the oldest row that is left occurred; None once those of the run are gone.

        It asks for rows from the oldest on: a scan of all of them would slow the engine down.
        """
        while self._gone < len(self._written):
            some = self._written[self._gone : self._gone + 100]
            left = self._left(some)
            for record in some:
                if record.event_id in left:
                    return record.occurred_at
                self._gone += 1
        return None

    def _left(self, records: Sequence[OutboxRecord]) -> set[str]:
        """The event ids of those of at most 100 rows that are still there."""
        keys = [self._key(record) for record in records]
        wanted = {self.table: {"Keys": keys, "ConsistentRead": True}}
        found = self._client.batch_get_item(RequestItems=wanted)["Responses"][self.table]
        return {item["eventId"]["S"] for item in found}

    def _write(self, records: Sequence[OutboxRecord]) -> None:
        requests = [{"PutRequest": {"Item": to_item(each.to_document())}} for each in records]
        self._client.batch_write_item(RequestItems={self.table: requests})

    @staticmethod
    def _key(record: OutboxRecord) -> dict[str, Any]:
        return to_item({"aggregateId": record.aggregate_id, "sequence": record.sequence})


class LoadedCollection:
    """The payments' outbox, and what is behind it."""

    database, run = "MongoDB", "backlog-mongodb"
    event_type, source = EventType.PAYMENT_CREATED, Source.PAYMENTS
    workloads: tuple[str, ...] = ("payments-change-stream", "payments-forward")
    bus = "payments-event-bus"

    def __init__(self, engines: Engines) -> None:
        client: MongoClient[Document] = MongoClient(engines.mongodb_uri)
        self.collection: Collection[Document] = client[engines.database]["outbox"]

    def write(self, records: Sequence[OutboxRecord]) -> None:
        self._last = max(record.occurred_at for record in records)
        for some in _cut(records, 1000):
            self.collection.insert_many([to_document(record) for record in some])

    def oldest(self) -> datetime | None:
        mine = {"occurredAt": {"$lte": format_timestamp(self._last)}}
        found = self.collection.find_one(mine, sort=[("occurredAt", 1)])
        return datetime.fromisoformat(found["occurredAt"]) if found else None


LoadedOutbox = LoadedTable | LoadedCollection
"""An outbox from the outside: what was written to it, what is left, and the processes that empty it
(its relay first) onto `bus`."""


def _cut(records: Sequence[OutboxRecord], size: int) -> Iterator[Sequence[OutboxRecord]]:
    return (records[start : start + size] for start in range(0, len(records), size))
