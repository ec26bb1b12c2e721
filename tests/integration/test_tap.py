"""The tap against MiniStack: what is put on a bus is in the bus's log group."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from time import time
from typing import Any
from unittest.mock import MagicMock
from uuid import uuid4

import pytest

from infra.local_system.environment import REGION
from infra.local_system.ports import LOOPBACK
from infra.taps import Tap
from local import engines
from local.child import running_child, stop_child, wait_until_listening
from local.tap import BusTap, LogTargets, log_event
from runtime.aws import Aws
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from tests.conftest import MiniStack
from verification.testkit.ports import reserved_ports
from verification.testkit.waiting import eventually


@dataclass(frozen=True)
class Tapped:
    """A bus of a test's own with its tap."""

    aws: Aws
    tap: Tap
    stop: Stop
    readiness: Readiness
    run: Callable[[], None]

    def put(self, *numbers: int) -> None:
        self.aws.client("events").put_events(
            Entries=[
                {
                    "EventBusName": self.tap.bus,
                    "Source": "app.test",
                    "DetailType": "Counted",
                    "Detail": json.dumps({"number": number}),
                }
                for number in numbers
            ]
        )

    def lines(self) -> list[dict[str, Any]]:
        found = self.aws.client("logs").filter_log_events(logGroupName=self.tap.log_group)
        return [json.loads(event["message"]) for event in found["events"]]

    def numbers(self) -> list[int]:
        return sorted(line["detail"]["number"] for line in self.lines())

    @contextmanager
    def written_by_the_emulator(self) -> Iterator[Callable[[], list[int]]]:
        """Write the bus's events to its log group, in a stream that is not the tap's."""
        logs, stream = self.aws.client("logs"), "the-emulator"
        logs.create_log_stream(logGroupName=self.tap.log_group, logStreamName=stream)
        url, stop = self.send_everything_to(f"{self.tap.bus}-lines"), Stop()
        numbers: list[int] = []

        def write() -> None:
            sqs = self.aws.client("sqs")
            while not stop.requested:
                answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
                for message in answer.get("Messages", ()):
                    line: Any = {"timestamp": round(time() * 1000), "message": message["Body"]}
                    logs.put_log_events(
                        logGroupName=self.tap.log_group, logStreamName=stream, logEvents=[line]
                    )
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                    numbers.append(json.loads(message["Body"])["detail"]["number"])
                stop.wait(0.05)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield lambda: sorted(numbers)
        finally:
            stop.request()
            thread.join(timeout=60)

    def send_everything_to(self, name: str) -> str:
        """Make a queue and a rule of this name, for every event of the bus; the queue's URL."""
        events, sqs = self.aws.client("events"), self.aws.client("sqs")
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        pattern = '{"source":[{"prefix":""}]}'
        events.put_rule(Name=name, EventBusName=self.tap.bus, EventPattern=pattern)
        target: Any = {"Id": "tap", "Arn": found["QueueArn"]}
        events.put_targets(Rule=name, EventBusName=self.tap.bus, Targets=[target])
        return url

    def queue_depth(self) -> int:
        sqs = self.aws.client("sqs")
        url = sqs.get_queue_url(QueueName=self.tap.queue)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"]) + int(
            attributes["ApproximateNumberOfMessagesNotVisible"]
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self.stop.request()
            thread.join(timeout=60)
            assert not thread.is_alive(), "the tap did not stop"


def tapped(endpoint: str, region: str) -> Tapped:
    aws = Aws(region=region, endpoint_url=endpoint, attempts=1)
    bus = f"bus-{uuid4().hex[:8]}"
    tap = Tap(bus, f"local-tap-{bus}", f"LocalTap-{bus}", f"{bus}-logs")
    aws.client("events").create_event_bus(Name=bus)
    aws.client("logs").create_log_group(logGroupName=tap.log_group)
    stop, readiness = Stop(), Readiness(tap.queue)

    def run() -> None:
        sqs, logs = aws.client("sqs"), aws.client("logs")
        BusTap(sqs, logs, tap, url, stop, readiness, LogTargets()).run()

    made = Tapped(aws, tap, stop, readiness, run)
    url = made.send_everything_to(tap.queue)
    return made


@pytest.fixture
def bus(ministack: MiniStack) -> Tapped:
    return tapped(ministack.endpoint, ministack.region)


def test_events_arrive_in_the_log_group_as_they_were_on_the_bus(bus: Tapped) -> None:
    """Each event is one line, the whole event as EventBridge has it, and leaves the queue."""
    with bus.running():
        bus.put(1, 2, 3)
        eventually(lambda: bus.numbers() == [1, 2, 3], what="three lines")
        eventually(lambda: bus.queue_depth() == 0, what="an empty queue")
    (line, *_) = bus.lines()
    assert line["source"] == "app.test"
    assert line["detail-type"] == "Counted"
    assert {"id", "time", "account", "region", "version", "resources"} <= line.keys()


