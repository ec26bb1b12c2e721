"""`streamed status` and the command itself, on real engines: what waits, and for whom."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from infra.local_system.settings import ROOT
from operations.__main__ import main, parser
from operations.databases import DatabaseEnvironment
from operations.status.lines import Line, read_status
from runtime.ids import utc_now
from runtime.metrics import RelayMetrics, new_registry
from runtime.outbox.dynamodb_rows import row_of, to_item
from runtime.outbox.mongodb_rows import to_document
from runtime.process.health import Readiness
from runtime.process.health_server import HealthServer
from tests.dead_letters import an_event
from tests.integration.operated import Operated
from tests.relay_fakes import record_of


@pytest.fixture
def system(operated_system: Operated) -> Operated:
    return operated_system


@pytest.fixture(autouse=True)
def restored(system: Operated) -> Iterator[None]:
    """The outboxes and queues that tests fill are empty afterwards."""
    yield
    system.gate.open()
    for queue in ("stock-dlq", "stock-payment-cancelled"):
        system.empty([queue])
    client = system.aws.client("dynamodb")
    for item in client.scan(TableName="stock-outbox")["Items"]:
        client.delete_item(TableName="stock-outbox", Key=row_of(item).handle)
    with MongoClient[dict[str, Any]](system.mongodb_uri) as mongo:
        mongo[system.region]["outbox"].delete_many({})


def lines(system: Operated) -> tuple[int, dict[str, dict[str, Any]]]:
    code, found = system.ask("status")
    assert found["needsPerson"] == (code == 1)
    return code, {f"{each['kind']} {each['name']}": each for each in found["places"]}


def looked_at(environment: DatabaseEnvironment) -> list[Line]:
    return read_status(environment, now=utc_now, wait=lambda _: None)


def test_an_idle_system_needs_nobody(system: Operated) -> None:
    """Every outbox, stream, work queue and dead-letter queue has its line; exit code 0."""
    code, found = lines(system)

    assert code == 0
    assert len([name for name in found if name.startswith("outbox")]) == 3
    assert len([name for name in found if name.startswith("queue")]) == 8
    assert len([name for name in found if name.startswith("dead-letter queue")]) == 20
    assert {each["verdict"] for name, each in found.items() if not name.startswith("stream")} == {
        "empty"
    }


def test_rows_that_wait_too_long_need_a_person(system: Operated) -> None:
    """In DynamoDB and in MongoDB: how many, and how old the oldest is."""
    old, young = utc_now() - timedelta(minutes=4), utc_now()
    for sequence, moment in enumerate((young, old, young), 1):
        item = to_item(record_of("a", sequence, occurred_at=moment).to_document())
        system.aws.client("dynamodb").put_item(TableName="stock-outbox", Item=item)
    with MongoClient[dict[str, Any]](system.mongodb_uri) as mongo:
        record = record_of("b", 1, occurred_at=young)
        mongo[system.region]["outbox"].insert_one(to_document(record))

    code, found = lines(system)

    assert code == 1
    stock = found["outbox stock-outbox"]
    assert stock["verdict"].startswith("3 wait, the oldest for 4 min: stock-relay is not publish")
    assert found["outbox payments.outbox"]["waiting"] == 1
    assert not found["outbox payments.outbox"]["needsPerson"]


def test_a_queue_that_nobody_receives_from_needs_a_person(system: Operated) -> None:
    """It is looked at twice, and never received from: that would count against its messages."""
    system.send("stock-payment-cancelled", an_event("a", 1), an_event("b", 1))

    code, found = lines(system)

    queue = found["queue stock-payment-cancelled"]
    assert (code, queue["needsPerson"], queue["waiting"]) == (1, True, 2)
    assert queue["verdict"] == "2 wait and none is received: is stock-consumer running?"
    message = system.aws.client("sqs").receive_message(
        QueueUrl=system.url("stock-payment-cancelled"),
        MessageSystemAttributeNames=["ApproximateReceiveCount"],
    )["Messages"][0]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_queue_that_somebody_works_on_needs_nobody(system: Operated) -> None:
    """The second look finds one in work."""
    system.send("stock-payment-cancelled", an_event("a", 1), an_event("b", 1))

    def receive(_: float) -> None:
        url = system.url("stock-payment-cancelled")
        system.aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=1)

    found = read_status(system.environment, now=utc_now, wait=receive)

    (line,) = (each for each in found if each.name == "stock-payment-cancelled")
    assert line.verdict.text == "1 waits, 1 in work: on the way"
    assert not any(each.verdict.needs_attention for each in found)


def test_a_dead_letter_needs_a_person_and_stays_visible(system: Operated) -> None:
    """With its age, and the command that shows it."""
    system.send("stock-dlq", "nonsense")

    code, found = lines(system)

    dlq = found["dead-letter queue stock-dlq"]
    assert code == 1
    assert dlq["verdict"].startswith("1 dead letter, the oldest for ")
    assert dlq["verdict"].endswith(": `streamed dlq list --queue stock-dlq`")
    assert dlq["oldestSeconds"] < 60
    assert system.depth("stock-dlq") == (1, 0)


def test_a_database_that_is_away_leaves_the_other_lines(system: Operated) -> None:
    """An outage is when an operator looks: what can be read is shown."""
    away = "mongodb://127.0.0.1:1/?replicaSet=rs0"
    environment = replace(system.environment, mongodb_uri=away)

    said = {line.name: line.verdict for line in looked_at(environment)}
    assert said["payments.outbox"].text.startswith("cannot be read: MongoDB is unavailable")
    assert said["payments.outbox"].needs_attention
    assert said["stock-outbox"].text == "empty"


def test_a_relay_is_asked_how_far_behind_it_is(system: Operated) -> None:
    """Over /metrics; one that does not answer needs attention."""
    registry = new_registry()
    RelayMetrics(registry).stream_lag.set(0.25)
    server = HealthServer("127.0.0.1", 0, readiness=Readiness("stream"), registry=registry)
    with server.serving():
        metrics = {
            "stock-relay": f"http://127.0.0.1:{server.port}/metrics",
            "subscriptions-relay": "http://127.0.0.1:1/metrics",
        }
        found = looked_at(replace(system.environment, metrics=metrics))

    said = {line.name: line.verdict for line in found if line.kind == "stream"}
    assert said["stock-relay"].text == "the last row was read 0.2 s after it occurred"
    assert said["subscriptions-relay"].needs_attention
    assert "does not answer at http://127.0.0.1:1" in said["subscriptions-relay"].text
    assert not said["payments-change-stream"].needs_attention


class OnAws(DatabaseEnvironment):
    """A place that takes the emulator for AWS: it has CloudWatch, and takes any metric."""

    @property
    def emulated(self) -> bool:
        return False


def test_on_aws_ages_and_lags_are_cloudwatchs(system: Operated) -> None:
    """Queues of every domain; a relay that is a function by its iterator's age."""
    now = utc_now()
    cloudwatch = system.aws.client("cloudwatch")
    for namespace, name, dimension, resource, value in (
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", "stock-payment-cancelled", 400),
        ("AWS/Lambda", "IteratorAge", "FunctionName", "stock-relay", 1500),
    ):
        cloudwatch.put_metric_data(
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": dimension, "Value": resource}],
                    "Timestamp": now - timedelta(minutes=2),
                    "Value": value,
                }
            ],
        )
    system.send("stock-payment-cancelled", an_event("a", 1))
    found = looked_at(OnAws(**vars(system.environment)))

    said = {f"{line.kind} {line.name}": line.verdict for line in found}
    assert said["queue stock-payment-cancelled"].text.startswith(
        "1 waits, the oldest for 6 min: is"
    )
    assert said["stream stock-relay"].text == "the last row was read 1.5 s after it occurred"
    assert said["stream subscriptions-relay"].text == "nothing was read in the last five minutes"
    assert said["stream payments-change-stream"].text.startswith("not measured on AWS")


