"""What goes with a batch that AWS refuses as a whole: only what is wrong itself."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from operations.dlq.outgoing import Outgoing
from operations.dlq.senders import BusSender, LogGroupSender, Sender, WorkQueueSender
from tests.dead_letters import a_dead_letter

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


LISTED = "InvalidMessageContents: what SQS refuses"


@pytest.mark.parametrize(
    ("sender", "field", "why"),
    [
        (WorkQueueSender(cast("Any", Refusing()), "url", run="1"), "MessageBody", LISTED),
        (BusSender(cast("Any", Refusing()), "bus"), "Detail", LISTED),
        (
            WorkQueueSender(cast("Any", Refusing(UNLISTED)), "url", run="1"),
            "MessageBody",
            "NobodyKnowsThis",
        ),
    ],
    ids=["a queue", "a bus", "an error in no list"],
)
def test_one_bad_entry_does_not_hold_the_others_of_its_batch(
    sender: Sender, field: str, why: str
) -> None:
    """AWS refuses the whole call for it: the others go, and it stays with the code as reason."""
    dead_letters = (a_dead_letter(name, 1) for name in "abc")
    bodies = ("good", "bad", "good too")
    batch = [
        Outgoing(dead_letter, {field: body}, len(body))
        for dead_letter, body in zip(dead_letters, bodies, strict=True)
    ]
    assert sender.send(batch) == [None, why, None]


class Late:
    """CloudWatch Logs: refuses a line that is older than its log group keeps any."""

    class exceptions:  # noqa: N801 (a client's own)
        class ResourceAlreadyExistsException(Exception):
            pass

    def create_log_stream(self, **_: str) -> None:
        raise self.exceptions.ResourceAlreadyExistsException

    def put_log_events(self, *, logEvents: Sequence[Any], **_: str) -> Mapping[str, Any]:  # noqa: N803
        (line,) = logEvents
        refused = {"expiredLogEventEndIndex": 1}
        return {"rejectedLogEventsInfo": refused} if line["timestamp"] < 1000 else {}


def test_a_line_that_is_too_old_for_its_log_stays() -> None:
    """CloudWatch takes the call and says beside it what it refused."""
    sender = LogGroupSender(cast("Any", Late()), "stock-event-logs")
    old, new = (
        Outgoing(a_dead_letter("a", 1), {"timestamp": at, "message": "{}"}, 2) for at in (1, 1000)
    )
    assert sender.send([old]) == ["its time is refused: expiredLogEventEndIndex"]
    assert sender.send([new]) == [None]
