"""One rule for what a relay takes, whatever wrote the row and in whichever database it is."""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.outbox import OutboxRecord
from contracts.timestamps import format_timestamp
from relay.__main__ import DaemonAdapters
from runtime.ids import utc_now
from runtime.mongodb import Mongo
from runtime.outbox.dynamodb import DynamoOutbox
from runtime.outbox.mongodb import MongoOutbox
from runtime.outbox.ports import Outbox
from runtime.outbox.rows import EVER, Row
from tests.conftest import MiniStack
from tests.dynamodb_local import DynamoDBLocal
from tests.hostile import (
    TEXTS,
    NotUtf8,
    Odd,
    an_hour_before,
    as_bson,
    as_item,
    bson_values,
    dynamodb_values,
    some,
    times,
)
from tests.relay_world import (
    COLLECTION,
    DLQ,
    FIFO_DLQ,
    TABLE,
    World,
    a_keyed_record,
    a_world,
    change_stream_adapters,
    depth,
    dynamodb_adapters,
    ids,
    in_threads,
)
from verification.testkit.waiting import eventually

NOW = utc_now()

UNCOUNTED = (list, bson.Code)
"""Values whose rows a sweep of MongoDB finds, and whose number the gauges do not tell exactly."""

FEW = settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.large_base_example],
)


@dataclass(frozen=True)
class End:
    """A real outbox, how to put odd rows into it through a raw driver, and the relay's side."""

    outbox: Outbox
    put: Callable[[Sequence[Odd]], object]
    values: list[Odd]
    dlq: str
    adapters: Callable[[], DaemonAdapters]


@pytest.fixture
def mongodb(world: World) -> End:
    world.provision_change_stream()

    def put(odd: Sequence[Odd]) -> None:
        world.collection.insert_many(
            [as_bson(f"a{number}", each, NOW) for number, each in enumerate(odd)]
        )

    return End(
        MongoOutbox(Mongo(world.collection.database), COLLECTION, page=7),
        put,
        [*times(NOW), *bson_values(NOW)],
        FIFO_DLQ,
        partial(change_stream_adapters, world),
    )


def in_table(world: World) -> End:
    world.create_table()
    world.create_bus()
    world.create_queue(DLQ)
    client = world.aws.client("dynamodb")

    def put(odd: Sequence[Odd]) -> None:
        for number, each in enumerate(odd):
            client.put_item(TableName=TABLE, Item=as_item(f"a{number}", each, NOW))

    return End(
        DynamoOutbox(client, TABLE, page=7),
        put,
        [*times(NOW), *dynamodb_values(NOW)],
        DLQ,
        partial(dynamodb_adapters, world),
    )


@pytest.fixture
def dynamodb(world: World) -> End:
    return in_table(world)


@pytest.fixture
def dynamodb_of_aws(
    ministack: MiniStack,
    dynamodb_local: DynamoDBLocal,
    tmp_path: Path,
) -> Iterator[End]:
    with a_world(ministack, tmp_path, dynamodb=dynamodb_local.endpoint) as world:
        yield in_table(world)


@pytest.fixture(params=["mongodb", "dynamodb", "dynamodb_of_aws"])
def end(request: pytest.FixtureRequest) -> End:
    return cast("End", request.getfixturevalue(request.param))


@contextmanager
def holding(end: End, odd: Sequence[Odd]) -> Iterator[dict[str, Odd]]:
    """An outbox with these rows, by aggregate; all of them can be deleted afterwards."""
    end.put(odd)
    try:
        yield {f"a{number}": each for number, each in enumerate(odd)}
    finally:
        rows = [row for page in end.outbox.scan() for row in page]
        for row in rows:
            assert not end.outbox.delete([row])
        assert not list(filter(None, end.outbox.scan()))
        assert len(rows) == len(odd)


def swept(end: End, moment: datetime) -> list[Row]:
    return [row for page in end.outbox.scan(moment) for row in page]


@FEW
@given(data=st.data())
def test_a_sweep_finds_what_is_old_and_what_has_no_age(end: End, data: st.DataObject) -> None:
    """By the one rule, whatever the form: each once, with its time or as a malformed row."""
    with holding(end, data.draw(some(end.values))) as odd:
        found = swept(end, NOW)
        wanted = {
            name for name, each in odd.items() if each.occurred is None or each.occurred < NOW
        }
        assert sorted(row.aggregate_id for row in found) == sorted(wanted)
        for row in found:
            each = odd[row.aggregate_id]
            assert isinstance(row.content, OutboxRecord) is not each.is_malformed, each
            if not each.is_malformed:
                assert row.occurred_at == each.occurred, each
        assert {row.aggregate_id for row in swept(end, EVER)} == odd.keys()


