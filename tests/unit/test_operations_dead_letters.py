"""What a dead letter says of itself, where it belongs, and what is sent for it."""

import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest

from contracts.outbox import DYNAMODB_JSON, OutboxRecord
from infra.resources import ToBus, ToLogGroup, ToQueue
from infra.topology import TOPOLOGY, WORKLOADS
from operations.dlq.outgoing import Outgoing, Unsendable, outgoing_of
from operations.sources.dead_letters import DeadLetter, laid_out
from operations.sources.origins import (
    BackToQueue,
    Destination,
    IntoLog,
    OnToBus,
    Origin,
    OutToBus,
    origins,
)
from runtime.outbox.dynamodb_rows import PACKED_DETAIL, outbox_item
from tests.builders import a_record
from tests.dead_letters import (
    BATCH_GIVEN_UP,
    a_dead_letter,
    a_delivery_record,
    a_record_body,
    an_event,
    by_eventbridge,
    read_by,
)

ORIGINS = origins(TOPOLOGY, WORKLOADS)

DOMAINS = ("subscriptions", "stock", "payments")

DESTINATIONS: dict[str, Destination] = {
    "cancel-subscription-dlq": BackToQueue("subscriptions-payment-cancelled"),
    "reject-subscription-dlq": BackToQueue("subscriptions-stock-rejected"),
    "cancel-payment-subscription-dlq": BackToQueue("payments-subscription-cancelled"),
    "erase-payment-subscription-dlq": BackToQueue("payments-subscription-erased"),
    "subscriptions-cancelled-to-payments-dlq": OnToBus("payments-event-bus"),
    "subscriptions-erased-to-payments-dlq": OnToBus("payments-event-bus"),
    "stock-to-subscriptions-dlq": OnToBus("subscriptions-event-bus"),
    "subscriptions-to-stock-dlq": OnToBus("stock-event-bus"),
    "subscriptions-to-payments-dlq": OnToBus("payments-event-bus"),
    "subscriptions-dlq": OutToBus("subscriptions-event-bus"),
    "subscriptions-created-dlq": BackToQueue("stock-subscription-created"),
    "payment-cancelled-dlq": BackToQueue("stock-payment-cancelled"),
    "stock-dlq": OutToBus("stock-event-bus"),
    "create-payment-subscription-dlq": BackToQueue("payments-subscription-created"),
    "payments-to-stock-dlq": OnToBus("stock-event-bus"),
    "payments-to-subscriptions-dlq": OnToBus("subscriptions-event-bus"),
    "payment-events-dlq.fifo": BackToQueue("payment-events.fifo"),
    **{f"{each}-dlq": IntoLog(each) for each in map("{}-event-logs".format, DOMAINS)},
}

DLQS = {queue.redrive.dlq for queue in TOPOLOGY.queues if queue.redrive} | {
    rule.dlq for rule in TOPOLOGY.rules if rule.dlq
}


@pytest.mark.parametrize("dlq", sorted({*DLQS, *DESTINATIONS}))
def test_every_dead_letter_queue_has_a_destination(dlq: str) -> None:
    """A queue that is added without one could never be redriven."""
    assert ORIGINS[dlq].destination == DESTINATIONS[dlq]


@pytest.mark.parametrize("origin", ORIGINS.values(), ids=ORIGINS)
def test_a_rule_shares_its_dead_letter_queue_only_with_its_own_target(origin: Origin) -> None:
    """So what EventBridge put there belongs where the consumer's belongs."""
    for rule in origin.rules:
        match origin.destination:
            case BackToQueue(queue):
                assert rule.target == ToQueue(queue)
            case OnToBus(bus):
                assert rule.target == ToBus(bus)
            case IntoLog(log_group):
                assert rule.target == ToLogGroup(log_group)
            case OutToBus():
                pytest.fail("no rule dead-letters what a relay could not publish")


def test_what_eventbridge_put_there_names_the_rule_and_its_tries() -> None:
    """185 retries are 186 tries."""
    dead_letter = read_by(
        ORIGINS["subscriptions-to-stock-dlq"], an_event("sub-1", 4), by_eventbridge()
    )

    assert (dead_letter.putter, dead_letter.by, dead_letter.tries) == (
        "eventbridge",
        "rule SubscriptionToStockRule",
        186,
    )
    assert dead_letter.why == "NO_PERMISSIONS: The permissions are missing."
    assert dead_letter.event.aggregate_id == "sub-1"
    assert (dead_letter.event.event_id, dead_letter.event.sequence) == ("sub-1-4", 4)
    assert dead_letter.event.event_type == "SubscriptionCreated"
    assert dead_letter.sent_at == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def test_what_a_consumer_put_there_has_its_error() -> None:
    """The errorType, errorMessage and receiveCount attributes are ours."""
    attributes = {
        "errorType": "NotAnEvent",
        "errorMessage": "body: Invalid JSON",
        "receiveCount": "5",
    }

    dead_letter = read_by(ORIGINS["payment-cancelled-dlq"], "nonsense", attributes)

    assert (dead_letter.putter, dead_letter.by, dead_letter.tries) == (
        "handler",
        "stock-consumer",
        5,
    )
    assert dead_letter.why == "NotAnEvent: body: Invalid JSON"
    assert dead_letter.event.event_id is None
    assert dead_letter.aggregate == dead_letter.message_id


