"""The console's own queue and rule on each bus: what it sees, no queue of the system loses.

Made at start, taken away at an orderly end. After kill -9 the queue keeps what comes for two
minutes and no longer, and the next console of the same name finds it again. What was left behind
otherwise, as by one whose credentials had expired when it stopped, any console of the account
removes: a tap's queue says when its console was last there.
"""

import json
from contextlib import suppress
from datetime import datetime
from math import inf

from botocore.exceptions import ClientError

from console.live.sampling import pattern
from infra.arns import Arns
from infra.policies import queue_policy_document
from infra.resources import (
    TARGET_ID,
    Bus,
    Domain,
    EventPattern,
    Queue,
    QueuePolicy,
    Rule,
    ToQueue,
)
from infra.topology import Topology
from runtime.aws import Aws, asking, error_code
from runtime.errors import Unavailable

RETENTION = 120
"""Seconds; SQS takes no less than 60."""

VISIBILITY = 30
"""Seconds."""

SEEN = "streamed-events:console-seen"
"""The tag of a tap's queue: when its console was last there, in seconds since 1970."""

ABANDONED_AFTER = 3600.0
"""Seconds without its console after which a tap is another's to remove."""

_PREFIX = "console-tap-"


class ConsoleTap:
    """One bus's tap, in the account of the bus: `aws`. The methods raise Unavailable."""

    def __init__(self, aws: Aws, bus: str, name: str) -> None:
        self.bus = bus
        queue = f"{_PREFIX}{name}-{bus}"
        self.queue = Queue(queue, visibility_timeout=VISIBILITY, retention=RETENTION)
        self.rule = Rule(f"ConsoleTap-{name}-{bus}", bus, EventPattern(), ToQueue(queue))
        self._aws, self.sqs, self._events = aws, aws.client("sqs"), aws.client("events")

    def make(self, every_nth: int) -> str:
        """Make the queue and the rule, or bring them in line; returns the queue's URL."""
        with asking("SQS and EventBridge"):
            arns = self._arns()
            try:
                url = self._queue_url()
            except ClientError as error:
                if error_code(error).endswith("QueueDeletedRecently"):
                    why = "a queue may be made again 60 s after it was deleted"
                    raise Unavailable("SQS", why) from error
                raise
            policy = queue_policy_document(QueuePolicy(self.queue.name, (self.rule,)), arns)
            self.sqs.set_queue_attributes(
                QueueUrl=url,
                Attributes={
                    "MessageRetentionPeriod": str(self.queue.retention),
                    "VisibilityTimeout": str(self.queue.visibility_timeout),
                    "Policy": json.dumps(policy),
                },
            )
            self.let_through(every_nth)
            self._events.put_targets(
                Rule=self.rule.name,
                EventBusName=self.bus,
                Targets=[{"Id": TARGET_ID, "Arn": arns.queue(self.queue.name)}],
            )
        return url

    def let_through(self, every_nth: int) -> None:
        """Let the events of one in `every_nth` aggregates through."""
        with asking("EventBridge"):
            self._events.put_rule(
                Name=self.rule.name,
                EventBusName=self.bus,
                EventPattern=json.dumps(pattern(every_nth)),
                State="ENABLED",
            )

    def is_there(self) -> bool:
        """Whether the rule is: `make provision` takes away what the topology does not have."""
        with asking("EventBridge"), suppress(self._events.exceptions.ResourceNotFoundException):
            self._events.describe_rule(Name=self.rule.name, EventBusName=self.bus)
            return True
        return False

    def throw_away(self, url: str) -> int:
        """Empty the queue; returns about how many messages were in it. SQS does it once a minute.

        Raises Unavailable, also where it was done within the last minute.
        """
        with asking("SQS"):
            found = self.sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
            )["Attributes"]
            try:
                self.sqs.purge_queue(QueueUrl=url)
            except self.sqs.exceptions.PurgeQueueInProgress as error:
                raise Unavailable("SQS", "PurgeQueueInProgress") from error
        return int(found["ApproximateNumberOfMessages"])

    def remove(self) -> None:
        """Take the rule and the queue away; what is gone already is all right."""
        with asking("SQS and EventBridge"):
            self._remove_rule()
            self._remove_queue()

    def _remove_rule(self) -> None:
        with suppress(self._events.exceptions.ResourceNotFoundException):
            self._events.remove_targets(Rule=self.rule.name, EventBusName=self.bus, Ids=[TARGET_ID])
            self._events.delete_rule(Name=self.rule.name, EventBusName=self.bus)

    def _remove_queue(self) -> None:
        with suppress(self.sqs.exceptions.QueueDoesNotExist):
            url = self.sqs.get_queue_url(QueueName=self.queue.name)["QueueUrl"]
            self.sqs.delete_queue(QueueUrl=url)

    def keep(self, url: str, now: datetime) -> list[str]:
        """Say that its console is there, and remove the bus's taps whose consoles are gone.

        Returns the names of their queues.
        """
        with asking("SQS"):
            self.sqs.tag_queue(QueueUrl=url, Tags={SEEN: str(int(now.timestamp()))})
            pages = self.sqs.get_paginator("list_queues").paginate(
                QueueNamePrefix=_PREFIX, PaginationConfig={"PageSize": 1000}
            )
            urls = {
                each.rsplit("/", 1)[-1]: each
                for page in pages
                for each in page.get("QueueUrls", [])
            }
        removed = []
        for queue, other in urls.items():
            name = queue.removeprefix(_PREFIX).removesuffix(f"-{self.bus}")
            tap = ConsoleTap(self._aws, self.bus, name)
            if queue != tap.queue.name or queue == self.queue.name:
                continue
            if now.timestamp() - self._seen(other) > ABANDONED_AFTER:
                tap.remove()
                removed.append(queue)
        return removed

    def _seen(self, url: str) -> float:
        """When a tap's console was last there; one that does not say so was when it made it."""
        with asking("SQS"):
            try:
                said = self.sqs.list_queue_tags(QueueUrl=url).get("Tags", {}).get(SEEN, "")
                if said.isdecimal():
                    return float(said)
                attributes = self.sqs.get_queue_attributes(
                    QueueUrl=url, AttributeNames=["CreatedTimestamp"]
                )["Attributes"]
            except self.sqs.exceptions.QueueDoesNotExist:
                return inf  # it is being removed by another
        return float(attributes["CreatedTimestamp"])

    def _queue_url(self) -> str:
        try:
            return self.sqs.get_queue_url(QueueName=self.queue.name)["QueueUrl"]
        except self.sqs.exceptions.QueueDoesNotExist:
            return self.sqs.create_queue(QueueName=self.queue.name)["QueueUrl"]

    def _arns(self) -> Arns:
        """The bus's own ARN says in which account and region the tap is."""
        arn = self._events.describe_event_bus(Name=self.bus)["Arn"]
        _, _, _, region, account, _ = arn.split(":", 5)
        tap = Domain("console", buses=(Bus(self.bus),), rules=(self.rule,), queues=(self.queue,))
        return Arns.in_one_account(Topology((tap,)), account, region)