@pytest.mark.parametrize(
    ("argv", "exit_code", "sentence"),
    [
        (("status",), 75, "is unavailable: EndpointConnectionError: is the system up there"),
        (("dlq", "list", "--queue", "stok-dlq"), 2, "did you mean stock-dlq"),
        (("dlq", "redrive", "--queue", "stock-dlq"), 2, "one of the arguments --id --event-type"),
        (
            ("dlq", "redrive", "--queue", "x", "--all", "--rate", "0"),
            2,
            "0 must be a number above 0",
        ),
        (("dlq", "list", "--limit", "no"), 2, "no must be a positive integer"),
        (("stats",), 2, "invalid choice: 'stats'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_one_sentence_and_its_exit_code(
    argv: tuple[str, ...],
    exit_code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On stderr, and never a traceback: nothing is up at these ports."""
    for name in ("AWS_PORT", "MONGODB_PORT"):
        monkeypatch.setenv(name, "1")
    try:
        code = main(argv)
    except SystemExit as left:
        code = int(left.code or 0)

    said = capsys.readouterr()
    assert (code, said.out) == (exit_code, "")
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1


def test_missing_settings_are_all_named() -> None:
    """`--at aws` reads what every process of ours reads; run as a person does."""
    done = subprocess.run(
        [ROOT / "streamed", "status", "--at", "aws"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert "AWS_REGION" in done.stderr
    assert "MONGODB_URI" in done.stderr


def test_without_dependencies_it_says_what_to_run(tmp_path: Path) -> None:
    """A fresh clone: no .venv, and a python that has nothing installed."""
    (tmp_path / "streamed").write_bytes((ROOT / "streamed").read_bytes())
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    for name in ("streamed", "python3"):
        (tmp_path / name).chmod(0o755)

    done = subprocess.run(
        [tmp_path / "streamed", "status"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "run `make setup` first" in done.stderr


def test_an_argument_that_is_no_text_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A shell's bytes that are not UTF-8 come as surrogates, which no database takes."""
    with pytest.raises(SystemExit) as left:
        main(["where", "a\udcff"])

    assert left.value.code == 2
    assert capsys.readouterr().err == "an argument is not UTF-8: see `streamed --help`\n"


@pytest.mark.parametrize(
    "command", ["", "status", "dlq", "dlq list", "dlq show", "dlq redrive", "dlq drop"]
)
def test_every_command_says_how_it_is_used(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With examples that can be typed."""
    with pytest.raises(SystemExit) as left:
        parser().parse_args([*command.split(), "--help"])

    printed = capsys.readouterr().out
    assert left.value.code == 0
    assert "examples:\n  streamed " in printed
    assert "--json" in printed
