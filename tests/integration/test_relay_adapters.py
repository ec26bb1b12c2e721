"""One suite for every outbox and every change feed, in memory and real."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

import relay.adapters.dynamodb
import relay.adapters.mongodb
from contracts.timestamps import format_timestamp
from relay.adapters.dynamodb import DynamoOutbox
from relay.adapters.dynamodb_stream import DynamoDBStream
from relay.adapters.mongodb import ChangeStream, MongoOutbox
from relay.backlog_gauges import Dated
from relay.poll_interval import PollInterval
from relay.ports import ChangeFeed, LostPosition, Outbox, Row
from runtime.errors import Unavailable
from runtime.ids import utc_now
from runtime.mongodb import Mongo
from tests.conftest import MiniStack
from tests.memory_feed import MemoryFeed, Position
from tests.relay_fakes import MemoryOutbox, poison, row_of
from tests.relay_world import COLLECTION, TABLE, World, a_keyed_record, a_world, mongo_documents
from tests.waiting import eventually

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class End:
    """An outbox, how to commit to it, and its change feed where it has one."""

    outbox: Outbox
    commit: Callable[[str, int, Any], object]
    """Of an aggregate, a sequence and an occurredAt; None leaves the time out."""
    feed: ChangeFeed | None = None


@pytest.fixture
def world(ministack: MiniStack, mongodb_uri: str, tmp_path: Path) -> Iterator[World]:
    with a_world(ministack, tmp_path, mongodb_uri=mongodb_uri) as world:
        yield world


def document(aggregate_id: str, sequence: int, occurred_at: Any) -> dict[str, Any]:
    fields: dict[str, Any] = dict(a_keyed_record(aggregate_id, sequence).to_document())
    del fields["occurredAt"]
    return fields if occurred_at is None else {**fields, "occurredAt": occurred_at}


@pytest.fixture
def memory() -> End:
    outbox, feed = MemoryOutbox(page=2), MemoryFeed()

    def commit(aggregate_id: str, sequence: int, occurred_at: Any) -> None:
        try:
            row = row_of(aggregate_id, sequence, occurred_at=datetime.fromisoformat(occurred_at))
        except (TypeError, ValueError):
            row = poison(aggregate_id, sequence)
        outbox.put(row)
        feed.commit(row)

    return End(outbox, commit, Position(feed))


@pytest.fixture
def dynamodb(world: World, monkeypatch: pytest.MonkeyPatch) -> End:
    monkeypatch.setattr(relay.adapters.dynamodb, "PAGE", 2)
    world.create_table()
    outbox = DynamoOutbox(world.aws.client("dynamodb"), TABLE)
    stream = DynamoDBStream(
        world.aws.client("dynamodbstreams"),
        outbox.stream_arn,
        poll_interval=PollInterval(0.02, 0.02),
        wait=lambda _: None,
    )
    return End(outbox, lambda *of: world.put(document(*of)), stream)


@pytest.fixture
def mongodb(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[End]:
    monkeypatch.setattr(relay.adapters.mongodb, "PAGE", 2)
    monkeypatch.setattr(relay.adapters.mongodb, "MAX_AWAIT_MILLISECONDS", 50)
    world.provision_change_stream()
    collection = world.collection

    def commit(aggregate_id: str, sequence: int, occurred_at: Any) -> None:
        key = {"aggregateId": aggregate_id, "sequence": sequence}
        collection.insert_one({"_id": key, **document(aggregate_id, sequence, occurred_at)})

    mongo = Mongo(collection.database)
    stream = ChangeStream(mongo, COLLECTION)
    yield End(MongoOutbox(mongo, COLLECTION), commit, stream)
    stream.close()


@pytest.fixture(params=["memory", "dynamodb", "mongodb"])
def end(request: pytest.FixtureRequest) -> End:
    return cast("End", request.getfixturevalue(request.param))


@pytest.fixture(params=["memory", "dynamodb", "mongodb"])
def streamed(request: pytest.FixtureRequest) -> End:
    return cast("End", request.getfixturevalue(request.param))


def keys(pages: Iterator[Sequence[Row]]) -> list[tuple[str, int]]:
    return [row.key for page in pages for row in page]


def test_old_rows_are_found_page_by_page_in_order(end: End) -> None:
    """Each aggregate's rows come in sequence; younger ones do not come."""
    now = utc_now()
    for sequence in (3, 1, 2):
        for aggregate in "abc":
            happened = now - HOUR + timedelta(seconds=sequence)
            end.commit(aggregate, sequence, happened.isoformat())
    end.commit("young", 1, (now + HOUR).isoformat())
    found = keys(end.outbox.older_than(now))
    assert len(found) == 9
    for aggregate in "abc":
        assert [sequence for name, sequence in found if name == aggregate] == [1, 2, 3]


def test_a_page_that_holds_nothing_is_not_the_last(end: End) -> None:
    """Young rows fill whole pages, which then are empty: what is behind them is found."""
    now = utc_now()
    for number in range(30):
        end.commit(f"young{number}", 1, format_timestamp(now + HOUR / 2))
        if number % 10 == 5:
            end.commit(f"old{number}", 1, format_timestamp(now - HOUR))
    found = keys(end.outbox.older_than(now))
    assert sorted(found) == [("old15", 1), ("old25", 1), ("old5", 1)]


@pytest.mark.parametrize("occurred_at", [None, 5, "tomorrow", "9999", ""])
def test_a_row_whose_time_cannot_be_read_is_old(end: End, occurred_at: Any) -> None:
    """It would stay for good if the stream had missed it."""
    end.commit("a", 1, occurred_at)
    assert keys(end.outbox.older_than(utc_now())) == [("a", 1)]


