"""The console's taps against MiniStack: made, kept, narrowed, taken away; nobody else loses any."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from console.live.sampling import is_shown, pattern
from console.live.taps import ABANDONED_AFTER, RETENTION, SEEN, ConsoleTap
from infra.local import provision
from runtime.aws import Aws, CachingAws
from runtime.errors import Unavailable
from runtime.ids import utc_now
from tests.conftest import MiniStack
from tests.console import a_body, put
from tests.integration.emulated import attributes_of, empty_aws, url_of
from verification.testkit.fault_proxy import FaultProxy
from verification.testkit.waiting import eventually

BUS = "stock-event-bus"


@pytest.fixture
def aws(ministack: MiniStack) -> Aws:
    """Everything of the topology, in a region of the test's own."""
    made = empty_aws(ministack)
    provision(made)
    return made


@pytest.fixture
def tap(aws: Aws) -> ConsoleTap:
    return ConsoleTap(aws, BUS, "test")


@pytest.fixture
def url(tap: ConsoleTap) -> str:
    return tap.make(1)


def taken(aws: Aws, url: str) -> Iterator[dict[str, Any]]:
    """Take everything out of a queue."""
    sqs = aws.client("sqs")
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            yield json.loads(message["Body"])


def came(aws: Aws, url: str, count: int) -> list[str]:
    """Wait for so many events in a queue, and take them; their types."""
    types: list[str] = []

    def all_came() -> bool:
        types.extend(each["detail-type"] for each in taken(aws, url))
        return len(types) >= count

    eventually(all_came, what=f"{count} events in {url}")
    return sorted(types)


def names(aws: Aws) -> tuple[set[str], set[str]]:
    """The rules of the bus, and the queues of the account."""
    rules = aws.client("events").list_rules(EventBusName=BUS)["Rules"]
    urls = aws.client("sqs").list_queues()["QueueUrls"]
    return {rule["Name"] for rule in rules}, {each.rsplit("/", 1)[-1] for each in urls}


def test_a_tap_sees_what_is_on_the_bus_and_no_queue_loses_it(
    aws: Aws, tap: ConsoleTap, url: str
) -> None:
    """The work queue has its event as well."""
    put(aws, BUS, a_body("SubscriptionCreated", "a"), a_body("StockAllocated", "a"))
    assert came(aws, url, 2) == ["StockAllocated", "SubscriptionCreated"]
    work = url_of(aws, "stock-subscription-created")
    assert came(aws, work, 1) == ["SubscriptionCreated"]


def test_its_queue_keeps_little_and_only_the_rule_may_send_there(
    aws: Aws, tap: ConsoleTap, url: str
) -> None:
    """A console that was killed leaves minutes of events, and no open queue."""
    attributes = attributes_of(aws, tap.queue.name)
    assert int(attributes["MessageRetentionPeriod"]) == RETENTION <= 300
    (statement,) = json.loads(attributes["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    rule = aws.client("events").describe_rule(Name=tap.rule.name, EventBusName=BUS)["Arn"]
    assert statement["Condition"]["ArnEquals"]["aws:SourceArn"] == [rule]
    assert statement["Resource"] == attributes["QueueArn"]


def test_a_removed_tap_leaves_nothing(aws: Aws, tap: ConsoleTap) -> None:
    """Neither rule nor queue; and removing what is gone is all right."""
    before = names(aws)
    tap.make(1)
    assert names(aws) != before
    tap.remove()
    assert names(aws) == before
    tap.remove()


def test_a_narrowed_tap_lets_a_share_through(aws: Aws, tap: ConsoleTap, url: str) -> None:
    """EventBridge itself leaves the others out, by the last digits of the aggregate's id."""
    tap.let_through(4)
    ids = [str(uuid4()) for _ in range(40)]
    for start in range(0, len(ids), 10):
        put(aws, BUS, *(a_body("StockAllocated", each) for each in ids[start : start + 10]))
    expected = sorted(each for each in ids if is_shown(each, 4))
    seen: list[str] = []

    def all_came() -> bool:
        seen.extend(each["detail"]["subscriptionId"] for each in taken(aws, url))
        return len(seen) >= len(expected)

    eventually(all_came, what="the events that are let through")
    assert sorted(seen) == expected
    rule = aws.client("events").describe_rule(Name=tap.rule.name, EventBusName=BUS)
    assert json.loads(rule["EventPattern"]) == pattern(4)


def test_a_tap_that_provisioning_took_away_is_missed(aws: Aws, tap: ConsoleTap, url: str) -> None:
    """Provisioning removes every rule that the topology does not have."""
    assert tap.is_there()
    provision(aws)
    assert not tap.is_there()
    tap.make(1)
    assert tap.is_there()


def test_what_came_before_it_was_narrowed_can_be_thrown_away(
    aws: Aws, tap: ConsoleTap, url: str
) -> None:
    """And it is known how much that was."""
    put(aws, BUS, *(a_body("StockAllocated", str(n)) for n in range(10)))
    sqs = aws.client("sqs")
    eventually(
        lambda: (
            sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])[
                "Attributes"
            ]["ApproximateNumberOfMessages"]
            == "10"
        ),
        what="ten events in the tap",
    )
    assert tap.throw_away(url) == 10
    assert list(taken(aws, url)) == []


