"""A DynamoDB stream whose shards end and age under the relay, on AWS's own engine for one machine.

The sweep leaves alone what is younger than 30 s: all that arrives here in less came by the stream,
or by the sweep that follows each opening. DynamoDB Local has one open shard at a time; several at
once are tests/unit/test_dynamodb_stream.py's.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from contracts.outbox import OutboxRecord
from tests.conftest import MiniStack
from tests.dynamodb_local import DynamoDBLocal, TestControl
from tests.relay_world import TABLE, World, a_world, dynamodb_adapters, ids, in_threads, records
from verification.testkit.launcher import LaunchedProcess
from verification.testkit.waiting import eventually


@pytest.fixture
def world(ministack: MiniStack, dynamodb_local: DynamoDBLocal, tmp_path: Path) -> Iterator[World]:
    with a_world(ministack, tmp_path, dynamodb=dynamodb_local.endpoint) as world:
        world.provision_dynamodb()
        yield world


@pytest.fixture
def control(world: World, dynamodb_local: DynamoDBLocal) -> TestControl:
    return TestControl(dynamodb_local.endpoint, world.region)


def lost_places(logged: Iterable[Mapping[str, Any]]) -> list[str]:
    """Why a relay had to open its stream anew, each time."""
    return [
        line["reason"] for line in logged if line["event"].startswith("lost the stream position")
    ]


def ended_shards(process: LaunchedProcess) -> int:
    return [line["event"] for line in process.lines()].count("shard ended")


def reasons(process: LaunchedProcess) -> str:
    """What its readiness check complains of."""
    answer = process.get("/readyz")
    return answer.text if answer is not None else ""


def parts_of(events: list[OutboxRecord], size: int) -> list[list[OutboxRecord]]:
    return [events[start : start + size] for start in range(0, len(events), size)]


def test_shards_that_roll_over_in_mid_flow(world: World, control: TestControl) -> None:
    """Written while its shards end one after the other, each event comes once and in sequence."""
    committed = records(600, aggregates=30)
    parts = parts_of(committed, 75)
    with world.relay("dynamodb", POLL_SECONDS="0.05") as process:
        with ThreadPoolExecutor(1) as writer:
            for part in parts:
                writing = writer.submit(world.commit, part)
                control.roll_over()
                writing.result()
        world.until_published(committed)
        eventually(lambda: ended_shards(process) == len(parts), what="the end of each shard")
    assert lost_places(process.lines()) == []
    assert world.duplicates() == 0
    assert world.in_order()
    assert ended_shards(process) == len(parts)


@pytest.mark.parametrize("generations", [1, 4])
def test_generations_that_pile_up_are_read_parents_first(
    world: World, control: TestControl, generations: int
) -> None:
    """A relay that hangs while shards end reads each to its end before the next: in sequence."""
    committed = records(30 * (generations + 1), aggregates=10)
    first, *later = parts_of(committed, 30)
    with in_threads(dynamodb_adapters(world)) as logged:
        world.gate.hold("before", "GetRecords")
        world.gate.reached("before", "GetRecords")
        world.commit(first)
        for part in later:
            control.roll_over()
            world.commit(part)
        world.gate.open()
        world.until_published(committed)
    assert lost_places(logged) == []
    assert world.duplicates() == 0
    assert world.in_order()


def test_a_relay_that_starts_between_rollovers(world: World, control: TestControl) -> None:
    """What was written in shards that had ended, or ended as it looked, arrives; so does the rest.

    Sweep and stream bring what was written during the opening side by side: here nothing is said
    of order, nor of duplicates.
    """
    early, meanwhile, late = (records(50, aggregates=10, prefix=name) for name in "xyz")
    for part in parts_of(early, 25):
        world.commit(part)
        control.roll_over()

    def change() -> None:
        world.gate.reached("after", "DescribeStream")
        for part in parts_of(meanwhile, 25):
            world.commit(part)
            control.roll_over()
        world.gate.open()

    world.gate.hold("after", "DescribeStream")
    with ThreadPoolExecutor(1) as other:
        changing = other.submit(change)
        with in_threads(dynamodb_adapters(world)) as logged:
            changing.result()
            world.until_published(early, meanwhile)
            for part in parts_of(late, 25):
                world.commit(part)
                control.roll_over()
            world.until_published(late)
    assert world.sequences()["z0"] == [1, 2, 3, 4, 5]
    assert lost_places(logged) == []


@pytest.mark.parametrize("hours", [1, 25])
def test_iterators_that_expire_in_mid_flow(world: World, control: TestControl, hours: int) -> None:
    """An hour or a day in which the relay read nothing: the sweep brings it, then the stream."""
    before, meanwhile, after = (records(50, aggregates=10, prefix=name) for name in "xyz")
    with in_threads(dynamodb_adapters(world)) as logged:
        world.carry(before)
        world.gate.hold("before", "GetRecords")
        world.gate.reached("before", "GetRecords")
        world.commit(meanwhile)
        control.pass_hours(hours)
        world.gate.open()
        world.until_published(meanwhile)
        world.carry(after)
    assert lost_places(logged) == ["ExpiredIteratorException"]
    assert world.sequences()["z0"] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("rollovers", "code"), [(1, "TrimmedDataAccessException"), (2, "ResourceNotFoundException")]
)
def test_a_child_that_a_day_takes_away(
    world: World, control: TestControl, rollovers: int, code: str
) -> None:
    """Its records trimmed or it all aged away before it was read: the sweep brings what it held."""
    before, meanwhile, after = (records(50, aggregates=10, prefix=name) for name in "xyz")
    with in_threads(dynamodb_adapters(world)) as logged:
        world.commit(before)
        world.until_on_bus(ids(before))
        world.gate.hold("before", "GetShardIterator")
        for _ in range(rollovers):
            control.roll_over()
            world.commit(meanwhile)
        world.gate.reached("before", "GetShardIterator")
        control.pass_hours(25)
        world.gate.open()
        world.until_published(meanwhile)
        world.carry(after)
    assert lost_places(logged) == [code]
    assert world.sequences()["z0"] == [1, 2, 3, 4, 5]


def test_a_relay_that_was_down_for_more_than_a_day(world: World, control: TestControl) -> None:
    """Nothing of its stream is left: the outbox has it all, the oldest first, and once."""
    down, after = records(200, aggregates=40), records(50, aggregates=10, prefix="b")
    for part in parts_of(down, 50):
        world.commit(part)
        control.roll_over()
    control.pass_hours(25)
    with in_threads(dynamodb_adapters(world)) as logged:
        world.until_published(down)
        world.carry(after)
    assert lost_places(logged) == []
    assert world.duplicates() == 0
    assert world.in_order()


def test_a_stream_that_is_disabled_and_enabled_anew(world: World) -> None:
    """It has another name then, and no row of the time between: the relay finds both by itself."""
    before, between, after = (records(50, aggregates=10, prefix=name) for name in "xyz")
    dynamodb = world.aws.client("dynamodb")
    with world.relay("dynamodb", POLL_SECONDS="0.05") as process:
        world.commit(before)
        world.until_on_bus(ids(before))
        dynamodb.update_table(TableName=TABLE, StreamSpecification={"StreamEnabled": False})
        world.commit(between)
        eventually(lambda: "no stream" in reasons(process), what="a relay that says what it lacks")
        dynamodb.update_table(
            TableName=TABLE,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        world.until_published(between)
        world.carry(after)
    assert lost_places(process.lines()) == ["every shard has ended"]
    assert world.sequences()["z0"] == [1, 2, 3, 4, 5]
