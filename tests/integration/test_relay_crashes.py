"""kill -9 of a real relay at each step, then a restart: nothing lost, duplicates bounded."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from relay.pipeline import MAX_ROWS
from runtime.outbox.dynamodb_rows import to_item
from tests.conftest import MiniStack
from tests.relay_world import (
    FIFO,
    TABLE,
    World,
    a_keyed_record,
    a_world,
    depth,
    ids,
    kill,
    mongo_settings,
    records,
    send,
)
from verification.testkit.fault_proxy import Where
from verification.testkit.waiting import eventually


@pytest.fixture
def dynamodb(ministack: MiniStack, tmp_path: Path) -> Iterator[World]:
    with a_world(ministack, tmp_path) as world:
        world.provision_dynamodb()
        yield world


@pytest.fixture
def change_stream(ministack: MiniStack, mongodb_uri: str, tmp_path: Path) -> Iterator[World]:
    with a_world(ministack, tmp_path, mongodb_uri=mongodb_uri) as world:
        world.provision_change_stream()
        yield world


@pytest.fixture
def forwarding(ministack: MiniStack, tmp_path: Path) -> Iterator[World]:
    with a_world(ministack, tmp_path) as world:
        # So short that each second of a busy machine is another receive: they are not counted here.
        world.provision_forwarding(visibility_timeout=1, max_receives=100)
        yield world


def commit_in_vain(world: World, event: str) -> None:
    """A transaction that writes an outbox row and is cancelled by its other half."""
    row = to_item(a_keyed_record(event, 1).to_document())
    with suppress(ClientError):
        world.aws.client("dynamodb").transact_write_items(
            TransactItems=[
                {"Put": {"TableName": TABLE, "Item": row}},
                {
                    "ConditionCheck": {
                        "TableName": TABLE,
                        "Key": {"aggregateId": {"S": "nobody"}, "sequence": {"N": "1"}},
                        "ConditionExpression": "attribute_exists(aggregateId)",
                    }
                },
            ]
        )


@pytest.mark.parametrize(
    ("where", "operation", "passing", "count"),
    [
        pytest.param("before", "PutEvents", 0, 40, id="after-read"),
        pytest.param("after", "PutEvents", 0, 40, id="after-publish"),
        pytest.param("after", "BatchWriteItem", 0, 40, id="after-delete"),
        pytest.param("before", "BatchWriteItem", 0, 40, id="before-delete"),
        pytest.param("before", "PutEvents", 12, 300, id="amid-publishing"),
        pytest.param("after", "BatchWriteItem", 3, 300, id="amid-deleting"),
    ],
)
def test_dynamodb_relay_killed(
    dynamodb: World,
    where: Where,
    operation: str,
    passing: int,
    count: int,
) -> None:
    """All that was committed is on the bus, in order, and nothing else.

    Twice only what was in flight: published and not yet deleted.
    """
    committed = records(count, aggregates=60)
    with dynamodb.relay("dynamodb") as process:
        dynamodb.gate.hold(where, operation, passing=passing)
        dynamodb.commit(committed)
        commit_in_vain(dynamodb, "never")
        dynamodb.gate.reached(where, operation)
        kill(process)
    dynamodb.gate.drop()
    published, pending = set(dynamodb.on_bus()), dynamodb.outbox()
    assert ids(committed) == published | pending, "an event was lost"
    if (where, operation, passing) == ("before", "PutEvents", 0):
        assert not published
    in_flight = published & pending
    assert len(in_flight) <= MAX_ROWS

    with dynamodb.relay("dynamodb"):
        dynamodb.until_published(committed)
    assert set(dynamodb.on_bus()) == ids(committed)
    assert dynamodb.duplicates() <= len(in_flight)
    assert dynamodb.in_order()


@pytest.mark.parametrize(
    ("where", "passing"),
    [
        pytest.param("before", 0, id="before-send"),
        pytest.param("after", 0, id="after-send"),
        pytest.param("before", 5, id="after-deletes"),
    ],
)
def test_change_stream_relay_killed(change_stream: World, where: Where, passing: int) -> None:
    """Each event is in the FIFO queue once, in order: SQS knows what is sent a second time."""
    committed = records(200, aggregates=40)
    settings = mongo_settings(change_stream)
    collection = change_stream.collection
    with change_stream.relay("change-stream", **settings) as process:
        change_stream.gate.hold(where, "SendMessageBatch", passing=passing)
        change_stream.insert(committed)
        change_stream.gate.reached(where, "SendMessageBatch")
        if passing:
            eventually(
                lambda: collection.count_documents({}) <= len(committed) - passing,
                what="deleted documents",
            )
        kill(process)
    change_stream.gate.drop()
    assert collection.count_documents({}) > 0
    with change_stream.relay("change-stream", **settings):
        change_stream.until_collection_is_empty()
    bodies = [json.loads(message["Body"]) for message in change_stream.drained(FIFO)]
    assert sorted(body["eventId"] for body in bodies) == sorted(ids(committed))
    for aggregate in {record.aggregate_id for record in committed}:
        found = [body["sequence"] for body in bodies if body["aggregateId"] == aggregate]
        assert found == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("where", "operation", "passing"),
    [
        pytest.param("before", "PutEvents", 0, id="before-publish"),
        pytest.param("after", "PutEvents", 0, id="after-publish"),
        pytest.param("after", "DeleteMessageBatch", 0, id="after-delete"),
        pytest.param("before", "PutEvents", 6, id="amid-batches"),
    ],
)
def test_forwarder_killed(
    forwarding: World,
    where: Where,
    operation: str,
    passing: int,
) -> None:
    """All arrive after the visibility timeout, in their groups' order.

    Twice only what was published and not yet deleted: at most one batch a forwarder.
    """
    committed = records(60, aggregates=12)
    send(forwarding, committed)
    forwarding.gate.hold(where, operation, passing=passing)
    with forwarding.relay("forward", FIFO_QUEUE=FIFO) as process:
        forwarding.gate.reached(where, operation)
        kill(process)
    forwarding.gate.drop()
    with forwarding.relay("forward", FIFO_QUEUE=FIFO, QUEUE_WAIT_SECONDS="1"):
        forwarding.until_on_bus(ids(committed))
        eventually(lambda: not depth(forwarding), what="an empty queue")
    assert set(forwarding.on_bus()) == ids(committed)
    assert forwarding.in_order()
    assert forwarding.duplicates() <= 40
