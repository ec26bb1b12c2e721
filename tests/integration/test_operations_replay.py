"""A replay against an emulator: what is not there is said, what has ended is not cancelled."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from operations.environment import Environment
from operations.errors import OperatorError
from operations.replay.replay import Replay, request_of
from tests.conftest import MiniStack
from verification.testkit.waiting import eventually

REGION = "eu-north-1"
"""Another than the shared one: nothing is provisioned here but what these tests make."""


@pytest.fixture
def environment(ministack: MiniStack) -> Environment:
    return Environment(
        region=REGION,
        endpoint_url=ministack.endpoint,
        audit_file=Path("unused"),
    )


@pytest.fixture
def archived(environment: Environment) -> Iterator[Environment]:
    """A bus with an archive, and nothing else."""
    events = environment.aws("stock").client("events")
    arn = events.create_event_bus(Name="stock-event-bus")["EventBusArn"]
    events.create_archive(ArchiveName="stock-bus-archive", EventSourceArn=arn)
    environment.aws("stock").client("logs").create_log_group(logGroupName="stock-event-logs")
    yield environment
    environment.aws("stock").client("logs").delete_log_group(logGroupName="stock-event-logs")
    events.delete_archive(ArchiveName="stock-bus-archive")
    events.delete_event_bus(Name="stock-event-bus")


def a_replay(environment: Environment) -> Replay:
    now = datetime.now(UTC)
    span = (now - timedelta(hours=1), now)
    return Replay(environment, request_of(environment, "stock-event-bus", span, [], now=now))


def test_an_archive_that_does_not_exist_is_named(environment: Environment) -> None:
    """One sentence: which archive, of which bus."""
    with pytest.raises(OperatorError, match="stock-bus-archive of stock-event-bus does not exist"):
        a_replay(environment).start()


def test_a_replay_ends_and_cancelling_it_then_changes_nothing(archived: Environment) -> None:
    """Ctrl-C may come when all is over, or before anything began."""
    replay = a_replay(archived)
    replay.cancel()
    replay.start()

    ended = eventually(
        lambda: progress if (progress := replay.progress()).ended else None, what="the end"
    )
    replay.cancel()

    assert ended.state == replay.progress().state == "COMPLETED"
    assert replay.came() == {}


def test_this_emulator_replays_to_every_rule_whichever_were_named(archived: Environment) -> None:
    """Why the command refuses rules here: MiniStack takes FilterArns and does not heed them."""
    events = archived.aws("stock").client("events")
    sqs = archived.aws("stock").client("sqs")
    url = sqs.create_queue(QueueName="unnamed-target")["QueueUrl"]
    arn = "arn:aws:sqs:" + REGION + ":000000000000:unnamed-target"
    bus = events.describe_event_bus(Name="stock-event-bus")["Arn"]
    archive = events.describe_archive(ArchiveName="stock-bus-archive")["ArchiveArn"]
    pattern = '{"source": [{"prefix": ""}]}'
    arns = {
        name: events.put_rule(Name=name, EventBusName="stock-event-bus", EventPattern=pattern)
        for name in ("named", "unnamed")
    }
    events.put_targets(
        Rule="unnamed", EventBusName="stock-event-bus", Targets=[{"Id": "target", "Arn": arn}]
    )
    entry = {"EventBusName": "stock-event-bus", "Source": "s", "DetailType": "t", "Detail": "{}"}
    events.put_events(Entries=[entry])  # type: ignore[list-item]
    now = datetime.now(UTC)
    try:
        events.start_replay(
            ReplayName="filtered",
            EventSourceArn=archive,
            EventStartTime=now - timedelta(hours=1),
            EventEndTime=now + timedelta(seconds=5),
            Destination={"Arn": bus, "FilterArns": [arns["named"]["RuleArn"]]},
        )

        def replayed() -> bool:
            messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            return any("filtered" in message["Body"] for message in messages)

        assert eventually(replayed, what="a replayed event at the rule that was not named")
    finally:
        events.remove_targets(Rule="unnamed", EventBusName="stock-event-bus", Ids=["target"])
        for name in arns:
            events.delete_rule(Name=name, EventBusName="stock-event-bus")
        sqs.delete_queue(QueueUrl=url)
