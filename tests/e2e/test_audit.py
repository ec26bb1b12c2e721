"""Committed, published, handled: the running system balances, and whatever is cut is found."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from contracts.timestamps import format_timestamp
from operations.audit.report import FindingKind
from operations.errors import NotTaken
from runtime.sqs.queue import find_url
from tests.e2e.operated import Operator
from tests.e2e.world import World
from verification.testkit.waiting import eventually


@pytest.fixture
def operator(running: World, tmp_path: Path) -> Operator:
    return Operator(running, tmp_path, since=datetime.now(UTC))


def test_the_books_balance_after_three_lives_and_a_replay_changes_nothing(
    operator: Operator,
) -> None:
    """Each event is committed, published and handled once; a replayed one is counted apart."""
    # Given three customers, two of whom cancel
    world = operator.world
    ids = [world.subscribe() for _ in range(3)]
    for each in ids:
        world.until("payment", each, "active")
        world.until("stock", each, "allocated")
    for each in ids[:2]:
        world.cancel_payment(each)
        world.until("subscription", each, "cancelled")
        world.until("stock", each, "deallocated")

    # Then everything that was committed was published once, and handled
    report = operator.audit()
    assert (report.differences, report.in_flight, report.dead_lettered) == ((), 0, 0)
    counts = {name: count.committed for name, count in report.events.items()}
    assert counts == {
        "SubscriptionCreated": 3,
        "SubscriptionCancelled": 2,
        "SubscriptionErased": 0,
        "StockAllocated": 3,
        "StockRejected": 0,
        "StockDeallocated": 2,
        "PaymentCreated": 3,
        "PaymentCancelled": 2,
    }
    assert report.duplicates == 0

    # And a replay of everything on a bus changes no state
    before = {(name, each): world.read(name, each) for name in _SERVICES for each in ids}
    code, document = operator.run(
        "replay", "--bus", "stock-event-bus", "--from", format_timestamp(operator.since)
    )
    assert (code, document["state"]) == (0, "COMPLETED")
    assert document["events"]["SubscriptionCreated"] >= 3
    report = operator.audit()
    assert (report.differences, report.in_flight, report.duplicates) == ((), 0, 0)
    assert report.events["StockAllocated"].replayed == 3
    assert {(name, each): world.read(name, each) for name in _SERVICES for each in ids} == before


def test_a_cancellation_and_an_erasure_balance_and_are_complete(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The customer's end goes over payments; `streamed erase` says what keeps copies."""
    # Given a customer who cancels
    world = operator.world
    monkeypatch.setenv("STATE_DIR", str(world.settings.state_dir))
    monkeypatch.setenv("ISSUER_PORT", str(world.settings.issuer_port))
    subscription_id = world.subscribe()
    world.until("payment", subscription_id, "active")
    command = ("erase", subscription_id, "--url", world.addresses["subscription"])
    with pytest.raises(NotTaken, match="cancel it before"):
        operator.run(*command)
    assert world.cancel(subscription_id, "moved away").status_code == 200
    world.until("stock", subscription_id, "deallocated")

    # When the data is erased, and once more
    for _ in range(2):
        code, document = operator.run(*command)

        # Then what had it in clear is named
        assert (code, document["subscriptionId"]) == (0, subscription_id)
        places = {each["place"] for each in document["copies"]}
        assert "backups of the table subscriptions" in places

    # And the audit balances, and `where` has it all
    report = operator.audit()
    assert (report.differences, report.in_flight, report.dead_lettered) == ((), 0, 0)
    counts = {name: count.committed for name, count in report.events.items() if count.committed}
    assert counts["SubscriptionErased"] == 1
    code, document = operator.run("where", subscription_id)
    assert (code, document["complete"]) == (0, True)