def test_what_sqs_moved_says_how_often_it_was_received() -> None:
    """It has no attributes: a consumer died over it, time after time."""
    dead_letter = read_by(ORIGINS["payment-events-dlq.fifo"], a_record_body("pay-1", 2))

    assert (dead_letter.putter, dead_letter.tries) == ("sqs", 3)
    assert dead_letter.why == "received 3 times without an end"
    assert dead_letter.by == "payments-change-stream or payments-forward"
    assert (dead_letter.event.event_type, dead_letter.event.aggregate_id) == (
        "PaymentCancelled",
        "pay-1",
    )


def test_what_lambda_put_there_is_a_batch() -> None:
    """It has no event in it, and its rows are in the outbox."""
    dead_letter = read_by(ORIGINS["stock-dlq"], BATCH_GIVEN_UP)

    assert (dead_letter.putter, dead_letter.by) == ("lambda", "stock-relay")
    assert dead_letter.why == "Lambda gave a batch up: RetryAttemptsExhausted"


def test_what_nobody_of_ours_put_there_says_nothing() -> None:
    """No rule's attributes, and no queue that SQS would have moved it from."""
    dead_letter = read_by(ORIGINS["payments-to-stock-dlq"], an_event("a", 1))

    assert (dead_letter.putter, dead_letter.why, dead_letter.tries) == (
        "unknown",
        "it does not say why",
        None,
    )


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nonsense",
        "[]",
        "null",
        '{"detail":[]}',
        '{"detail":{"metadata":7}}',
        '{"detail":{"metadata":{"eventId":7,"sequence":"x"}}}',
        "[" * 100_000,
    ],
    ids=lambda body: body[:40],
)
def test_any_body_can_be_read_and_shown(body: str) -> None:
    """It is a dead letter: it may be anything."""
    dead_letter = read_by(ORIGINS["stock-dlq"], body)

    assert dead_letter.event.event_id is None
    assert isinstance(dead_letter.text(reveal=False), str)
    assert dead_letter.text(reveal=True) == body


def test_a_body_is_shown_without_bank_details_unless_they_are_asked_for() -> None:
    """By name and by look, in an event, in a record's detail, and in text that is no JSON."""
    record = json.loads(a_record_body("pay-1", 1))
    record["detail"] = json.dumps({"accountName": "Ada Lovelace", "accountNumber": "12345678"})
    for body in (an_event("a", 1), json.dumps(record), 'broken {"accountNumber":"12345678"'):
        dead_letter = a_dead_letter("a", 1, body=body)

        shown = dead_letter.text(reveal=False)

        assert "12345678" not in shown
        assert "Lovelace" not in shown
        assert dead_letter.text(reveal=True) == body


def test_a_queue_gets_the_body_back_byte_for_byte() -> None:
    """Also one that is no event: a mended consumer may handle it."""
    dead_letter = a_dead_letter("a", 1, body="nonsense é")

    assert outgoing_of(dead_letter, BackToQueue("work")) == Outgoing(
        dead_letter, {"MessageBody": "nonsense é"}, size=11
    )


def test_a_fifo_queue_gets_it_in_the_aggregates_group() -> None:
    """The group that it had, which is the aggregate's."""
    dead_letter = a_dead_letter("a", 1, body=a_record_body("a", 1), group="a")

    sent = outgoing_of(dead_letter, BackToQueue("work.fifo"))

    assert sent.entry == {"MessageBody": dead_letter.body, "MessageGroupId": "a"}


def test_a_bus_gets_the_event_that_could_not_be_delivered() -> None:
    """Source, detail-type, detail, time and resources are those of its first publication."""
    body = an_event("a", 1)

    sent = outgoing_of(a_dead_letter("a", 1, body=body), OnToBus("stock-event-bus")).entry

    assert (sent["Source"], sent["DetailType"]) == ("app.subscriptions", "SubscriptionCreated")
    assert json.loads(sent["Detail"]) == json.loads(body)["detail"]
    assert sent["Time"] == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def test_a_log_group_gets_the_line_that_could_not_be_written() -> None:
    """The whole event as EventBridge had it, at the time when it occurred."""
    body = an_event("a", 1)

    sent = outgoing_of(a_dead_letter("a", 1, body=body), IntoLog("stock-event-logs"))

    occurred = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert sent.entry == {"timestamp": int(occurred.timestamp()) * 1000, "message": body}
    assert sent.size == len(body.encode())
    assert "drop it" in refused(a_dead_letter("a", 1, body="{}"), IntoLog("stock-event-logs"))


