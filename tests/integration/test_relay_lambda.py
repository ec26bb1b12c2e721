"""The Lambda relay on the emulator: real stream records, a real bus, and what can go wrong."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relay.aws_lambda import sweep_within
from relay.batch import BatchPublisher, StreamBatchHandler
from runtime.metrics import RelayMetrics, new_registry
from tests.conftest import MiniStack
from tests.event_source_mapping import EventSourceMapping
from tests.lambda_relay import EVERYTHING
from tests.relay_world import DLQ, TABLE, World, a_world, dynamodb_adapters, ids, records
from tests.stream_events import failures, number_of, shard_of


@pytest.fixture
def world(ministack: MiniStack, tmp_path: Path) -> Iterator[World]:
    with a_world(ministack, tmp_path) as world:
        world.provision_dynamodb()
        yield world


def an_environment_here(world: World) -> StreamBatchHandler:
    """What the function keeps, with waits between its tries that are short."""
    adapters = dynamodb_adapters(world)
    publisher = BatchPublisher(
        adapters.outbox,
        adapters.target,
        adapters.dead_letters,
        RelayMetrics(new_registry()),
        wait=lambda seconds: None,
    )
    return StreamBatchHandler(publisher, TABLE)


def mapped(handler: StreamBatchHandler, **options: Any) -> EventSourceMapping:
    return EventSourceMapping(lambda event: handler.handle(event, lambda: True), **options)


def test_what_the_stream_tells_is_on_the_bus_and_leaves_the_outbox(world: World) -> None:
    """Each event once, each aggregate in order; the removes that follow change nothing."""
    committed = records(250, aggregates=40)
    world.commit(committed)
    handler = an_environment_here(world)
    mapping = mapped(handler)
    mapping.read(shard_of(world.aws, TABLE))
    assert not world.outbox()
    assert Counter(world.on_bus()) == Counter(ids(committed))
    assert world.in_order()
    inserted = shard_of(world.aws, TABLE)
    assert Counter(record["eventName"] for record in inserted) == {"INSERT": 250, "REMOVE": 250}
    mapping.read(inserted)
    assert world.duplicates() == 0
    assert not mapping.dropped


def test_entries_that_fail_behind_200_are_reported_and_come_again(world: World) -> None:
    """Exactly those and what is behind them; the next time they pass, and nothing is doubled."""
    failing = {"a1", "a4"}

    def choose(entry: dict[str, Any]) -> tuple[str, str] | None:
        fails = json.loads(entry["Detail"])["aggregate"] in failing
        return ("InternalFailure", "try again") if fails else None

    committed = world.commit(records(30, aggregates=6))
    inserted = shard_of(world.aws, TABLE)
    world.gate.fail_entries(choose)
    handler = an_environment_here(world)
    event = {"Records": inserted}
    failed = [each for each in inserted if each["dynamodb"]["Keys"]["aggregateId"]["S"] in failing]
    assert handler.handle(event, lambda: True) == failures(failed)
    assert world.outbox() == {each.event_id for each in committed if each.aggregate_id in failing}
    failing.clear()
    assert handler.handle(event, lambda: True) == {"batchItemFailures": []}
    assert not world.outbox()
    assert Counter(world.on_bus()) == Counter(ids(committed))
    assert world.in_order()


def test_poison_is_in_the_dead_letter_queue_with_its_reason(world: World) -> None:
    """A row that is no record, and an entry that EventBridge never takes; all others arrive."""
    bad, *good = world.commit(records(5))
    world.put({"aggregateId": "broken", "sequence": 1})
    world.gate.fail_entries(
        lambda entry: ("MalformedDetail", "no") if '"a0-1"' in entry["Detail"] else None
    )
    mapping = mapped(an_environment_here(world))
    mapping.read(shard_of(world.aws, TABLE))
    assert not mapping.dropped
    letters = {
        letter["MessageAttributes"]["errorType"]["StringValue"]: letter["Body"]
        for letter in world.drained(DLQ)
    }
    assert letters["NeverAccepted"] == bad.to_json()
    assert json.loads(letters["MalformedRecord"]) == {"aggregateId": "broken", "sequence": 1}
    assert set(world.on_bus()) == ids(good)
    assert not world.aws.client("dynamodb").scan(TableName=TABLE)["Items"]


def test_the_bus_is_away_for_longer_than_the_mapping_tries(world: World) -> None:
    """The records are dropped and reported, their rows stay; a sweep brings them in order."""
    committed = records(20, aggregates=4)
    world.commit(committed)
    handler = an_environment_here(world)
    world.gate.refuse("PutEvents", 503, "ServiceUnavailable")
    mapping = mapped(handler, retries=1)
    inserted = shard_of(world.aws, TABLE)
    mapping.read(inserted)
    assert {info["DDBStreamBatchInfo"]["startSequenceNumber"] for info in mapping.dropped} <= {
        number_of(each) for each in inserted
    }
    assert world.outbox() == ids(committed)
    assert not world.drained(DLQ)
    world.gate.open()
    sweep_within(20, dynamodb_adapters(world), EVERYTHING)
    assert Counter(world.on_bus()) == Counter(ids(committed))
    assert world.in_order()
    assert not world.outbox()