@pytest.mark.parametrize(
    ("rule", "bus", "replayed", "expected"),
    [
        (
            "SubscriptionToStockRule",
            "subscriptions-event-bus",
            "subscriptions-event-bus",
            {(FindingKind.NOT_ON_NEXT_BUS, "SubscriptionCreated", "stock-event-bus")},
        ),
        (
            "CreatePaymentRule",
            "payments-event-bus",
            "subscriptions-event-bus",
            {(FindingKind.NOT_HANDLED, "SubscriptionCreated", "payments-subscription-created")},
        ),
        (
            "LocalTap-stock-event-bus",
            "stock-event-bus",
            "stock-event-bus",
            {
                (FindingKind.NOT_ON_NEXT_BUS, "SubscriptionCreated", "stock-event-bus"),
                (FindingKind.NOT_PUBLISHED, "StockAllocated", "stock-outbox"),
            },
        ),
    ],
)
def test_what_a_rule_did_not_deliver_is_found_and_a_replay_heals_it(
    operator: Operator, rule: str, bus: str, replayed: str, expected: set[tuple[str, str, str]]
) -> None:
    """A hop, a delivery and a line of a log that are lost; an archive has them all."""
    # Given a rule that delivered nothing while somebody subscribed
    with operator.cut(rule, bus=bus):
        subscription_id = operator.world.subscribe()
        _both_follow(operator, subscription_id, but=rule)
        operator.world.until("subscription", subscription_id, "active")

        # Then the audit names what lacks, once the relays have published, and `where` does
        eventually(
            lambda: operator.differences(subscription_id) == expected,
            what="an audit that names what lacks",
        )
    code, document = operator.run("where", subscription_id)
    assert (code, document["complete"]) == (1, False)

    # When the bus is replayed
    code, _ = operator.run("replay", "--bus", replayed, "--from", format_timestamp(operator.since))

    # Then nothing lacks any more
    assert code == 0
    eventually(lambda: operator.run("where", subscription_id)[0] == 0, what="a whole story")
    eventually(lambda: operator.audit().clean, what="clean books")


def test_a_row_without_its_event_and_an_event_without_its_row_are_found(
    operator: Operator,
) -> None:
    """Somebody writes to a table and to a bus by hand."""
    dynamodb = operator.environment.aws("subscriptions").client("dynamodb")
    key: Any = {"subscriptionId": {"S": str(uuid4())}}
    now = {"S": format_timestamp(datetime.now(UTC))}
    row = {"version": {"N": "1"}, "event": {"S": "SubscriptionCreated"}, "created": now}
    dynamodb.put_item(TableName="subscriptions", Item={**key, **row, "updated": now})
    try:
        found = operator.differences(key["subscriptionId"]["S"])
    finally:
        dynamodb.delete_item(TableName="subscriptions", Key=key)
    assert found == {(FindingKind.NOT_PUBLISHED, "SubscriptionCreated", "subscriptions-outbox")}

    ghost = str(uuid4())
    metadata = {"aggregateId": ghost, "sequence": 1, "eventId": str(uuid4())}
    detail = {"metadata": metadata | {"occurredAt": now["S"]}, "subscriptionId": ghost}
    operator.environment.aws("stock").client("events").put_events(
        Entries=[
            {
                "EventBusName": "stock-event-bus",
                "Source": "app.stock",
                "DetailType": "StockAllocated",
                "Detail": json.dumps(detail),
            }
        ]
    )
    eventually(operator.on_bus("stock", ghost, "StockAllocated"), what="the line in the log")
    expected = {(FindingKind.NOT_COMMITTED, "StockAllocated", "stock-event-bus")}
    eventually(lambda: operator.differences(ghost) == expected, what="the event without its row")


