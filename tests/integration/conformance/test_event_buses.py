"""What EventBridge does with events: log groups, other accounts, dead letters, policies."""

import json
from datetime import UTC, datetime, timedelta

from tests.integration.conformance.account import Account

OTHER = "444455556666"


def test_a_log_target_writes_each_event_as_one_line(account: Account) -> None:
    """The whole event, as a queue has it, and once."""
    bus, (group, arn) = account.bus(), account.log_group()
    url, queue = account.queue()
    account.rule(bus, arn)
    account.rule(bus, queue)
    for number in (1, 2):
        account.put(bus, number)
    came = account.events_at(url, 2)
    account.until(lambda: len(account.lines(group)) == 2)
    lines = [json.loads(each["message"]) for each in account.lines(group)]
    assert lines, "no line was written"
    by_id = {each["id"]: each for each in came}
    assert {each["id"] for each in lines} == by_id.keys()
    assert all(line == by_id[line["id"]] for line in lines)


def test_a_log_line_has_the_time_of_its_event(account: Account) -> None:
    """`streamed replay --dry-run` counts by it."""
    bus, (group, arn) = account.bus(), account.log_group()
    account.rule(bus, arn)
    happened = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    account.put(bus, Time=happened)
    account.until(lambda: account.lines(group))
    lines = account.lines(group)
    assert lines, "no line was written"
    assert lines[0]["timestamp"] == happened.timestamp() * 1000, "the line has another time"


def test_an_event_keeps_the_time_that_it_was_given(account: Account) -> None:
    """In whole seconds."""
    bus, (url, arn) = account.bus(), account.queue()
    account.rule(bus, arn)
    happened = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    account.put(bus, Time=happened)
    (event,) = account.events_at(url, 1)
    assert event["time"] == f"{happened:%Y-%m-%dT%H:%M:%SZ}", "the event has another time"


def test_an_entry_with_malformed_detail_is_refused_alone(account: Account) -> None:
    """The other entries of the request are accepted."""
    bus, (url, arn) = account.bus(), account.queue()
    account.rule(bus, arn)
    entry = {"EventBusName": bus, "Source": "app.test", "DetailType": "Counted"}
    answer = account.events.put_events(
        Entries=[{**entry, "Detail": "{broken"}, {**entry, "Detail": '{"number": 2}'}]
    )
    refused, accepted = answer["Entries"]
    assert refused.get("ErrorCode") == "MalformedDetail", "malformed detail was accepted"
    assert "EventId" in accepted
    assert [each["detail"]["number"] for each in account.events_at(url, 1)] == [2]


def test_an_event_goes_on_to_a_bus_of_another_account(account: Account) -> None:
    """Once that bus's policy allows it; it keeps the account that it came from."""
    other = Account(account.endpoint, account.region, account.patience, OTHER)
    here, there = account.bus(), other.bus()
    other.events.put_permission(
        EventBusName=there,
        Action="events:PutEvents",
        Principal=account.number,
        StatementId="sender",
    )
    url, arn = other.queue()
    other.rule(there, arn)
    role = f"arn:aws:iam::{account.number}:role/sender"
    account.rule(here, other.bus_arn(there), RoleArn=role)
    account.put(here, 7)
    came = other.events_at(url, 1)
    assert came, "nothing came to the other account"
    assert [(each["detail"]["number"], each["account"]) for each in came] == [(7, account.number)]


def test_what_a_target_does_not_take_is_in_its_dead_letter_queue(account: Account) -> None:
    """With the reason, for a queue that is gone at once."""
    bus, (dlq_url, dlq) = account.bus(), account.queue()
    url, arn = account.queue()
    account.rule(bus, arn, DeadLetterConfig={"Arn": dlq})
    account.sqs.delete_queue(QueueUrl=url)
    account.put(bus, 1)
    dead = account.received(dlq_url, 1)
    assert dead, "nothing is in the dead-letter queue"
    assert json.loads(dead[0]["Body"])["detail"] == {"number": 1}
    assert dead[0]["MessageAttributes"].keys() >= {"ERROR_CODE", "RULE_ARN", "TARGET_ARN"}


def test_a_queue_gets_nothing_that_its_policy_does_not_allow(account: Account) -> None:
    """EventBridge delivers as a service, which only the queue's policy lets in."""
    bus, (url, arn) = account.bus(), account.queue(is_open=False)
    open_url, open_arn = account.queue()
    account.rule(bus, arn)
    account.rule(bus, open_arn)
    account.put(bus, 1)
    assert len(account.received(open_url, 1)) == 1
    assert not account.received(url, 1), "it was delivered without permission"
