"""What a queue does with messages, in memory as behind a real client."""

from typing import Any

from tests.integration.conformance.conftest import MAX_RECEIVES, Queues, bodies


def test_a_received_message_is_hidden_until_its_timeout(standard: Queues) -> None:
    """Nobody else receives it before, and its receives are counted."""
    standard.send("a")
    (first,) = standard.receive()
    assert standard.receive() == []
    again = standard.received_in_time()
    assert again[0]["Body"] == "a"
    assert first["Attributes"]["ApproximateReceiveCount"] == "1"
    assert again[0]["Attributes"]["ApproximateReceiveCount"] == "2"
    assert again[0]["ReceiptHandle"] != first["ReceiptHandle"]


def test_a_deleted_message_never_comes_again(standard: Queues) -> None:
    """A batch of three, of which two are deleted: the third comes again, alone."""
    standard.send("a", "b", "c")
    received = standard.receive()
    assert sorted(bodies(received)) == ["a", "b", "c"]
    kept = next(message for message in received if message["Body"] == "b")
    standard.delete(*(message for message in received if message is not kept))
    again = bodies(standard.received_in_time())
    assert again == ["b"]


def test_a_receive_takes_no_more_than_it_asks_for(standard: Queues) -> None:
    """Two of three, then the third."""
    standard.send("a", "b", "c")
    first, second = standard.receive(2), standard.receive(2)
    assert (len(first), len(second)) == (2, 1)
    assert sorted(bodies(first + second)) == ["a", "b", "c"]


def test_a_message_is_shown_when_its_holder_says(standard: Queues) -> None:
    """At once for 0 s; for longer than the queue's timeout if that is wanted."""
    standard.send("a", "b")
    received = {message["Body"]: message for message in standard.receive()}
    standard.show_in(60, received["a"])
    standard.show_in(0, received["b"])
    assert bodies(standard.receive()) == ["b"]
    again = bodies(standard.received_in_time())
    assert again == ["b"], "a was hidden for a minute"


def test_after_its_receives_a_message_is_in_the_dead_letter_queue(standard: Queues) -> None:
    """Body and attributes go with it; the queue says nothing of why."""
    attributes = {"errorType": {"DataType": "String", "StringValue": "Old"}}
    standard.sqs.send_message(QueueUrl=standard.url, MessageBody="a", MessageAttributes=attributes)
    receives: list[str] = []

    def is_dead() -> bool:
        receives.extend(bodies(standard.receive()))
        dead.extend(standard.receive(dead=True))
        return bool(dead)

    dead: list[dict[str, Any]] = []
    standard.until(is_dead)
    assert receives == ["a"] * MAX_RECEIVES
    assert dead[0]["Body"] == "a"
    assert dead[0]["MessageAttributes"]["errorType"]["StringValue"] == "Old"
    assert standard.receive() == []


def test_a_queue_tells_what_waits_and_what_is_hidden(standard: Queues) -> None:
    """Of three, one is received."""
    standard.send("a", "b", "c")
    standard.receive(1)
    attributes = standard.sqs.get_queue_attributes(QueueUrl=standard.url, AttributeNames=["All"])[
        "Attributes"
    ]
    assert attributes["ApproximateNumberOfMessages"] == "2"
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "1"
