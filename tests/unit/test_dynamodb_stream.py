"""A stream of many shards: children after their parents, and every way to lose the place."""

# ruff: noqa: N803 (the names are boto3's)

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from relay.adapters.dynamodb_stream import DynamoDBStream
from relay.poll_interval import PollInterval
from relay.ports import LostPosition
from runtime.errors import Misconfigured, Unavailable
from runtime.outbox.dynamodb_rows import to_item
from tests.fakes import client_error
from tests.relay_fakes import record_of


@dataclass
class Shard:
    parent: str | None = None
    records: list[dict[str, Any]] = field(default_factory=list)
    ended: bool = False
    visible: bool = True


class Streams:
    """A DynamoDB Streams client over shards in memory; one page of DescribeStream holds two.

    `refuses` maps an operation to the code that it is refused with.
    """

    def __init__(self) -> None:
        self.shards: dict[str, Shard] = {}
        self.refuses: dict[str, str] = {}
        self.describes = 0

    def write(self, shard: str, aggregate: str, sequence: int, event: str = "INSERT") -> None:
        image = to_item(record_of(aggregate, sequence).to_document())
        self.shards[shard].records.append(
            {"eventName": event, "dynamodb": {"NewImage": image} if event != "REMOVE" else {}}
        )

    def describe_stream(self, **request: Any) -> dict[str, Any]:
        self._check("describe_stream")
        self.describes += 1
        names = [name for name, shard in self.shards.items() if shard.visible]
        after = request.get("ExclusiveStartShardId")
        start = names.index(after) + 1 if after else 0
        page = names[start : start + 2]
        more = {"LastEvaluatedShardId": page[-1]} if names[start + 2 :] else {}
        return {"StreamDescription": {"Shards": [self._describe(name) for name in page], **more}}

    def _describe(self, name: str) -> dict[str, Any]:
        shard = self.shards[name]
        return {
            "ShardId": name,
            "SequenceNumberRange": {"StartingSequenceNumber": "1"}
            | ({"EndingSequenceNumber": "9"} if shard.ended else {}),
        } | ({"ParentShardId": shard.parent} if shard.parent else {})

    def get_shard_iterator(self, *, ShardId: str, ShardIteratorType: str, **_: Any) -> Any:
        self._check("get_shard_iterator")
        records = self.shards[ShardId].records
        position = 0 if ShardIteratorType == "TRIM_HORIZON" else len(records)
        return {"ShardIterator": f"{ShardId}@{position}"}

    def get_records(self, *, ShardIterator: str, Limit: int) -> dict[str, Any]:
        self._check("get_records")
        assert Limit <= 1000
        name, _, position = ShardIterator.partition("@")
        shard = self.shards[name]
        found = shard.records[int(position) : int(position) + 2]
        end = int(position) + len(found)
        if shard.ended and end == len(shard.records):
            return {"Records": found}
        return {"Records": found, "NextShardIterator": f"{name}@{end}"}

    def _check(self, operation: str) -> None:
        if operation in self.refuses:
            raise client_error(self.refuses[operation])


@pytest.fixture
def streams() -> Streams:
    return Streams()


def followed(
    streams: Streams,
    waits: list[float] | None = None,
    find_arn: Callable[[], str] = lambda: "arn",
    **how: Any,
) -> DynamoDBStream:
    waited: Callable[[float], object] = ([] if waits is None else waits).append
    interval = PollInterval(0.1, 0.1)
    return DynamoDBStream(
        cast("Any", streams), find_arn, poll_interval=interval, wait=waited, **how
    )


def opened(streams: Streams, *shards: str, **how: Any) -> DynamoDBStream:
    """Follow open shards from their ends, which is where they begin."""
    streams.shards = {name: Shard() for name in shards}
    stream = followed(streams, **how)
    stream.open()
    return stream


def refused(streams: Streams, operation: str, code: str) -> DynamoDBStream:
    """A stream whose reading, or else its opening, was refused with a code by this call."""
    stream = opened(streams, "s1")
    streams.write("s1", "a", 1)
    streams.refuses[operation] = code
    with pytest.raises((LostPosition, Unavailable), match=code) as raised:
        list(stream.read()) if operation == "get_records" else stream.open()
    assert raised.type is (LostPosition if code in GONE else Unavailable)
    streams.refuses.clear()
    return stream