def test_an_emulator_that_writes_the_log_itself_is_left_to_it(bus: Tapped) -> None:
    """It is asked with the first event; each has one line then, and leaves the queue all the same.

    The test stands for the emulator: it writes what comes by a rule of its own.
    """
    with bus.written_by_the_emulator() as written:
        bus.put(1)
        eventually(lambda: bus.numbers() == [1], what="the emulator's line")
        with bus.running():
            eventually(lambda: bus.queue_depth() == 0, what="an empty queue")
            bus.put(2, 3)
            eventually(lambda: written() == bus.numbers() == [1, 2, 3], what="the other lines")
            eventually(lambda: bus.queue_depth() == 0, what="an empty queue again")
    assert bus.numbers() == [1, 2, 3]


def test_an_emulator_is_asked_once_for_all_taps() -> None:
    """By whichever has the first event; a second question could have another answer."""
    targets, asked = LogTargets(), []

    def ask() -> bool:
        asked.append(1)
        return len(asked) == 1

    assert [targets.work(ask), targets.work(ask)] == [True, True]
    assert len(asked) == 1


def test_a_question_without_an_answer_is_asked_again() -> None:
    """Such as one that a stop interrupts."""
    targets = LogTargets()
    answers = iter([None, False])
    assert [targets.work(lambda: next(answers)) for _ in range(3)] == [None, False, False]


def test_a_tap_that_is_stopped_while_it_asks_leaves_the_event(bus: Tapped) -> None:
    """It is neither written nor deleted: the next tap receives it."""
    aws, events = bus.aws, {"Body": '{"id": "e"}', "ReceiptHandle": "r"}
    sqs, stop = MagicMock(), Stop()
    tap = BusTap(sqs, aws.client("logs"), bus.tap, "url", stop, bus.readiness, LogTargets())
    stop.request()

    tap._move([events])  # type: ignore[list-item]

    assert bus.lines() == []
    sqs.delete_message_batch.assert_not_called()


def test_a_line_that_was_not_written_stays_in_the_queue(bus: Tapped) -> None:
    """Without its log group the tap waits unready; the events are there when it is back."""
    logs = bus.aws.client("logs")
    logs.delete_log_group(logGroupName=bus.tap.log_group)
    with bus.running():
        bus.put(1)
        eventually(
            lambda: (
                "Unavailable" in str(bus.readiness.reasons())
                or "unavailable" in str(bus.readiness.reasons())
            ),
            what="an unready tap",
        )
        assert bus.queue_depth() == 1
        logs.create_log_group(logGroupName=bus.tap.log_group)
        eventually(lambda: bus.numbers() == [1], what="the line")
        eventually(lambda: not bus.readiness.reasons(), what="a ready tap")


def test_survives_an_outage_of_the_emulator(tmp_path: Path) -> None:
    """The emulator stops and comes back: the tap goes on by itself."""
    with ExitStack() as stack:
        (port,) = stack.enter_context(reserved_ports(1))
        engine = engines.ministack_process(port, tmp_path)

        def an_emulator() -> Popen[bytes]:
            log = tmp_path / "ministack.log"
            child = stack.enter_context(
                running_child("MiniStack", engine.command, env=engine.env, log=log)
            )
            wait_until_listening(port, timeout=60, what="MiniStack", child=child)
            return child

        emulator = an_emulator()
        bus = tapped(f"http://{LOOPBACK}:{port}", REGION)
        with bus.running():
            bus.put(1)
            eventually(lambda: bus.numbers() == [1], what="the line before the outage")
            assert stop_child(emulator, within=60), "its state was lost"
            eventually(bus.readiness.reasons, what="an unready tap")
            an_emulator()
            eventually(lambda: not bus.readiness.reasons(), what="a ready tap")
            bus.put(2)
            eventually(lambda: bus.numbers() == [1, 2], what="the line after the outage")


def test_the_time_of_a_line_is_the_time_of_its_event() -> None:
    """Milliseconds since the epoch, from the event's `time`."""
    body = json.dumps({"time": "1970-01-01T00:00:02Z"})
    assert log_event({"Body": body, "ReceiptHandle": "r"})["timestamp"] == 2000


@pytest.mark.parametrize("body", ["no json", "[]", "{}", '{"time": "yesterday"}', '{"time": 5}'])
def test_a_body_without_a_time_is_logged_when_it_was_sent(body: str) -> None:
    """Whatever is on the bus is in the log, byte for byte."""
    event = log_event({"Body": body, "ReceiptHandle": "r", "Attributes": {"SentTimestamp": "1234"}})
    assert event == {"timestamp": 1234, "message": body}