def test_a_row_that_can_be_published_by_now_goes_to_its_bus() -> None:
    """As the relay would have: the detail is the record's, byte for byte."""
    body = a_record_body("a", 1)

    sent = outgoing_of(a_dead_letter("a", 1, body=body), OutToBus("stock-event-bus"))

    assert sent.entry["Detail"] == json.loads(body)["detail"]
    assert sent.entry["Source"] == "app.payments"
    assert sent.size == OutboxRecord.from_json(body).entry_size


def refused(dead_letter: DeadLetter, destination: Destination) -> str:
    with pytest.raises(Unsendable) as error:
        outgoing_of(dead_letter, destination)
    return str(error.value)


@pytest.mark.parametrize("destination", [OutToBus("bus"), BackToQueue("work.fifo")], ids=str)
def test_a_row_that_is_still_no_event_is_refused(destination: Destination) -> None:
    """It would come straight back, or be dropped in silence."""
    why = refused(a_dead_letter("a", 1, body='{"eventId":"x"}'), destination)

    assert "still no event that can be published" in why
    assert "aggregateId is missing" in why


def test_a_batch_that_lambda_gave_up_is_refused() -> None:
    """There is nothing to send: the rows are in the outbox."""
    why = refused(a_dead_letter("a", 1, body=BATCH_GIVEN_UP), OutToBus("bus"))

    assert "rows are in the outbox" in why


@pytest.mark.parametrize(
    "body",
    ["nonsense", "{}", an_event("a", 1).replace("2026-11-23T09:30:00Z", "yesterday")],
    ids=["text", "empty", "time"],
)
def test_what_is_no_event_is_not_put_on_a_bus(body: str) -> None:
    """PutEvents would refuse it, or make something else of it."""
    assert "drop it" in refused(a_dead_letter("a", 1, body=body), OnToBus("bus"))


@pytest.mark.parametrize("text", ["\ud800", "\x1b[2J", "\x9b2J"])
def test_a_name_that_cannot_be_shown_is_none(text: str) -> None:
    """Whoever can send a message must not steer the terminal of whoever looks at it."""
    event = json.loads(an_event("a", 1))
    event["detail-type"] = event["detail"]["metadata"]["eventId"] = text

    dead_letter = read_by(ORIGINS["stock-dlq"], json.dumps(event))

    assert (dead_letter.event.event_type, dead_letter.event.event_id) == (None, None)


@pytest.mark.parametrize("depth", [100, 900, 5_000, 100_000])
def test_a_body_is_shown_however_deep_it_is_nested(depth: int) -> None:
    """Laid out, or as too deep, or as it came: where each ends depends on the version of Python."""
    inmost = '{"accountNumber":"12345678"}'

    shown = laid_out('{"a":' * depth + inmost + "}" * depth)

    assert shown.startswith(("{", "***"))
    assert "12345678" not in shown


@pytest.mark.parametrize(
    "changes",
    [{"detail": {"x": "\ud800"}}, {"source": "\ud800"}, {"time": "0001-01-01T00:00:00+14:00"}],
    ids=["detail", "source", "time"],
)
def test_an_event_that_no_bus_takes_is_left_and_ends_nothing(changes: dict[str, object]) -> None:
    """It is read before anything is sent, and must not keep the others from being sent."""
    body = json.dumps({**json.loads(an_event("a", 1)), **changes})
    dead_letter = a_dead_letter("a", 1, body=body)

    with pytest.raises(Unsendable, match="drop it"):
        outgoing_of(dead_letter, OnToBus("stock-event-bus"))


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00.000+01:00", "9999-12-31T23:59:59.999-01:00"])
@pytest.mark.parametrize(
    "destination", [OutToBus("bus"), OnToBus("bus"), BackToQueue("work.fifo")], ids=str
)
def test_a_time_at_the_end_of_the_calendar_is_left_and_ends_nothing(
    destination: Destination, time: str
) -> None:
    """Such a dead letter cannot be sent; the others of a redrive can."""
    if isinstance(destination, OnToBus):
        body = an_event("a", 1).replace("2026-11-23T09:30:00Z", time)
    else:
        body = a_record_body("a", 1).replace("2026-11-23T09:30:00.000Z", time)
    assert "cannot be" in refused(a_dead_letter("a", 1, body=body), destination)