def test_a_console_removes_the_taps_of_consoles_that_are_gone(
    aws: Aws, tap: ConsoleTap, url: str
) -> None:
    """Those of its bus, by their names, after an hour without a sign of life, and no others'."""
    now = utc_now()
    gone, there, elsewhere = (
        ConsoleTap(aws, BUS, "gone"),
        ConsoleTap(aws, BUS, "my-own"),
        ConsoleTap(aws, "payments-event-bus", "gone"),
    )
    for each in (gone, elsewhere):
        each.keep(each.make(1), now - timedelta(seconds=ABANDONED_AFTER + 1))
    there.keep(there.make(1), now - timedelta(seconds=ABANDONED_AFTER - 1))
    odd = "console-tap-of-somebody-else"
    odd_url = aws.client("sqs").create_queue(QueueName=odd, tags={SEEN: "0"})["QueueUrl"]
    before = names(aws)
    assert tap.keep(url, now) == [gone.queue.name]
    rules, queues = names(aws)
    assert before[0] - rules == {gone.rule.name}
    assert before[1] - queues == {gone.queue.name}
    assert {odd, tap.queue.name, there.queue.name, elsewhere.queue.name} <= queues
    assert tap.keep(url, now) == []
    aws.client("sqs").delete_queue(QueueUrl=odd_url)


def test_a_tap_without_a_sign_of_life_is_as_old_as_its_queue(
    aws: Aws, tap: ConsoleTap, url: str
) -> None:
    """Consoles of before wrote none: one of theirs that was just made is no one's to remove."""
    other = ConsoleTap(aws, BUS, "before")
    other.make(1)
    assert tap.keep(url, utc_now()) == []
    assert tap.keep(url, utc_now() + timedelta(seconds=ABANDONED_AFTER + 60)) == [other.queue.name]


def test_what_a_console_left_is_removed_when_its_credentials_are_back(
    aws: Aws, ministack: MiniStack
) -> None:
    """They had expired when it stopped; an hour later any console of the account does it."""
    with FaultProxy(ministack.endpoint).running() as gate:
        region = aws.client("sqs").meta.region_name
        expired = CachingAws(region=region, endpoint_url=gate.endpoint)
        left = ConsoleTap(expired, BUS, "left")
        left.keep(left.make(1), utc_now() - timedelta(seconds=ABANDONED_AFTER + 1))
        gate.trust(code="ExpiredTokenException")
        with pytest.raises(Unavailable):
            left.remove()
    other = ConsoleTap(aws, BUS, "other")
    assert other.keep(other.make(1), utc_now()) == [left.queue.name]
