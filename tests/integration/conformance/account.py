"""One account of the engine under test: a few resources, each with a name of its own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config

from infra.resources import TARGET_ID
from verification.testkit.waiting import wait_until

EVERYTHING = '{"source": [{"prefix": ""}]}'
"""A pattern."""

ONE_TRY = Config(retries={"total_max_attempts": 1}, read_timeout=30)
"""What an engine answers is the fact; botocore would ask again after a 500."""


def unique(kind: str) -> str:
    return f"{kind}-{uuid4().hex[:8]}"


@dataclass
class Account:
    """`number` is the access key too: that is how both emulators tell accounts apart.

    `patience` is how many seconds something may take that has to come.
    """

    endpoint: str
    region: str
    patience: float
    number: str = "111122223333"

    def client(self, service: Any) -> Any:
        return boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint,
            aws_access_key_id=self.number,
            aws_secret_access_key="sample",
            config=ONE_TRY,
        )

    @cached_property
    def events(self) -> Any:
        return self.client("events")

    @cached_property
    def sqs(self) -> Any:
        return self.client("sqs")

    @cached_property
    def logs(self) -> Any:
        return self.client("logs")

    def bus(self) -> str:
        name = unique("bus")
        self.events.create_event_bus(Name=name)
        return name

    def bus_arn(self, bus: str) -> str:
        arn: str = self.events.describe_event_bus(Name=bus)["Arn"]
        return arn

    def queue(self, *, is_open: bool = True, **attributes: str) -> tuple[str, str]:
        """A queue's URL and ARN; an open one takes messages from EventBridge."""
        url = self.sqs.create_queue(QueueName=unique("queue"), Attributes=attributes)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        if is_open:
            allowed = {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn["Attributes"]["QueueArn"],
            }
            policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
            self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return url, arn["Attributes"]["QueueArn"]

    def rule(self, bus: str, target: str, **more: Any) -> str:
        """Send everything on a bus to a target; `more` is of the target. The rule's ARN."""
        name = unique("rule")
        arn: str = self.events.put_rule(Name=name, EventBusName=bus, EventPattern=EVERYTHING)[
            "RuleArn"
        ]
        targets = [{"Id": TARGET_ID, "Arn": target, **more}]
        answer = self.events.put_targets(Rule=name, EventBusName=bus, Targets=targets)
        assert answer["FailedEntryCount"] == 0, answer
        return arn

    def put(self, bus: str, number: int = 1, **more: Any) -> Any:
        """Put one event; the answer for its entry."""
        entry = {
            "EventBusName": bus,
            "Source": "app.test",
            "DetailType": "Counted",
            "Detail": json.dumps({"number": number}),
        }
        return self.events.put_events(Entries=[{**entry, **more}])["Entries"][0]

    def log_group(self) -> tuple[str, str]:
        """A log group that EventBridge may write to, and its ARN."""
        name = f"/aws/events/{unique('log')}"
        self.logs.create_log_group(logGroupName=name)
        return name, f"arn:aws:logs:{self.region}:{self.number}:log-group:{name}"

    def lines(self, group: str) -> list[Any]:
        found: list[Any] = self.logs.filter_log_events(logGroupName=group)["events"]
        return found

    def received(self, url: str, count: int) -> list[Any]:
        """Messages, each once: `count`, or those that came in time."""
        messages: dict[str, Any] = {}

        def all_there() -> bool:
            answer = self.sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            )
            messages.update({each["MessageId"]: each for each in answer.get("Messages", ())})
            return len(messages) >= count

        wait_until(all_there, within=self.patience, every=0.1)
        return list(messages.values())

    def events_at(self, url: str, count: int) -> list[Any]:
        return [json.loads(each["Body"]) for each in self.received(url, count)]

    def events_until(self, url: str, bus: str) -> list[Any]:
        """All that is at a queue once one more event, which this puts, is there; without that."""
        last = self.put(bus, -1)["EventId"]
        found: list[Any] = []

        def is_there() -> bool:
            answer = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            found.extend(json.loads(each["Body"]) for each in answer.get("Messages", ()))
            return any(each["id"] == last for each in found)

        assert self.until(is_there), "an event did not come"
        return [each for each in found if each["id"] != last]

    def until(self, condition: Callable[[], Any]) -> Any:
        """What a condition came to in time, true or not."""
        return wait_until(condition, within=self.patience, every=0.1)
