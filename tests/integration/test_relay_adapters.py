"""One suite for every outbox and every change feed, in memory and real."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from contracts.timestamps import format_timestamp
from relay.adapters.change_stream import ChangeStream
from relay.adapters.dynamodb_stream import DynamoDBStream, find_stream
from relay.poll_interval import PollInterval
from relay.ports import ChangeFeed, LostPosition
from runtime.errors import Unavailable
from runtime.ids import utc_now
from runtime.mongodb import Mongo
from runtime.outbox.dynamodb import DynamoOutbox
from runtime.outbox.dynamodb_rows import row_of as item_row
from runtime.outbox.mongodb import MongoOutbox
from runtime.outbox.ports import Outbox
from runtime.outbox.rows import Row
from runtime.outbox.stats import OutboxStats
from tests.memory_feed import MemoryFeed, Position
from tests.relay_fakes import MemoryOutbox, poison, row_of
from tests.relay_world import COLLECTION, TABLE, World, a_keyed_record
from verification.testkit.waiting import eventually

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class End:
    """An outbox, how to commit to it, and its change feed where it has one."""

    outbox: Outbox
    commit: Callable[[str, int, Any], object]
    """Of an aggregate, a sequence and an occurredAt; None leaves the time out."""
    feed: ChangeFeed | None = None


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
def dynamodb(world: World) -> End:
    world.create_table()
    client = world.aws.client("dynamodb")
    stream = DynamoDBStream(
        world.aws.client("dynamodbstreams"),
        lambda: find_stream(client, TABLE),
        poll_interval=PollInterval(0.02, 0.02),
        wait=lambda _: None,
    )
    outbox = DynamoOutbox(client, TABLE, page=2)
    return End(outbox, lambda *of: world.put(document(*of)), stream)


@pytest.fixture
def mongodb(world: World) -> Iterator[End]:
    world.provision_change_stream()
    collection = world.collection

    def commit(aggregate_id: str, sequence: int, occurred_at: Any) -> None:
        key = {"aggregateId": aggregate_id, "sequence": sequence}
        collection.insert_one({"_id": key, **document(aggregate_id, sequence, occurred_at)})

    mongo = Mongo(collection.database)
    stream = ChangeStream(mongo, COLLECTION, max_await_milliseconds=50)
    yield End(MongoOutbox(mongo, COLLECTION, page=2), commit, stream)
    stream.close()


@pytest.fixture(params=["memory", "dynamodb", "mongodb"])
def end(request: pytest.FixtureRequest) -> End:
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
    found = keys(end.outbox.scan(now))
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
    found = keys(end.outbox.scan(now))
    assert sorted(found) == [("old15", 1), ("old25", 1), ("old5", 1)]


@pytest.mark.parametrize("occurred_at", [None, 5, "tomorrow", "9999", ""])
def test_a_row_whose_time_cannot_be_read_is_old(end: End, occurred_at: Any) -> None:
    """It would stay for good if the stream had missed it."""
    end.commit("a", 1, occurred_at)
    assert keys(end.outbox.scan(utc_now())) == [("a", 1)]


def test_the_oldest_time_is_found_beside_those_that_cannot_be_read(end: End) -> None:
    """Wherever they sort; a younger row does not count, and where none is old there is no time.

    All that sorts as old is counted.
    """
    now = utc_now()
    end.commit("young", 1, (now + HOUR).isoformat())
    for sequence, time in enumerate((None, 5, "tomorrow", "9999", "", "0")):
        end.commit("unreadable", sequence, time)
    found = end.outbox.stats(now)
    assert found.oldest is None
    assert 0 < found.undated == found.depth
    for sequence in (2, 1, 3):
        end.commit("a", sequence, (now - sequence * HOUR).isoformat())
    assert end.outbox.stats(now) == replace(found, depth=found.depth + 3, oldest=now - 3 * HOUR)
    assert end.outbox.stats().depth == 10


def test_counting_ends_where_it_would_cost(end: End) -> None:
    """At a limit; what was looked at beyond it says that there is more."""
    assert end.outbox.stats(limit=2) == OutboxStats()
    now = utc_now()
    for sequence in (1, 3, 2):
        end.commit("a", sequence, (now - sequence * HOUR).isoformat())
    assert end.outbox.stats(limit=3) == OutboxStats(3, oldest=now - 3 * HOUR)
    assert (end.outbox.stats(limit=2).depth, end.outbox.stats(limit=2).at_least) == (2, True)


def test_a_time_that_cannot_be_read_is_passed_over(end: End) -> None:
    """Its row is one more, and hides no age of another: a relay sets it aside."""
    now = utc_now()
    for sequence, time in enumerate((None, "yesterday", (now - HOUR).isoformat()), 1):
        end.commit("a", sequence, time)
    found = end.outbox.stats(limit=10)
    assert (found.depth, found.at_least, found.oldest) == (3, False, now - HOUR)


def test_a_count_that_is_stopped_ends_early(mongodb: End) -> None:
    """And says that there may be more."""
    assert mongodb.outbox.stats(stopped=lambda: True).at_least


@pytest.mark.parametrize("how", [{"limit": 500}, {"stopped": lambda: True}])
def test_a_count_that_need_not_be_complete_is_one_page(how: dict[str, Any]) -> None:
    """Of DynamoDB's megabyte, perhaps: it says that there may be more."""

    class Client:
        def scan(self, **_: Any) -> dict[str, Any]:
            return {"Items": [{}, {}], "LastEvaluatedKey": {}}

    found = DynamoOutbox(cast("Any", Client()), "outbox").stats(**how)
    assert found == OutboxStats(2, at_least=True, undated=2)


def test_rows_are_deleted_and_only_those(end: End) -> None:
    """As many at a time as it takes; one that is gone already is no error."""
    then = (utc_now() - HOUR).isoformat()
    count = end.outbox.max_deletes + 1
    for number in range(count):
        end.commit(f"a{number}", 1, then)
    rows = [row for page in end.outbox.scan(utc_now()) for row in page]
    assert len(rows) == count
    assert not end.outbox.delete(rows[1:])
    assert keys(end.outbox.scan(utc_now())) == [rows[0].key]
    assert not end.outbox.delete(rows[:1])
    assert not end.outbox.delete(rows[:1])
    assert not keys(end.outbox.scan(utc_now()))


def test_a_stream_tells_what_is_committed_after_its_opening(end: End) -> None:
    """In order per aggregate, with what the outbox deletes it by; not what was there before."""
    stream = end.feed
    assert stream is not None
    now = utc_now().isoformat()
    end.commit("before", 1, now)
    stream.open()
    for sequence in (1, 2, 3):
        end.commit("a", sequence, now)
    found: list[Row] = []
    eventually(lambda: found.extend(stream.read()) or len(found) == 3, what="three rows")  # type: ignore[func-returns-value]
    assert [row.key for row in found] == [("a", 1), ("a", 2), ("a", 3)]
    assert not end.outbox.delete(found)
    assert keys(end.outbox.scan(utc_now() + HOUR)) == [("before", 1)]
    assert list(stream.read()) == []


def test_unprocessed_items_are_given_back() -> None:
    """BatchWriteItem leaves some: the rows that they belong to are still there."""

    class Client:
        def batch_write_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
            return {"UnprocessedItems": {"outbox": RequestItems["outbox"][1:]}}

    rows = [
        item_row({"aggregateId": {"S": "a"}, "sequence": {"N": str(number)}})
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
        keys(MongoOutbox(Mongo(client["payments"]), COLLECTION).scan(utc_now()))
