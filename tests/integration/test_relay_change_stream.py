"""From a MongoDB outbox to a FIFO queue, on a real server, with what can end a change stream."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.uri_parser import parse_uri

from infra.local_system.ports import LOOPBACK
from runtime.ids import utc_now
from tests.conftest import MiniStack
from tests.received import Received
from tests.relay_world import (
    COLLECTION,
    FIFO_DLQ,
    World,
    a_keyed_record,
    a_world,
    change_stream_adapters,
    in_threads,
    mongo_documents,
    mongo_settings,
    records,
)
from verification.testkit.launcher import run_to_end
from verification.testkit.tcp_proxy import TcpProxy
from verification.testkit.waiting import eventually


@pytest.fixture
def world(ministack: MiniStack, mongodb_uri: str, tmp_path: Path) -> Iterator[World]:
    with a_world(ministack, tmp_path, mongodb_uri=mongodb_uri) as world:
        world.provision_change_stream()
        yield world


def test_what_is_committed_is_in_the_queue_and_leaves_the_outbox(world: World) -> None:
    """Before and after the relay's start, once, in the group of its aggregate and in order."""
    early, late = records(60, aggregates=20), records(120, aggregates=30, prefix="b")
    world.insert(early)
    with in_threads(change_stream_adapters(world)):
        world.insert(late)
        Received(world).until(early + late)
        world.until_collection_is_empty()


def test_poison_documents_are_dead_lettered_and_their_neighbours_sent(world: World) -> None:
    """Whatever their `_id` is: dead-lettered with the reason, and no other row waits."""
    good = [a_keyed_record("good", 1), a_keyed_record("broken", 2)]
    fields = a_keyed_record("broken", 1).to_document()
    poison: list[dict[str, Any]] = [
        {"_id": 7, "what": "number"},
        {"_id": "text", "what": "text"},
        {"_id": {"aggregateId": "broken", "sequence": 1}, **fields, "detail": "{"},
        {"_id": {"aggregateId": "broken", "sequence": {"not": "a number"}}, "what": "sequence"},
        {"_id": {"aggregateId": "two words", "sequence": 1}, "what": "group"},
    ]
    world.collection.insert_many(poison[:2])
    with in_threads(change_stream_adapters(world)):
        world.collection.insert_many(poison[2:])
        world.insert(good)
        Received(world).until(good)
        world.until_collection_is_empty()
    letters = world.drained(FIFO_DLQ)
    bodies = [json.loads(letter["Body"]) for letter in letters]
    assert len(bodies) == 5
    assert {body.get("what", body.get("detail")) for body in bodies} == {
        "number",
        "text",
        "{",
        "sequence",
        "group",
    }
    for letter in letters:
        assert letter["MessageAttributes"]["errorType"]["StringValue"] == "MalformedRecord"
        assert letter["MessageAttributes"]["errorMessage"]["StringValue"]


def test_a_collection_that_is_dropped_ends_the_stream_and_not_the_relay(world: World) -> None:
    """Invalidated, the stream cannot resume: it is opened again, and what came between is swept."""
    received = Received(world)
    before, between, after = (records(5, prefix=name) for name in "xyz")
    with in_threads(change_stream_adapters(world)):
        received.carry(before)
        world.until_collection_is_empty()
        world.collection.drop()
        world.collection.database.create_collection(COLLECTION)
        received.carry(between)
        received.carry(after)
        world.until_collection_is_empty()


def test_a_cursor_that_the_server_kills_is_made_up_for(world: World) -> None:
    """Its place may be gone or not: everything arrives."""
    received = Received(world)
    before, after = records(5), records(5, prefix="b")
    with in_threads(change_stream_adapters(world)):
        received.carry(before)
        assert world.kill_cursors()
        received.carry(after)
        world.until_collection_is_empty()


def test_a_server_that_goes_away_and_comes_back(world: World) -> None:
    """Without a restart the relay waits, opens the stream again and sweeps."""
    received = Received(world)
    before, during, after = (records(20, prefix=name) for name in "xyz")
    (_, port) = parse_uri(str(world.mongodb_uri))["nodelist"][0]
    with TcpProxy(int(port or 0)).running() as proxy:
        uri, world.mongodb_uri = (
            world.mongodb_uri,
            f"mongodb://{LOOPBACK}:{proxy.port}/?directConnection=true",
        )
        adapters = change_stream_adapters(world)
        world.mongodb_uri = uri
        with in_threads(adapters):
            received.carry(before)
            world.until_collection_is_empty()
            proxy.cut()
            world.insert(during)
            proxy.restore()
            received.until(during)
            received.carry(after)
            world.until_collection_is_empty()


@pytest.mark.parametrize("fault", ["away", "throttled", "answers lost"])
def test_a_queue_that_fails_for_a_while(world: World, fault: str) -> None:
    """Documents stay until they are sent; what was sent without an answer is not sent twice."""
    committed = records(40, aggregates=10)
    received = Received(world)
    with in_threads(change_stream_adapters(world)):
        if fault == "away":
            world.gate.cut()
        elif fault == "throttled":
            world.gate.refuse("SendMessageBatch", 400, "RequestThrottled")
        else:
            world.gate.drop_answers("SendMessageBatch", times=6)
        world.insert(committed)
        eventually(lambda: world.gate.calls["SendMessageBatch"] > 3, what="tries in vain")
        world.gate.open()
        received.until(committed)
        world.until_collection_is_empty()
    assert not world.drained(FIFO_DLQ)


def test_a_document_that_the_stream_never_shows_is_swept(world: World) -> None:
    """A row that was turned into an outbox row by an update is no insertion: the sweep finds it."""
    received = Received(world)
    hidden = a_keyed_record("hidden", 1, occurred_at=utc_now() + timedelta(seconds=0.5))
    (document,) = mongo_documents([hidden])
    with in_threads(change_stream_adapters(world), min_age=0.2, interval=0.2):
        world.collection.update_one({"_id": document["_id"]}, {"$set": document}, upsert=True)
        received.until([hidden])
        world.until_collection_is_empty()


def test_one_sweep_sends_what_stayed_and_ends(world: World) -> None:
    """`relay sweep change-stream` exits 0 when the outbox is empty."""
    committed = records(60, aggregates=20)
    world.insert(committed)
    environment = world.environment(SWEEP_MIN_AGE_SECONDS="0", **mongo_settings(world))
    code, output = run_to_end(world.folder, "relay", "sweep change-stream", environment)
    assert code == 0, output
    Received(world).until(committed)
    assert not world.collection.count_documents({})