def test_an_event_in_a_dead_letter_queue_is_accounted_for_and_its_story_leads_there(
    operator: Operator,
) -> None:
    """It is no difference; `where` has the reason, the command to go on with, no bank details."""
    # Given a SubscriptionCreated that payment's consumer gave up
    sqs = operator.environment.aws("payments").client("sqs")
    url = find_url(sqs, "create-payment-subscription-dlq")
    with operator.cut("CreatePaymentRule", bus="payments-event-bus"):
        subscription_id = operator.world.subscribe()
        _both_follow(operator, subscription_id, but="CreatePaymentRule")
        published = operator.on_bus("payments", subscription_id, "SubscriptionCreated")
        (event,) = eventually(published, what="the event on the payments bus")
    sqs.send_message(
        QueueUrl=url,
        MessageBody=json.dumps(event),
        MessageAttributes={
            "errorType": {"DataType": "String", "StringValue": "PaymentRefused"},
            "errorMessage": {"DataType": "String", "StringValue": "account 87654321 is closed"},
        },
    )
    try:
        # Then the audit counts it as dead-lettered
        report = operator.audit()
        assert (report.differences, report.in_flight, report.dead_lettered) == ((), 0, 1)

        # And its story, by the event's id, says why it is where
        event_id = event["detail"]["metadata"]["eventId"]
        code, document = operator.run("where", event_id)
    finally:
        sqs.purge_queue(QueueUrl=url)
    assert (code, document["eventId"]) == (1, event_id)
    (step,) = (
        step for step in document["story"] if step["place"] == "create-payment-subscription-dlq"
    )
    assert "PaymentRefused" in step["what"]
    (gap,) = document["missing"]
    assert gap["what"] == "handling by payments"
    assert "streamed dlq show" in gap["probably"]
    assert "87654321" not in json.dumps(document)

    # And a replay of the bus that it was published on brings the payment about
    operator.run("replay", "--bus", "subscriptions-event-bus", "--from", _written(operator.since))
    operator.world.until("payment", subscription_id, "active")


def test_the_story_of_one_event_is_that_of_all_it_led_to(operator: Operator) -> None:
    """PaymentCancelled on three buses, and what stock and subscription made of it."""
    world = operator.world
    subscription_id = world.subscribe()
    world.until("payment", subscription_id, "active")
    world.until("stock", subscription_id, "allocated")
    world.cancel_payment(subscription_id)
    world.until("subscription", subscription_id, "cancelled")
    published = operator.on_bus("payments", subscription_id, "PaymentCancelled")
    (event,) = eventually(published, what="PaymentCancelled in the log")
    event_id = event["detail"]["metadata"]["eventId"]

    eventually(lambda: operator.run("where", event_id)[0] == 0, what="a whole story")

    _, document = operator.run("where", event_id)
    assert (document["subscriptionId"], document["missing"]) == (subscription_id, [])
    told = [(step["eventType"], step["place"]) for step in document["story"]]
    assert told[:2] == [
        ("PaymentCancelled", "payments"),
        ("PaymentCancelled", "payments-event-bus"),
    ]
    assert set(told[2:]) == {
        ("PaymentCancelled", "stock-event-bus"),
        ("PaymentCancelled", "subscriptions-event-bus"),
        ("StockDeallocated", "stock"),
        ("StockDeallocated", "stock-event-bus"),
        ("SubscriptionCancelled", "subscriptions"),
        ("SubscriptionCancelled", "subscriptions-event-bus"),
    }
    assert {name: each["status"] for name, each in document["state"].items()} == {
        "subscriptions": "cancelled",
        "stock": "deallocated",
        "payments": "cancelled",
    }


_SERVICES = ("subscription", "stock", "payment")


def _both_follow(operator: Operator, subscription_id: str, *, but: str) -> None:
    """Wait for stock and payment, except for what a cut rule keeps from happening."""
    if but != "SubscriptionToStockRule":
        operator.world.until("stock", subscription_id, "allocated")
    if but != "CreatePaymentRule":
        operator.world.until("payment", subscription_id, "active")


def _written(moment: datetime) -> str:
    return format_timestamp(moment - timedelta(seconds=1))
