"""From a DynamoDB outbox to a bus on the emulator, with what can go wrong at each call."""

import json
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.child import signal_child
from tests.conftest import MiniStack
from tests.relay_world import (
    DLQ,
    World,
    a_world,
    dynamodb_adapters,
    ids,
    in_threads,
    records,
)
from verification.testkit.launcher import run_to_end
from verification.testkit.waiting import eventually


@pytest.fixture
def world(ministack: MiniStack, tmp_path: Path) -> Iterator[World]:
    with a_world(ministack, tmp_path) as world:
        world.provision_dynamodb()
        yield world


def test_what_is_committed_is_on_the_bus_and_leaves_the_outbox(world: World) -> None:
    """Before and after the relay's start, each event once and each aggregate in order."""
    early, late = records(150, aggregates=30), records(300, aggregates=50, prefix="b")
    world.commit(early)
    with in_threads(dynamodb_adapters(world)):
        world.commit(late)
        world.until_published(early, late)
    assert world.duplicates() == 0
    assert world.in_order()


def test_only_the_entries_that_failed_behind_200_are_sent_again(world: World) -> None:
    """Every second aggregate fails twice: no event is on the bus twice, and all are, in order."""
    committed = records(60, aggregates=20)
    tries: Counter[str] = Counter()

    def choose(entry: dict[str, Any]) -> tuple[str, str] | None:
        detail = json.loads(entry["Detail"])
        tries[detail["id"]] += 1
        fails = int(detail["aggregate"][1:]) % 2 and tries[detail["id"]] <= 2
        return ("InternalFailure", "try again") if fails else None

    world.gate.fail_entries(choose)
    with in_threads(dynamodb_adapters(world)):
        world.carry(committed)
    assert world.duplicates() == 0
    assert world.in_order()
    assert {count for event, count in tries.items() if int(event[1:].split("-")[0]) % 2} == {3}
    assert {count for event, count in tries.items() if not int(event[1:].split("-")[0]) % 2} == {1}


def test_an_event_that_eventbridge_never_takes_is_dead_lettered(world: World) -> None:
    """Its record is in the DLQ with code and message, its row is gone, its neighbours are sent."""
    _, *good = events = records(5)
    world.gate.fail_entries(
        lambda entry: (
            ("MalformedDetail", "Detail is malformed.") if '"a0-1"' in entry["Detail"] else None
        )
    )
    with in_threads(dynamodb_adapters(world)):
        bad = world.commit(events)[0]
        world.until_published(good)
    (letter,) = world.drained(DLQ)
    assert letter["Body"] == bad.to_json()
    attributes = letter["MessageAttributes"]
    assert attributes["errorType"]["StringValue"] == "NeverAccepted"
    assert attributes["errorMessage"]["StringValue"] == "MalformedDetail: Detail is malformed."
    assert set(world.on_bus()) == ids(good)


@pytest.mark.parametrize(
    ("operation", "status", "code"),
    [
        ("PutEvents", 400, "ThrottlingException"),
        ("PutEvents", 503, "ServiceUnavailable"),
        ("BatchWriteItem", 400, "ProvisionedThroughputExceededException"),
        ("GetRecords", 400, "ExpiredIteratorException"),
        ("GetRecords", 500, "InternalServerError"),
        ("Scan", 503, "ServiceUnavailable"),
    ],
)
def test_a_call_that_is_refused_for_a_while(
    world: World, operation: str, status: int, code: str
) -> None:
    """Throttled, away or expired: nothing is lost or dead-lettered.

    Nothing is doubled and order holds, too, unless the relay lost its place: then a sweep and the
    stream bring an aggregate's events side by side.
    """
    early, late = records(30, aggregates=10), records(30, aggregates=10, prefix="b")
    world.commit(early)
    world.gate.refuse(operation, status, code, times=3)
    with in_threads(dynamodb_adapters(world)):
        world.commit(late)
        world.until_published(early, late)
    assert world.gate.calls[operation] >= 3
    assert not world.drained(DLQ)
    if operation != "GetRecords":
        assert world.in_order()
        assert world.duplicates() == 0


def test_an_answer_that_is_lost_is_asked_for_again(world: World) -> None:
    """The events were accepted, the response was lost: they are sent twice, and never lost."""
    committed = records(20)
    world.gate.drop_answers("PutEvents", times=1)
    with in_threads(dynamodb_adapters(world)):
        world.carry(committed)
    assert 0 < world.duplicates() <= 10


def test_aws_goes_away_in_mid_flow_and_comes_back(world: World) -> None:
    """The relay recovers by itself; what was committed meanwhile arrives, and order holds."""
    before, during, after = (records(40, aggregates=8, prefix=name) for name in "xyz")
    with in_threads(dynamodb_adapters(world)):
        world.commit(before)
        world.until_on_bus(ids(before[:5]))
        world.gate.cut()
        world.commit(during)
        calls = world.gate.calls["GetRecords"]
        eventually(lambda: world.gate.calls["GetRecords"] > calls + 1, what="tries in vain")
        world.gate.drop()
        world.commit(after)
        world.until_published(before, during, after)
    assert world.in_order()


def test_a_row_that_the_stream_never_shows_is_swept(world: World) -> None:
    """The stream is mute from the start: the periodic sweep alone delivers, after the min age."""
    early, hidden = records(3), records(10, prefix="b")
    world.commit(early)
    with in_threads(dynamodb_adapters(world), min_age=0.5, interval=0.2):
        world.until_on_bus(ids(early))
        world.gate.refuse("GetRecords", 500, "InternalServerError")
        world.carry(hidden)
    assert world.duplicates() == 0


def test_one_sweep_publishes_what_stayed_and_ends(world: World) -> None:
    """`relay sweep dynamodb` exits 0 when the outbox is empty; what is young is left alone."""
    committed = records(60, aggregates=20)
    world.commit(committed)
    world.put({"aggregateId": "broken", "sequence": 1})
    environment = world.environment(SWEEP_MIN_AGE_SECONDS="0")
    code, output = run_to_end(world.folder, "relay", "sweep dynamodb", environment)
    assert code == 0, output
    assert sorted(world.on_bus()) == sorted(ids(committed))
    assert world.in_order()
    assert not world.outbox()
    assert len(world.drained(DLQ)) == 1


def test_sigterm_amid_a_drain_loses_and_doubles_nothing(world: World) -> None:
    """It exits 0 within 10 s having deleted all it published; the next one sends the rest."""
    committed = records(300, aggregates=150)
    world.commit(committed)
    world.gate.hold("after", "PutEvents", passing=10)
    with world.relay("dynamodb") as process:
        world.gate.reached("after", "PutEvents")
        signal_child(process.child, signal.SIGTERM)
        eventually(lambda: '"stopping"' in process.output.read_text(), what="a stopping relay")
        world.gate.open()
        assert process.child.wait(timeout=60) == 0
    published, pending = set(world.on_bus()), world.outbox()
    assert pending, "it was done before the signal came"
    assert not published & pending
    assert published | pending == ids(committed)
    with world.relay("dynamodb"):
        world.until_published(committed)
    assert world.duplicates() == 0
    assert world.in_order()
