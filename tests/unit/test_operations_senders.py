"""What goes with a batch that AWS refuses as a whole: only what is wrong itself."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from botocore.exceptions import ClientError

from operations.dlq.outgoing import Event, Message
from operations.dlq.senders import BusSender, Outgoing, WorkQueueSender
from tests.builders import START
from tests.dead_letters import dead_letters_of

REFUSED = {"Error": {"Code": "InvalidMessageContents", "Message": "what SQS refuses"}}
UNLISTED = {"Error": {"Code": "NobodyKnowsThis", "Message": "it is in no list"}}


class Refusing:
    """SQS and EventBridge in one: refuse every batch that has something bad in it."""

    def __init__(self, refusal: Mapping[str, Any] = REFUSED) -> None:
        self._refusal = refusal

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Any]) -> Mapping[str, Any]:  # noqa: N803
        if any(entry["MessageBody"] == "bad" for entry in Entries):
            raise ClientError(cast("Any", self._refusal), "SendMessageBatch")
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def put_events(self, *, Entries: Sequence[Any]) -> Mapping[str, Any]:  # noqa: N803
        if any(entry["Detail"] == "bad" for entry in Entries):
            raise ClientError(cast("Any", self._refusal), "PutEvents")
        return {"Entries": [{"EventId": "1"} for _ in Entries]}


BODIES = ("good", "bad", "good too")
WHY = "InvalidMessageContents: what SQS refuses"


def test_one_bad_message_does_not_hold_the_others_of_its_batch() -> None:
    """SQS refuses the whole call for it: the others go without it."""
    dead_letters = dead_letters_of(("a", 1), ("b", 1), ("c", 1))
    batch = [Outgoing(*pair) for pair in zip(dead_letters, map(Message, BODIES), strict=True)]
    sender = WorkQueueSender(cast("Any", Refusing()), "url", fifo=False, run="1")
    assert sender.send(batch) == [None, WHY, None]


def test_one_bad_event_does_not_hold_the_others_of_its_batch() -> None:
    """Nor does EventBridge take a call with one that it cannot read."""
    events = [Event("app.stock", "StockAllocated", body, START) for body in BODIES]
    dead_letters = dead_letters_of(("a", 1), ("b", 1), ("c", 1))
    batch = [Outgoing(*pair) for pair in zip(dead_letters, events, strict=True)]
    assert BusSender(cast("Any", Refusing()), "bus").send(batch) == [None, WHY, None]


def test_an_unknown_error_of_one_letter_does_not_hold_the_others() -> None:
    """It stays in its queue with the code as the reason; the redrive goes on."""
    dead_letters = dead_letters_of(("a", 1), ("b", 1), ("c", 1))
    batch = [Outgoing(*pair) for pair in zip(dead_letters, map(Message, BODIES), strict=True)]
    sender = WorkQueueSender(cast("Any", Refusing(UNLISTED)), "url", fifo=False, run="1")
    assert sender.send(batch) == [None, "NobodyKnowsThis", None]