GONE = ["ExpiredIteratorException", "TrimmedDataAccessException", "ResourceNotFoundException"]


def keys(stream: DynamoDBStream) -> list[tuple[str, int]]:
    return [row.key for row in stream.read()]


def test_reads_only_what_comes_after_the_opening(streams: Streams) -> None:
    """The end is where it stands: what was there before is the sweep's."""
    streams.shards = {"s1": Shard()}
    streams.write("s1", "before", 1)
    stream = followed(streams)
    stream.open()
    assert keys(stream) == []
    streams.write("s1", "after", 1)
    assert keys(stream) == [("after", 1)]
    assert keys(stream) == []


def test_waits_only_when_nothing_was_told(streams: Streams) -> None:
    """Our own deletes come as REMOVE: they are no news, and neither are changes."""
    waits: list[float] = []
    stream = opened(streams, "s1", waits=waits)
    streams.write("s1", "a", 1)
    assert keys(stream) == [("a", 1)]
    assert waits == []
    streams.write("s1", "a", 1, event="REMOVE")
    streams.write("s1", "a", 1, event="MODIFY")
    assert keys(stream) == []
    assert waits == [0.1]


def test_follows_every_open_shard_over_all_pages(streams: Streams) -> None:
    """Five shards on three pages are all read; those that have ended are not."""
    streams.shards = {f"s{n}": Shard(ended=n == 2) for n in range(5)}
    stream = followed(streams)
    stream.open()
    for n in range(5):
        streams.write(f"s{n}", f"a{n}", 1)
    assert sorted(keys(stream)) == [("a0", 1), ("a1", 1), ("a3", 1), ("a4", 1)]


def test_reads_a_child_only_after_its_parent(streams: Streams) -> None:
    """An aggregate's events go on in a child: not one of them is read before the parent's last."""
    stream = opened(streams, "p")
    for sequence in (1, 2, 3):
        streams.write("p", "a", sequence)
    streams.shards["p"].ended = True
    streams.shards["c1"], streams.shards["c2"] = Shard(parent="p"), Shard(parent="p")
    streams.write("c1", "a", 4)
    streams.write("c2", "b", 1)
    found = [key for _ in range(4) for key in keys(stream)]
    assert [sequence for name, sequence in found if name == "a"] == [1, 2, 3, 4]
    assert ("b", 1) in found


def test_a_grandchild_waits_for_its_own_parent(streams: Streams) -> None:
    """Two roll-overs while nothing was read are followed in their order."""
    stream = opened(streams, "p")
    streams.write("p", "a", 1)
    for shard, parent in (("c", "p"), ("g", "c")):
        streams.shards[parent].ended = True
        streams.shards[shard] = Shard(parent=parent)
    streams.write("c", "a", 2)
    streams.write("c", "a", 3)
    streams.write("c", "a", 4)
    streams.write("g", "a", 5)
    found = [key for _ in range(6) for key in keys(stream)]
    assert found == [("a", n) for n in (1, 2, 3, 4, 5)]


def test_children_may_be_listed_before_their_parents(streams: Streams) -> None:
    """Two roll-overs are followed in their order, in whatever order DescribeStream names them."""
    stream = opened(streams, "p")
    streams.shards = {"g": Shard(parent="c"), "c": Shard(parent="p", ended=True)} | streams.shards
    streams.shards["p"].ended = True
    streams.write("c", "a", 1)
    streams.write("g", "a", 2)
    assert [key for _ in range(4) for key in keys(stream)] == [("a", 1), ("a", 2)]


def test_a_child_that_shows_late_is_found(streams: Streams) -> None:
    """DescribeStream lags: the search for children goes on until they show, and loses nothing."""
    stream = opened(streams, "p", "other", search_interval=0.0)
    streams.write("p", "a", 1)
    streams.shards["p"].ended = True
    streams.shards["c"] = Shard(parent="p", visible=False)
    streams.write("c", "a", 2)
    assert [key for _ in range(3) for key in keys(stream)] == [("a", 1)]
    streams.shards["c"].visible = True
    assert [key for _ in range(2) for key in keys(stream)] == [("a", 2)]


