"""The Lambda functions as the image runs them: AWS's runtime client, its API, a real process."""

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from relay.aws_lambda import LEAST_TIMEOUT
from runtime.ids import utc_now
from tests.conftest import MiniStack
from tests.relay_world import TABLE, World, a_keyed_record, a_world, ids, records
from tests.runtime_api import FunctionError, an_environment
from tests.stream_events import shard_of

PUBLISH, SWEEP = "relay.aws_lambda.publish", "relay.aws_lambda.sweep"

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="AWS's runtime client is for Linux, as the image is"
)


@pytest.fixture
def world(ministack: MiniStack, tmp_path: Path) -> Iterator[World]:
    with a_world(ministack, tmp_path) as world:
        world.provision_dynamodb()
        yield world


def test_the_images_command_publishes_batches(world: World) -> None:
    """Two invocations of one environment: it looks for its bus and its queue once."""
    early, late = world.commit(records(30)), records(30, prefix="b")
    with an_environment(world.folder, PUBLISH, world.environment()) as api:
        first = shard_of(world.aws, TABLE)
        assert api.invoke({"Records": first}) == {"batchItemFailures": []}
        world.commit(late)
        second = shard_of(world.aws, TABLE)[len(first) :]
        assert api.invoke({"Records": second}) == {"batchItemFailures": []}
        assert api.invoke({"Records": [*first, *second]}) == {"batchItemFailures": []}
        lines = api.lines()
    assert Counter(world.on_bus()) == Counter(ids(early) | ids(late))
    assert not world.outbox()
    assert world.gate.calls["DescribeEventBus"] == world.gate.calls["GetQueueUrl"] == 1
    published = [event for line in lines for event in line.get("eventIds", [])]
    assert Counter(published) == Counter(ids(early) | ids(late))
    assert {line["process"] for line in lines} == {"relay-dynamodb"}
    assert {line["event"] for line in lines} == {"published"}


def test_the_images_command_sweeps(world: World) -> None:
    """What is old enough leaves, and one line tells of it, for a metric filter to read."""
    an_hour_ago = utc_now() - timedelta(hours=1)
    old = [a_keyed_record(f"a{n}", 1, occurred_at=an_hour_ago) for n in range(3)]
    world.put(*(record.to_document() for record in old))
    (young,) = world.commit(records(1, prefix="young"))
    with an_environment(world.folder, SWEEP, world.environment(SWEEP_MIN_AGE_SECONDS="60")) as api:
        assert api.invoke({"source": "aws.events", "detail-type": "Scheduled Event"}) is None
        assert world.outbox() == {young.event_id}
        assert api.invoke({}) is None
        (line,) = [line for line in api.lines() if line["event"] == "swept"]
    assert sorted(world.on_bus()) == sorted(ids(old))
    assert line.pop("oldestAgeSeconds") == pytest.approx(3600, abs=60)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "swept",
        "found": 3,
        "new": 3,
        "level": "info",
        "logger": "relay.sweeper",
        "process": "sweep-dynamodb",
    }


@pytest.mark.parametrize("handler", [PUBLISH, SWEEP])
def test_a_bus_that_does_not_exist_fails_the_invocation(world: World, handler: str) -> None:
    """By its name, before anything is lost to it; once it is there the environment goes on."""
    committed = records(3)
    world.commit(committed)
    environment = world.environment(EVENT_BUS="later", SWEEP_MIN_AGE_SECONDS="0")
    event = {"Records": shard_of(world.aws, TABLE)}
    with an_environment(world.folder, handler, environment) as api:
        with pytest.raises(FunctionError, match=r"^Misconfigured: the event bus later does not"):
            api.invoke(event)
        assert world.outbox() == ids(committed)
        world.aws.client("events").create_event_bus(Name="later")
        api.invoke(event)
    assert not world.outbox()


def test_an_outage_fails_a_sweep_visibly(world: World) -> None:
    """The function reports an error, which an alarm counts; the rows stay where they are."""
    committed = records(3)
    world.commit(committed)
    with an_environment(world.folder, SWEEP, world.environment(SWEEP_MIN_AGE_SECONDS="0")) as api:
        world.gate.refuse("Scan", 503, "ServiceUnavailable")
        with pytest.raises(FunctionError, match="Unavailable: DynamoDB"):
            api.invoke({})
        world.gate.open()
        world.gate.refuse("PutEvents", 503, "ServiceUnavailable")
        with pytest.raises(FunctionError, match="NothingSwept: none of 3 rows"):
            api.invoke({}, timeout=LEAST_TIMEOUT)
        world.gate.open()
        assert world.outbox() == ids(committed)
        api.invoke({})
    assert not world.outbox()
