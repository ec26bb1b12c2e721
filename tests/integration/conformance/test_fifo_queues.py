"""What a FIFO queue does with groups and with what it has seen, in memory as behind a client."""

from typing import Any

from tests.integration.conformance.conftest import MAX_RECEIVES, Queues, bodies


def test_a_group_comes_in_order(fifo: Queues) -> None:
    """Several of one group can come in one receive, in the order in which they were sent."""
    fifo.send("a1", "a2", "a3", group="a")
    received = fifo.receive()
    assert bodies(received) == ["a1", "a2", "a3"]
    assert {message["Attributes"]["MessageGroupId"] for message in received} == {"a"}


def test_a_group_in_hand_is_given_to_nobody_else(fifo: Queues) -> None:
    """While its head is held the rest waits, and other groups do not."""
    fifo.send("a1", "a2", group="a")
    fifo.send("b1", group="b")
    (head,) = fifo.receive(1)
    assert head["Body"] == "a1"
    assert bodies(fifo.receive()) == ["b1"]
    assert fifo.receive() == []
    fifo.delete(head)
    assert bodies(fifo.receive()) == ["a2"]


def test_a_group_that_was_let_go_comes_again_from_its_head(fifo: Queues) -> None:
    """After the timeout, in the same order."""
    fifo.send("a1", "a2", group="a")
    fifo.receive()
    again = bodies(fifo.received_in_time())
    assert again == ["a1", "a2"]


def test_what_was_taken_once_is_not_taken_again(fifo: Queues) -> None:
    """The same deduplication id within five minutes: accepted, and not there twice."""
    fifo.send("a1", "a1", "a2", group="a")
    received = fifo.receive()
    assert bodies(received) == ["a1", "a2"]
    fifo.delete(*received)
    fifo.send("a1", group="a")
    assert fifo.receive() == []


def test_a_head_that_had_its_receives_makes_way(fifo: Queues) -> None:
    """It is in the dead-letter queue, with its group, and the next of its group comes."""
    fifo.send("a1", group="a")
    heads: list[str] = []
    dead: list[dict[str, Any]] = []

    def is_dead() -> bool:
        heads.extend(bodies(fifo.receive(1)))
        dead.extend(fifo.receive(dead=True))
        return bool(dead)

    fifo.until(is_dead)
    fifo.send("a2", group="a")
    assert heads == ["a1"] * MAX_RECEIVES
    assert dead[0]["Attributes"]["MessageGroupId"] == "a"
    assert bodies(fifo.receive()) == ["a2"]