def test_a_second_child_that_shows_after_the_first_is_found(streams: Streams) -> None:
    """No shard is without a child any more, and none ends: a refresh now and then finds it."""
    stream = opened(streams, "p", refresh_interval=0.0)
    streams.shards["p"].ended = True
    streams.shards |= {"c": Shard(parent="p"), "late": Shard(parent="p", visible=False)}
    streams.write("c", "a", 1)
    streams.write("late", "b", 1)
    assert [key for _ in range(3) for key in keys(stream)] == [("a", 1)]
    streams.shards["late"].visible = True
    assert [key for _ in range(2) for key in keys(stream)] == [("b", 1)]


def test_lists_the_shards_once_a_minute(streams: Streams) -> None:
    """Where no child is missed there is little to find, and each list is a call."""
    now = 0.0
    stream = opened(streams, "s1", elapsed=lambda: now)
    for _ in range(180):
        now += 1
        keys(stream)
    assert streams.describes == 1 + 3


def test_does_not_search_for_children_all_the_time(streams: Streams) -> None:
    """DescribeStream takes ten calls a second: between two searches the interval passes."""
    stream = opened(streams, "p", "other")
    streams.shards["p"].ended = True
    for _ in range(20):
        keys(stream)
    assert streams.describes <= 4  # two at the opening, for its pages, and one search


def test_a_shard_that_ends_while_the_stream_is_opened_is_followed(streams: Streams) -> None:
    """Its iterator stands at its end, and its children are read from their beginnings."""
    stream = opened(streams, "p")
    streams.shards["p"].ended = True
    streams.shards["c"] = Shard(parent="p")
    streams.write("c", "a", 1)
    assert [key for _ in range(2) for key in keys(stream)] == [("a", 1)]


def test_a_stream_whose_shards_have_all_ended_is_opened_anew(streams: Streams) -> None:
    """Perhaps the table has another stream by now: the opening asks for its name again."""
    streams.shards = {"p": Shard()}
    arns = iter(["one", "two"])
    asked: list[str] = []

    def find_arn() -> str:
        asked.append(next(arns))
        return asked[-1]

    stream = followed(streams, find_arn=find_arn)
    stream.open()
    streams.write("p", "a", 1)
    streams.shards["p"].ended = True
    found: list[tuple[str, int]] = []
    with pytest.raises(LostPosition):
        found.extend(row.key for row in stream.read())
    stream.open()
    assert asked == ["one", "two"]


def test_a_table_that_has_no_stream_for_a_while_is_an_outage(streams: Streams) -> None:
    """Somebody is changing it: the relay waits for the new stream as for any dependency."""
    streams.shards = {"s1": Shard()}

    def find_arn() -> str:
        raise Misconfigured("no stream")

    with pytest.raises(Unavailable, match="no stream"):
        followed(streams, find_arn=find_arn).open()


@pytest.mark.parametrize("code", GONE)
@pytest.mark.parametrize("operation", ["get_records", "get_shard_iterator"])
def test_a_place_that_is_gone_is_lost(streams: Streams, code: str, operation: str) -> None:
    """Fifteen minutes, a day, an aged shard: opening again is all that helps, and it does."""
    stream = refused(streams, operation, code)
    stream.open()
    streams.write("s1", "b", 1)
    assert keys(stream) == [("b", 1)]


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ValidationException"])
@pytest.mark.parametrize("operation", ["get_records", "describe_stream", "get_shard_iterator"])
def test_any_other_refusal_is_an_outage_and_keeps_the_place(
    streams: Streams, operation: str, code: str
) -> None:
    """After it the same record is read that would have been read before.

    A read carries no row that could be wrong: the stream waits, and says with which code.
    """
    stream = refused(streams, operation, code)
    if operation == "get_records":
        assert keys(stream) == [("a", 1)]
