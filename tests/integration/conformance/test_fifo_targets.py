"""The relay's FIFO target and its dead letters over either client."""

import json

import pytest

from relay.adapters.sqs_fifo import DeadLetterQueue, FifoQueue
from runtime.errors import Misconfigured
from runtime.sqs.queue import find_queue
from tests.integration.conformance.conftest import (
    MAX_RECEIVES,
    VISIBILITY,
    Queues,
    bodies,
)
from tests.relay_fakes import record_of


def name_of(url: str) -> str:
    return url.rpartition("/")[2]


def test_records_come_in_order_per_aggregate_and_once(fifo: Queues) -> None:
    """A batch that is published again adds nothing."""
    target = FifoQueue(fifo.sqs, name_of(fifo.url))
    records = [record_of("a", 1), record_of("b", 1), record_of("a", 2)]
    assert target.publish(records) == [None] * 3
    assert target.publish(records) == [None] * 3
    found = [(each["aggregateId"], each["sequence"]) for each in map(json.loads, all_of(fifo))]
    assert sorted(found) == [("a", 1), ("a", 2), ("b", 1)]
    assert [sequence for name, sequence in found if name == "a"] == [1, 2]


def test_a_dead_letter_has_its_reason(fifo: Queues) -> None:
    """Body byte for byte, error type and message."""
    dead_letters = DeadLetterQueue(fifo.sqs, name_of(fifo.dlq_url))
    dead_letters.send("a", "{broken", ValueError("it is broken"))
    (message,) = fifo.receive(dead=True)
    attributes = message["MessageAttributes"]
    assert message["Body"] == "{broken"
    assert attributes["errorType"]["StringValue"] == "ValueError"
    assert attributes["errorMessage"]["StringValue"] == "it is broken"


def test_a_queue_is_found_with_its_limits(fifo: Queues) -> None:
    """As a consumer needs it; one that is not there is a misconfiguration."""
    queue = find_queue(fifo.sqs, name_of(fifo.url))
    assert (queue.max_receives, queue.visibility_timeout) == (MAX_RECEIVES, VISIBILITY)
    assert queue.dead_letter_url == fifo.dlq_url
    with pytest.raises(Misconfigured):
        find_queue(fifo.sqs, "no-such-queue")


def all_of(fifo: Queues) -> list[str]:
    found: list[str] = []
    while messages := fifo.receive():
        found += bodies(messages)
        fifo.delete(*messages)
    return found