def test_a_packed_row_that_an_older_relay_could_not_read_goes_to_its_bus() -> None:
    """The dead letter is the item in DynamoDB's JSON, with the packed detail in Base64."""
    record = a_record(detail=json.dumps({"text": "x" * 2000}))
    item = outbox_item(record, pack=True)
    packed = {"B": b64encode(item[PACKED_DETAIL]["B"]).decode()}
    body, attributes = json.dumps({**item, PACKED_DETAIL: packed}), {"bodyEncoding": DYNAMODB_JSON}
    dead_letter = a_dead_letter("a", 1, body=body, attributes=attributes)

    assert outgoing_of(dead_letter, OutToBus("bus")).entry["Detail"] == record.detail
    assert DYNAMODB_JSON in refused(dead_letter, BackToQueue("work"))
    broken = body.replace(packed["B"], "AAAA")
    dead_letter = a_dead_letter("a", 1, body=broken, attributes=attributes)
    assert "no event can be made" in refused(dead_letter, OutToBus("bus"))


@pytest.mark.parametrize("encoding", ["base64-bson", "dynamodb-json"])
def test_a_body_that_is_encoded_is_shown_only_if_asked_for_and_never_sent(encoding: str) -> None:
    """Bank details cannot be found in it, and no event can be made of it."""
    dead_letter = a_dead_letter("a", 1, body="NDI0Mg==", attributes={"bodyEncoding": encoding})
    assert "NDI0Mg==" not in dead_letter.text(reveal=False)
    assert encoding in dead_letter.text(reveal=False)
    assert dead_letter.text(reveal=True) == "NDI0Mg=="
    assert encoding in refused(dead_letter, OutToBus("bus"))


def test_the_key_of_a_row_that_stays_is_shown_and_never_sent() -> None:
    """What is to be done is to be done with the row."""
    body = '{"aggregateId":"a","sequence":1,"bsonId":null}'
    dead_letter = a_dead_letter("a", 1, body=body, attributes={"bodyEncoding": "row-key"})
    assert json.loads(dead_letter.text(reveal=False)) == json.loads(body)
    assert "stays in its outbox" in refused(dead_letter, BackToQueue("work.fifo"))


def test_a_record_of_a_custom_event_bus_says_which_events_and_why() -> None:
    """The event is not in it: the bus has it, by an id of its own, and ours where it was sent."""
    dead_letter = read_by(ORIGINS["subscriptions-created-dlq"], a_delivery_record())

    assert (dead_letter.putter, dead_letter.by, dead_letter.tries) == (
        "eventbridge",
        "subscriber the-queue of the bus stock-event-bus",
        5,
    )
    assert dead_letter.why.startswith("ACCESS_DENIED: The delivery role")
    assert (dead_letter.event.event_id, dead_letter.event.aggregate_id) == ("event-2", "sub-1")
    assert all(dead_letter.is_called(name) for name in ("bus-1", "bus-2", "event-2"))


@pytest.mark.parametrize("dlq", ["subscriptions-created-dlq", "subscriptions-to-stock-dlq"])
def test_a_record_is_left_and_says_where_its_events_can_be_read_again(dlq: str) -> None:
    """Sent to the work queue it would be poison there, and no bus would make an event of it."""
    dead_letter = read_by(ORIGINS[dlq], a_delivery_record())
    sentence = refused(dead_letter, ORIGINS[dlq].destination)
    assert "the bus stock-event-bus retains them" in sentence
    assert "from 2026-09-16T18:40:12Z to 2026-09-16T18:40:13Z" in sentence
    assert "aws:EventId bus-2, bus-1" in sentence


@pytest.mark.parametrize(
    "changes",
    [
        {"failedMessages": []},
        {"failedMessages": [None, 1, {}, {"eventId": 5, "timestamp": "\x1b[0m"}]},
        {"busArn": None, "subscriberArn": 3, "retryAttempts": "4", "errorCode": {}},
        {"busArn": "stock-event-bus", "errorMessage": None},
    ],
)
def test_a_broken_record_is_shown_all_the_same(changes: dict[str, object]) -> None:
    """Whatever a record has, reading it ends nothing, and steers no terminal."""
    origin = ORIGINS["subscriptions-created-dlq"]
    dead_letter = read_by(origin, a_delivery_record(**changes))
    assert "\x1b" not in refused(dead_letter, origin.destination)
    assert dead_letter.summary()["putBy"] == "eventbridge"


def test_records_of_several_aggregates_are_of_none() -> None:
    """Nothing waits behind one: its aggregate is the record itself."""
    messages = [{"eventGroupId": group, "deduplicationId": group} for group in "ab"]
    dead_letter = read_by(
        ORIGINS["subscriptions-created-dlq"], a_delivery_record(failedMessages=messages)
    )
    assert dead_letter.event.aggregate_id is None
    assert dead_letter.aggregate == dead_letter.message_id
