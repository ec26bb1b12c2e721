"""From the FIFO queue to the bus on the emulator, as the process that does it."""

import signal
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from local.child import signal_child
from tests.conftest import MiniStack
from tests.relay_world import (
    FIFO,
    FIFO_DLQ,
    World,
    a_world,
    depth,
    ids,
    records,
    send,
)
from verification.testkit.launcher import LaunchedProcess
from verification.testkit.waiting import eventually


@pytest.fixture(scope="module")
def world(ministack: MiniStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with a_world(ministack, tmp_path_factory.mktemp("forward")) as world:
        world.provision_forwarding()
        yield world


@pytest.fixture
def impatient(ministack: MiniStack, tmp_path: Path) -> Iterator[World]:
    """A queue that gives up soon on a message that is held: after 2 s, and after 3 receives."""
    with a_world(ministack, tmp_path) as world:
        world.provision_forwarding(visibility_timeout=2)
        with world.relay("forward", FIFO_QUEUE=FIFO, QUEUE_WAIT_SECONDS="1"):
            yield world


@pytest.fixture(scope="module")
def process(world: World) -> Iterator[LaunchedProcess]:
    """One forwarder for all tests but those that need a queue of their own."""
    with world.relay("forward", FIFO_QUEUE=FIFO, QUEUE_WAIT_SECONDS="1") as process:
        yield process


@pytest.fixture
def forwarding(world: World, process: LaunchedProcess) -> Iterator[World]:
    yield world
    world.gate.open()
    assert process.child.poll() is None, process.output.read_text()


def until_empty(world: World) -> None:
    eventually(lambda: not depth(world), what="an empty queue")


def aggregates(world: World, prefix: str) -> dict[str, list[int]]:
    return {name: found for name, found in world.sequences().items() if name.startswith(prefix)}


def arrivals(world: World, prefix: str) -> int:
    return sum(event_id.startswith(prefix) for event_id in world.on_bus())


def test_everything_is_on_the_bus_in_order_once(forwarding: World) -> None:
    """A hundred events of ten aggregates: each aggregate in order, nothing left in the queue."""
    committed = records(100, aggregates=10, prefix="plain")
    send(forwarding, committed)
    forwarding.until_on_bus(ids(committed))
    until_empty(forwarding)
    found = aggregates(forwarding, "plain")
    assert len(found) == 10
    assert all(sequences == list(range(1, 11)) for sequences in found.values())
    assert arrivals(forwarding, "plain") == 100


def test_a_malformed_body_is_dead_lettered_beside_good_ones(forwarding: World) -> None:
    """Byte for byte, with the reason, in its group; the next of its group arrives."""
    sqs, url = forwarding.aws.client("sqs"), forwarding.url(FIFO)
    sqs.send_message(
        QueueUrl=url,
        MessageBody=' {"not": "a record"} ',
        MessageGroupId="beside0",
        MessageDeduplicationId="poison",
    )
    committed = records(4, aggregates=2, prefix="beside")
    send(forwarding, committed)
    forwarding.until_on_bus(ids(committed))
    until_empty(forwarding)
    (letter,) = forwarding.drained(FIFO_DLQ)
    assert letter["Body"] == ' {"not": "a record"} '
    assert letter["Attributes"]["MessageGroupId"] == "beside0"
    assert letter["MessageAttributes"]["errorType"]["StringValue"] == "MalformedRecord"
    assert "eventId is missing" in letter["MessageAttributes"]["errorMessage"]["StringValue"]


@pytest.mark.parametrize("fault", ["throttled", "cut"])
def test_an_outage_loses_nothing_and_buries_nothing(impatient: World, fault: str) -> None:
    """It lasts longer than the visibility timeout times the receives that the queue allows."""
    committed = records(20, aggregates=5, prefix=fault)
    if fault == "throttled":
        impatient.gate.refuse("PutEvents", 503, "ServiceUnavailable")
        send(impatient, committed)
        # 2 s a receive, 3 receives: after 7 s a queue would have given it up.
        since = monotonic()
        eventually(lambda: monotonic() - since > 7, what="a long outage")
    else:
        impatient.gate.hold("before", "PutEvents")
        send(impatient, committed)
        impatient.gate.reached("before", "PutEvents")
        impatient.gate.cut()
    assert not arrivals(impatient, fault)
    impatient.gate.open()
    impatient.until_on_bus(ids(committed))
    until_empty(impatient)
    assert not impatient.drained(FIFO_DLQ)
    found = aggregates(impatient, fault)
    assert all(sequences == [1, 2, 3, 4] for sequences in found.values())


def test_sigterm_puts_back_what_is_held(ministack: MiniStack, tmp_path: Path) -> None:
    """It exits 0 within 10 s, and the messages are visible at once, not after their timeout."""
    with a_world(ministack, tmp_path) as world:
        world.provision_forwarding(visibility_timeout=600)
        with world.relay("forward", FIFO_QUEUE=FIFO, QUEUE_WAIT_SECONDS="1") as process:
            world.gate.refuse("PutEvents", 400, "ThrottlingException")
            send(world, records(20, aggregates=4))
            eventually(lambda: world.gate.calls["PutEvents"] >= 3, what="tries in vain")
            signal_child(process.child, signal.SIGTERM)
            assert process.child.wait(timeout=60) == 0
        assert len(world.drained(FIFO)) == 20
