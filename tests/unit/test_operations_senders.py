"""What goes with a batch that AWS refuses as a whole: only what is wrong itself."""

import socket
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from infra.topology import TOPOLOGY, WORKLOADS
from operations.dlq.outgoing import Outgoing, outgoing_of
from operations.dlq.senders import (
    BusSender,
    CustomBusSender,
    LogGroupSender,
    Sender,
    WorkQueueSender,
)
from operations.sources.origins import OutToBus, origins
from runtime.custom_event_bus import find_custom_bus
from runtime.errors import Misconfigured
from tests.dead_letters import a_dead_letter, a_record_body, read_by
from tests.memory_custom_buses import (
    MemoryCustomBus,
    MemoryCustomBuses,
    Stored,
    SubscriberConfiguration,
)

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

    def put_events(self, *, Entries: Sequence[Any], **_: str) -> Mapping[str, Any]:  # noqa: N803
        if any(entry["Detail"] == "bad" for entry in Entries):
            raise ClientError(cast("Any", self._refusal), "PutEvents")
        return {"Entries": [{"EventId": "1"} for _ in Entries]}


LISTED = "InvalidMessageContents: what SQS refuses"


@pytest.mark.parametrize(
    ("sender", "field", "why"),
    [
        (WorkQueueSender(cast("Any", Refusing()), "url", run="1"), "MessageBody", LISTED),
        (BusSender(cast("Any", Refusing()), "bus"), "Detail", LISTED),
        (CustomBusSender(cast("Any", Refusing()), "arn"), "Detail", LISTED),
        (
            WorkQueueSender(cast("Any", Refusing(UNLISTED)), "url", run="1"),
            "MessageBody",
            "NobodyKnowsThis",
        ),
    ],
    ids=["a queue", "a bus", "a Custom Event Bus", "an error in no list"],
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


def test_a_row_that_a_relay_could_not_publish_goes_to_the_custom_event_bus() -> None:
    """In its aggregate's group, and known by its event: redriven twice it is there once."""
    bus = MemoryCustomBus("stock-event-bus", now=lambda: 0.0, later=lambda _, act: act())
    arrived: list[Stored] = []
    bus.subscribe(SubscriberConfiguration("queue"), arrived.append)
    origin = origins(TOPOLOGY, WORKLOADS)["stock-dlq"]
    dead_letter = read_by(origin, a_record_body("sub-1", 3))
    outgoing = outgoing_of(dead_letter, OutToBus("stock-event-bus"))
    sender = CustomBusSender(MemoryCustomBuses([bus]), bus.arn)
    assert sender.send([outgoing]) == sender.send([outgoing]) == [None]
    (stored,) = arrived
    assert (stored.group, stored.deduplication_id) == ("sub-1", dead_letter.event.event_id)


class Unlisted:
    """A client whose region has none."""

    class meta:  # noqa: N801 (boto3's name)
        region_name = "mars-1"

    def list_event_buses(self, **_: str) -> None:
        error = EndpointConnectionError(endpoint_url="https://x")
        error.__cause__ = socket.gaierror(socket.EAI_NONAME, "no such host")
        raise error


def test_where_there_are_no_custom_event_buses_the_operator_is_told_so() -> None:
    """Before anything is sent."""
    with pytest.raises(Misconfigured, match="the region mars-1 has no Custom Event Bus"):
        find_custom_bus(Unlisted(), "stock-event-bus")


class Listing:
    """A client that lists buses by their names' beginning."""

    def list_event_buses(self, *, NamePrefix: str) -> dict[str, Any]:  # noqa: N803
        names = ["stock-event-bus-2", "stock-event-bus"]
        return {
            "EventBuses": [
                {"Name": name, "EventBusArn": f"arn-of-{name}"}
                for name in names
                if name.startswith(NamePrefix)
            ]
        }


def test_a_custom_event_bus_is_found_by_its_whole_name() -> None:
    """An operator knows its name; AWS made a part of its ARN."""
    assert find_custom_bus(Listing(), "stock-event-bus") == "arn-of-stock-event-bus"
    with pytest.raises(Misconfigured, match="payments-event-bus does not exist"):
        find_custom_bus(Listing(), "payments-event-bus")