@pytest.mark.parametrize("name", ["dynamodb", "mongodb"])
def test_the_oldest_time_is_told_beside_those_that_cannot_be_read(
    request: pytest.FixtureRequest, name: str
) -> None:
    """Wherever they sort; a younger row does not count, and where none is old there is no time.

    All that sorts as old is counted.
    """
    end: End = request.getfixturevalue(name)
    outbox = cast("Dated", end.outbox)
    now = utc_now()
    end.commit("young", 1, (now + HOUR).isoformat())
    for sequence, time in enumerate((None, 5, "tomorrow", "9999", "", "0")):
        end.commit("unreadable", sequence, time)
    assert {page.oldest for page in outbox.left_behind(now)} == {None}
    unreadable = sum(page.count for page in outbox.left_behind(now))
    for sequence in (2, 1, 3):
        end.commit("a", sequence, (now - sequence * HOUR).isoformat())
    pages = list(outbox.left_behind(now))
    assert min(page.oldest for page in pages if page.oldest) == now - 3 * HOUR
    assert sum(page.count for page in pages) == unreadable + 3


def test_rows_are_deleted_and_only_those(end: End) -> None:
    """As many at a time as it takes; one that is gone already is no error."""
    then = (utc_now() - HOUR).isoformat()
    count = end.outbox.max_deletes + 1
    for number in range(count):
        end.commit(f"a{number}", 1, then)
    rows = [row for page in end.outbox.older_than(utc_now()) for row in page]
    assert len(rows) == count
    assert not end.outbox.delete(rows[1:])
    assert keys(end.outbox.older_than(utc_now())) == [rows[0].key]
    assert not end.outbox.delete(rows[:1])
    assert not end.outbox.delete(rows[:1])
    assert not keys(end.outbox.older_than(utc_now()))


def test_a_stream_tells_what_is_committed_after_its_opening(streamed: End) -> None:
    """In order per aggregate, with what the outbox deletes it by; not what was there before."""
    stream = streamed.feed
    assert stream is not None
    now = utc_now().isoformat()
    streamed.commit("before", 1, now)
    stream.open()
    for sequence in (1, 2, 3):
        streamed.commit("a", sequence, now)
    found: list[Row] = []
    eventually(lambda: found.extend(stream.read()) or len(found) == 3, what="three rows")  # type: ignore[func-returns-value]
    assert [row.key for row in found] == [("a", 1), ("a", 2), ("a", 3)]
    assert not streamed.outbox.delete(found)
    assert keys(streamed.outbox.older_than(utc_now() + HOUR)) == [("before", 1)]
    assert list(stream.read()) == []


def test_unprocessed_items_are_given_back() -> None:
    """BatchWriteItem leaves some: the rows that they belong to are still there."""

    class Client:
        def batch_write_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
            return {"UnprocessedItems": {"outbox": RequestItems["outbox"][1:]}}

    rows = [
        relay.adapters.dynamodb.row_of({"aggregateId": {"S": "a"}, "sequence": {"N": str(number)}})
        for number in (1, 2, 3)
    ]
    assert DynamoOutbox(cast("Any", Client()), "outbox").delete(rows) == rows[1:]


class Changes:
    """A change stream of the driver's that fails on request."""

    alive = True

    def __init__(self, error: Exception) -> None:
        self.error = error

    def try_next(self) -> None:
        raise self.error

    def close(self) -> None:
        self.alive = False


@pytest.mark.parametrize("code", [9, 136, 280, 286, 13])
def test_a_change_stream_that_cannot_resume_has_lost_its_place(code: int) -> None:
    """DocumentDB's dead token and position, MongoDB's lost history: opening again is the fix."""

    class Watched:
        def with_options(self, **_: Any) -> "Watched":
            return self

        def watch(self, *_: Any, **__: Any) -> Changes:
            return Changes(OperationFailure("no such position", code))

    stream = ChangeStream(Mongo(cast("Any", {COLLECTION: Watched()})), COLLECTION)
    with pytest.raises(LostPosition):
        stream.read()
    stream.open()
    with pytest.raises(LostPosition, match=str(code)):
        stream.read()
    stream.open()


def test_a_collection_whose_server_is_away_is_unavailable() -> None:
    """Opening says so, and the reader waits instead of sweeping in vain."""
    client: MongoClient[dict[str, Any]] = MongoClient(
        "127.0.0.1", 1, serverSelectionTimeoutMS=50, directConnection=True
    )
    with pytest.raises(Unavailable):
        ChangeStream(Mongo(client["payments"]), COLLECTION).open()
    with pytest.raises(Unavailable):
        keys(MongoOutbox(Mongo(client["payments"]), COLLECTION).older_than(utc_now()))


def test_a_document_keeps_its_own_id(world: World) -> None:
    """Whatever `_id` a document has, it is known by it and deleted by it, and breaks nothing."""
    odd: list[Any] = [
        7,
        "text",
        {"aggregateId": "a"},
        {"aggregateId": "a", "sequence": "1"},
        {"aggregateId": "a", "sequence": {"deep": [1]}},
        {"aggregateId": 5, "sequence": 1},
    ]
    world.provision_change_stream()
    world.collection.insert_many({"_id": each, "aggregateId": "a"} for each in odd)
    world.collection.insert_many(mongo_documents([a_keyed_record("a", 1)]))
    outbox = MongoOutbox(Mongo(world.collection.database), COLLECTION)
    rows = [row for page in outbox.older_than(utc_now() + HOUR) for row in page]
    assert len({row.key for row in rows}) == len(odd) + 1
    outbox.delete(rows)
    assert not world.collection.count_documents({})
