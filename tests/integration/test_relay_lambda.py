"""The Lambda relay on the emulator: real stream records, a real bus, and what can go wrong."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relay.aws_lambda import LEAST_TIMEOUT, sweep_within
from relay.batch import BatchPublisher, StreamBatchHandler
from runtime.metrics import RelayMetrics, new_registry
from tests.conftest import MiniStack
from tests.event_source_mapping import EventSourceMapping
from tests.lambda_relay import EVERYTHING
from tests.relay_world import DLQ, TABLE, World, a_world, dynamodb_adapters, ids, records
from tests.stream_events import number_of, shard_of


@pytest.fixture
def world(ministack: MiniStack, tmp_path: Path) -> Iterator[World]:
    with a_world(ministack, tmp_path) as world:
        world.provision_dynamodb()
        yield world


def an_environment_here(world: World) -> StreamBatchHandler:
    """What the function keeps, with waits between its tries that are short."""
    metrics = RelayMetrics(new_registry())
    publisher = BatchPublisher(dynamodb_adapters(world), metrics, wait=lambda seconds: None)
    return StreamBatchHandler(publisher, TABLE)


def mapped(handler: StreamBatchHandler, **options: Any) -> EventSourceMapping:
    return EventSourceMapping(lambda event: handler.handle(event, lambda: LEAST_TIMEOUT), **options)


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