def test_a_page_of_young_rows_is_not_the_last(dynamodb_of_aws: End) -> None:
    """DynamoDB looks at a page of rows and then leaves out the young: it may be empty."""
    ahead, ago = NOW + timedelta(minutes=30), NOW - timedelta(hours=1)
    young = [Odd("occurredAt", format_timestamp(ahead), ahead, is_malformed=False)] * 60
    old = [Odd("occurredAt", format_timestamp(ago), ago, is_malformed=False)] * 3
    with holding(dynamodb_of_aws, [*young, *old]):
        pages = list(dynamodb_of_aws.outbox.scan(NOW))
        assert [] in pages[:-1]
        assert sum(map(len, pages)) == len(old)
        assert dynamodb_of_aws.outbox.stats(NOW).depth == len(old)


@FEW
@given(data=st.data())
def test_the_gauges_count_what_is_old_and_what_has_no_age(end: End, data: st.DataObject) -> None:
    """Depth and oldest time: what a sweep would find is never invisible."""
    rows = [each for each in data.draw(some(end.values)) if not isinstance(each.value, UNCOUNTED)]
    if not rows:
        return
    with holding(end, rows):
        found = end.outbox.stats(NOW)
        old = [each.occurred for each in rows if each.occurred and each.occurred < NOW]
        count = len(old) + sum(each.occurred is None for each in rows)
        assert count <= found.depth <= len(rows)
        # A row that cannot be read for another field's sake has its time all the same.
        old += [
            an_hour_before(NOW)
            for each in rows
            if isinstance(each.value, NotUtf8) and each.field in TEXTS
        ]
        assert found.oldest == min(old, default=None)


@pytest.mark.parametrize("name", ["mongodb", "dynamodb"])
def test_every_malformed_row_is_dead_lettered_and_its_neighbours_leave(
    request: pytest.FixtureRequest, world: World, name: str
) -> None:
    """By sweep and by tail: each with its reason and what it holds; no other row waits for it."""
    end: End = request.getfixturevalue(name)
    malformed = [each for each in end.values if each.is_malformed]
    good = [a_keyed_record(f"good{number}", 1, occurred_at=NOW) for number in range(30)]
    end.put(malformed)
    with in_threads(end.adapters()) as logged:
        eventually(lambda: not swept(end, EVER), what="an empty outbox", timeout=60)
        by_sweep = bodies(world, end.dlq)
        end.put(malformed)
        if name == "mongodb":
            world.insert(good)
        else:
            world.put(*(record.to_document() for record in good))
        eventually(lambda: not swept(end, EVER), what="an empty outbox", timeout=60)
    assert len(by_sweep) == len(malformed)
    assert "stream unavailable" not in {each["event"] for each in logged}
    if name == "mongodb":
        # A FIFO queue takes a body once in five minutes.
        assert depth(world) == len(good)
    else:
        assert set(world.on_bus()) == ids(good)
        assert bodies(world, end.dlq) == by_sweep


@pytest.mark.parametrize("name", ["mongodb", "dynamodb"])
def test_a_stream_reads_whatever_was_written(request: pytest.FixtureRequest, name: str) -> None:
    """One record after the other, none lost and none that ends it."""
    end: End = request.getfixturevalue(name)
    adapters = end.adapters()
    adapters.feed.open()
    end.put(end.values)
    read: list[Row] = []

    def all_are_read() -> bool:
        read.extend(adapters.feed.read())
        return len(read) >= len(end.values)

    eventually(all_are_read, what="a stream read to its end", timeout=60)
    for row, each in zip(read, end.values, strict=True):
        assert isinstance(row.content, OutboxRecord) is not each.is_malformed, each


def bodies(world: World, queue: str) -> set[str]:
    """What is in a dead-letter queue, by its body; each has a reason and a body that can be read.

    What a sweep has read when the tail has dealt with it comes twice.
    """
    found: set[str] = set()
    for message in world.drained(queue):
        given = {key: each["StringValue"] for key, each in message["MessageAttributes"].items()}
        assert given["errorType"] == "MalformedRecord"
        assert given["errorMessage"]
        body = message["Body"]
        match given.get("bodyEncoding"):
            case None:
                assert isinstance(json.loads(body), dict)
            case "dynamodb-json":
                assert json.loads(body)["sequence"] == {"N": "1"}
            case encoding:
                assert encoding == "base64-bson"
                assert RawBSONDocument(base64.b64decode(body)).raw
        found.add(body)
    return found
