"""A replay against an emulator: what is not there is said, what has ended is not cancelled."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from contracts.timestamps import format_timestamp
from operations import __main__ as streamed
from operations.environment import Environment
from operations.errors import OperatorError
from operations.output import Output
from operations.replay.command import NOTHING_TO_REPLAY
from operations.replay.replay import Replay, request_of
from tests.conftest import MiniStack
from verification.testkit.waiting import eventually

REGION = "eu-north-1"
"""Another than the shared one: nothing is provisioned here but what these tests make."""


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks at a replay."""
    monkeypatch.setattr("operations.replay.command.sleep", lambda _: Event().wait(0.02))


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


def test_a_start_that_failed_and_left_something_is_explained(archived: Environment) -> None:
    """botocore asks again after a 5xx, and then the name is taken: by this very command."""
    replay = a_replay(archived)
    replay.start()
    with pytest.raises(OperatorError, match=f"StartReplay failed, and left a replay {replay.name}"):
        replay.start()


@pytest.mark.parametrize(
    ("dry_run", "sentence"),
    [
        ([], "nothing to replay: stock-bus-archive has no event of stock-event-bus from "),
        (["--dry-run"], "nothing to replay: the log of stock-event-bus from "),
    ],
)
def test_a_replay_of_nothing_says_so_and_has_an_exit_code_of_its_own(
    archived: Environment, dry_run: list[str], sentence: str
) -> None:
    """It is neither a success, which 0 would say, nor something that failed."""
    code, printed = streamed_replay(archived, *dry_run)

    assert (code, NOTHING_TO_REPLAY) == (3, 3)
    assert sentence in printed


def test_a_log_with_events_that_the_archive_lacks_is_pointed_out(archived: Environment) -> None:
    """Such as what was published before there was an archive."""
    occurred = format_timestamp(datetime.now(UTC))
    metadata = {"aggregateId": "a", "sequence": 1, "eventId": "e", "occurredAt": occurred}
    event = {
        "id": "envelope",
        "source": "app.stock",
        "detail-type": "StockAllocated",
        "detail": {"metadata": metadata, "subscriptionId": "a"},
    }
    logs = archived.aws("stock").client("logs")
    logs.create_log_stream(logGroupName="stock-event-logs", logStreamName="s")
    now = round(datetime.now(UTC).timestamp() * 1000)
    logs.put_log_events(
        logGroupName="stock-event-logs",
        logStreamName="s",
        logEvents=[{"timestamp": now, "message": json.dumps(event)}],
    )

    code, printed = streamed_replay(archived)

    assert code == NOTHING_TO_REPLAY
    assert "though the bus's log has 1 event" in printed


def streamed_replay(environment: Environment, *more: str) -> tuple[int, str]:
    """Run the command; its exit code, and what it printed as one line."""
    command = ("replay", "--bus", "stock-event-bus", "--from", "1h ago", *more)
    arguments = streamed.parser().parse(command)
    printed = io.StringIO()
    code = arguments.run(environment, arguments, Output(stdout=printed, stderr=printed))
    return code, " ".join(printed.getvalue().split())


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
