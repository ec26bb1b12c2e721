"""A consumer whose client misbehaves: no held message, thread or claim is left behind."""

import threading
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from contracts.envelope import NotAnEvent
from runtime.errors import Unavailable
from runtime.sqs.consumer import Consumer
from runtime.sqs.queue import (
    MAX_ATTRIBUTE_BYTES,
    MAX_BATCH_BYTES,
    MAX_ERROR_MESSAGE,
    SourceQueue,
    dead_letter,
)
from tests.consuming import messages_of

QUEUE = SourceQueue("work", "url", "work-dlq", "dlq-url", max_receives=5, visibility_timeout=60)


class FakeSqs:
    """One message, and a bug of ours in the receive once it is being handled."""

    def __init__(self, handled: threading.Event, *, visibility_fails: bool = False) -> None:
        self._handled, self._visibility_fails = handled, visibility_fails
        self._received = False
        self.visibility: list[int] = []
        self.sent: list[Any] = []

    def receive_message(self, **_: Any) -> Any:
        if not self._received:
            self._received = True
            return {"Messages": [{"MessageId": "1", "ReceiptHandle": "r", "Body": "b"}]}
        self._handled.wait(60)
        raise TypeError("a bug")

    def change_message_visibility(self, *, VisibilityTimeout: int, **_: Any) -> None:  # noqa: N803
        self.visibility.append(VisibilityTimeout)
        if self._visibility_fails:
            raise ClientError({"Error": {"Code": "Odd"}}, "ChangeMessageVisibility")

    def send_message(self, **request: Any) -> None:
        self.sent.append(request)


class AwayWork:
    def __init__(self, tried: threading.Event) -> None:
        self._tried = tried

    def handle(self, body: str) -> None:
        self._tried.set()
        raise Unavailable("DynamoDB", "testing")

    def is_permanent(self, error: Exception) -> bool:
        return False


@pytest.mark.parametrize("visibility_fails", [False, True])
def test_a_consumer_that_fails_lets_go_of_what_it_holds(visibility_fails: bool) -> None:
    """A bug in the receive ends the consumer, although a message is held for an outage."""
    tried = threading.Event()
    sqs = FakeSqs(tried, visibility_fails=visibility_fails)
    messages = messages_of(sqs, AwayWork(tried), queue=QUEUE, wait_seconds=8)
    with pytest.raises(TypeError):
        Consumer(messages).run()
    assert messages.stop.requested
    assert sqs.visibility[0] == 60  # held for as long as the queue allows, and the delay
    assert sqs.visibility[-1] == 8  # released, for when our last poll is over


def test_an_error_message_is_what_sqs_takes() -> None:
    """Cut to its limit, without characters that SQS refuses, never empty, without bank details."""
    sqs = FakeSqs(threading.Event())
    errors = [NotAnEvent("x" * 5000), NotAnEvent("\x00\x1b\ud800 at 12-34-56"), NotAnEvent()]
    for error in errors:
        dead_letter(cast("Any", sqs), "dlq-url", "b", error)
    texts = [request["MessageAttributes"]["errorMessage"]["StringValue"] for request in sqs.sent]
    mark = "\N{REPLACEMENT CHARACTER}"
    assert texts == ["x" * MAX_ERROR_MESSAGE, f"{mark * 3} at ***", "NotAnEvent"]
    assert {request["MessageBody"] for request in sqs.sent} == {"b"}


def test_a_dead_letter_says_how_often_its_queue_gave_it_out() -> None:
    """Where it comes from a queue: a relay's row was given out by none."""
    sqs = FakeSqs(threading.Event())
    dead_letter(cast("Any", sqs), "dlq-url", "b", NotAnEvent(), receives=5)
    dead_letter(cast("Any", sqs), "dlq-url", "b", NotAnEvent())
    counts = [request["MessageAttributes"].get("receiveCount") for request in sqs.sent]
    assert counts == [{"DataType": "Number", "StringValue": "5"}, None]


def test_a_dead_letter_as_large_as_a_message_may_be_goes_without_attributes() -> None:
    """They count against the same mebibyte: a message of any size can be set aside."""
    sqs = FakeSqs(threading.Event())
    room = MAX_BATCH_BYTES - MAX_ATTRIBUTE_BYTES
    for size in (room, room + 1, MAX_BATCH_BYTES):
        dead_letter(cast("Any", sqs), "dlq-url", "x" * size, NotAnEvent("no"), encoding="row-key")
    kept, *others = (request["MessageAttributes"] for request in sqs.sent)
    assert kept["bodyEncoding"]["StringValue"] == "row-key"
    assert others == [{}, {}]
