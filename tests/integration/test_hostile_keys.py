"""Rows under keys that no service writes are known and deleted; what no queue takes is reported.

An outbox names one row by its key, byte for byte.
"""

import json
from typing import Any, cast

import bson
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument

from contracts.outbox import OutboxRecord
from runtime.mongodb import Mongo
from runtime.outbox.dynamodb import DynamoOutbox
from runtime.outbox.dynamodb_rows import to_item
from runtime.outbox.mongodb import MongoOutbox
from runtime.outbox.ports import Outbox
from runtime.outbox.rows import Row
from tests.hostile import NUMBERS, NotUtf8
from tests.relay_world import (
    COLLECTION,
    FIFO_DLQ,
    TABLE,
    World,
    a_keyed_record,
    change_stream_adapters,
    depth,
    in_threads,
    mongo_documents,
)
from verification.testkit.waiting import eventually


def every_row(outbox: Outbox) -> list[Row]:
    return [row for page in outbox.scan() for row in page]


ODD_IDS: tuple[Any, ...] = (
    7,
    "text",
    b"bytes",
    True,
    None,
    1.5,
    bson.ObjectId(),
    bson.Decimal128("1"),
    bson.Code("x"),
    bson.MinKey(),
    bson.Timestamp(1, 1),
    NotUtf8(),
    DatetimeMS(2**63 - 1),
    {"aggregateId": "a"},
    {"aggregateId": "a", "sequence": "1"},
    {"aggregateId": "a", "sequence": 1.5},
    {"aggregateId": "a", "sequence": {"deep": [1]}},
    {"aggregateId": "a", "sequence": 0},
    {"aggregateId": "", "sequence": 1},
    {"aggregateId": 5, "sequence": 1},
    {"aggregateId": "a", "sequence": DatetimeMS(2**63 - 1)},
)


def test_a_document_is_deleted_by_its_id_whatever_that_is(world: World) -> None:
    """Byte for byte, also one that the driver cannot decode; no two are taken for one row."""
    world.provision_change_stream()
    mark, text = b"\0\1\2\3", b"\xff\xfe\xc0\xaf"
    for each in ODD_IDS:
        raw = bson.encode({"_id": mark.decode() if isinstance(each, NotUtf8) else each, "a": 1})
        world.collection.insert_one(cast("Any", RawBSONDocument(raw.replace(mark, text))))
    world.collection.insert_many(mongo_documents([a_keyed_record("a", 1)]))
    outbox = MongoOutbox(Mongo(world.collection.database), COLLECTION)
    rows = every_row(outbox)
    assert len({row.key for row in rows}) == len(ODD_IDS) + 1
    kept = rows.pop()
    assert not outbox.delete(rows)
    assert [row.handle for row in every_row(outbox)] == [kept.handle]


def test_an_item_is_deleted_by_its_key_whatever_number_that_has(world: World) -> None:
    """Below one, broken, too large: malformed, and known by a name that no other row has."""
    world.create_table()
    client = world.aws.client("dynamodb")
    outbox = DynamoOutbox(client, TABLE)
    for number in NUMBERS:
        item: dict[str, Any] = {"aggregateId": {"S": "a"}, "sequence": {"N": str(number)}}
        client.put_item(TableName=TABLE, Item=item)
    client.put_item(TableName=TABLE, Item=to_item(a_keyed_record("a", 1).to_document()))
    rows = every_row(outbox)
    assert len({row.key for row in rows}) == len(NUMBERS) + 1
    assert sum(isinstance(row.content, OutboxRecord) for row in rows) == 1
    assert not outbox.delete(rows)
    assert not every_row(outbox)


def test_what_no_queue_takes_stays_and_its_key_is_dead_lettered_once(world: World) -> None:
    """A document of more than a mebibyte: each sweep meets it, and one dead letter says so."""
    world.provision_change_stream()
    key = {"aggregateId": "large", "sequence": 1}
    world.collection.insert_one({"_id": key, "text": "x" * 1_100_000})
    good = [a_keyed_record("large", 2), a_keyed_record("good", 1)]
    with in_threads(change_stream_adapters(world), min_age=0, interval=0.3) as logged:
        eventually(
            lambda: sum(each["event"] == "cannot be dead-lettered" for each in logged) >= 3,
            what="three sweeps",
        )
        world.collection.insert_many(mongo_documents(good))
        eventually(lambda: world.collection.count_documents({}) == 1, what="one row that stays")
    (message,) = world.drained(FIFO_DLQ)
    given = {name: each["StringValue"] for name, each in message["MessageAttributes"].items()}
    assert (given["errorType"], given["bodyEncoding"]) == ("StaysInOutbox", "row-key")
    assert "MalformedRecord" in given["errorMessage"]
    assert "SQS 1024 KiB" in given["errorMessage"]
    assert json.loads(message["Body"])["aggregateId"] == "large"
    assert depth(world) == 2
