"""Templates that say something else of one resource, and where that must show."""

import copy
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from tests.declared import KINDS, read
from tests.templates import Stack

QUEUE_POLICY = "AWS::SQS::QueuePolicy"

GONE = "(the template has the resource no more)"


@dataclass(frozen=True)
class Mutation:
    """The template has `value` at `path` of the `resource`; numbers in the path count a list.

    It shows in `attribute`: by itself, at its path. `kind` is of the template's resource where two
    describe the same.
    """

    resource: str
    path: str
    value: object
    attribute: str = ""
    kind: str | None = None

    def __str__(self) -> str:
        return f"{self.resource}, {self.attribute or self.path}"

    def of(self, stacks: Iterable[Stack]) -> list[Stack]:
        """A copy of the stacks with the change; raises AssertionError if there is no such one."""
        changed = [replace(each, template=copy.deepcopy(each.template)) for each in stacks]
        (found,) = (
            stack.template["Resources"][resource.logical_id]
            for stack in changed
            for resource in stack.resources(*([self.kind] if self.kind else KINDS))
            if read(resource)[0] == self.resource
            if self.kind or resource.type != QUEUE_POLICY
        )
        self._change(found)
        return changed

    def _change(self, resource: dict[str, Any]) -> None:
        if self.value == GONE:
            resource["Type"] = "AWS::CloudFormation::WaitConditionHandle"
            return
        *above, last = (int(key) if key.isdigit() else key for key in self.path.split("/"))
        inner: Any = resource["Properties"]
        for key in above:
            inner = inner[key]
        inner[last] = self.value


QUEUE, FIFO_QUEUE, RULE = (
    "queue stock-dlq",
    "queue payment-events.fifo",
    "rule PaymentCancelledRule",
)
BUS, ARCHIVE = "bus stock-event-bus", "archive stock-bus-archive"
LOG_GROUP, LOG_GROUP_POLICY = (
    "log group stock-event-logs",
    "log group policy stock-event-logs-policy",
)
TABLE, OUTBOX = "table stock", "table stock-outbox"
INDEX = "GlobalSecondaryIndexes/0"
ONE_STATEMENT = {"Version": "2012-10-17", "Statement": [{"Sid": "EventBridgeMayWrite"}]}

MUTATIONS = (
    Mutation(QUEUE, "MessageRetentionPeriod", 60),
    Mutation(QUEUE, "DelaySeconds", 5),  # which the topology does not have
    Mutation(FIFO_QUEUE, "VisibilityTimeout", 31),
    Mutation(FIFO_QUEUE, "RedrivePolicy/maxReceiveCount", 5, "RedrivePolicy.maxReceiveCount"),
    Mutation(FIFO_QUEUE, "ContentBasedDeduplication", value=True),
    Mutation(
        "queue stock-payment-cancelled", "RedrivePolicy", None, "RedrivePolicy.deadLetterTargetArn"
    ),
    Mutation(
        "queue stock-payment-cancelled",
        "PolicyDocument/Statement/0/Condition",
        None,
        "Policy.EventBridgeMaySend.Condition",
        QUEUE_POLICY,
    ),
    Mutation(RULE, "EventPattern/detail-type", ["PaymentCreated"], "EventPattern.detail-type"),
    Mutation(RULE, "EventBusName", "payments-event-bus"),
    Mutation(RULE, "State", "DISABLED"),
    Mutation(RULE, "Targets/0/Arn", "arn:aws:sqs:eu-west-1:000000000000:x", "Targets.target.Arn"),
    Mutation(RULE, "Targets/0/Id", "other", "Targets.other.Arn"),
    Mutation(RULE, "Targets/0/DeadLetterConfig", None, "Targets.target.DeadLetterConfig.Arn"),
    Mutation("rule PaymentsToStockRule", "Targets/0/RoleArn", None, "Targets.target.RoleArn"),
    Mutation(
        BUS, "Policy/Statement/0/Principal", "*", "Policy.SubscriptionsMayPutEvents.Principal"
    ),
    Mutation("archive payments-bus-archive", "RetentionDays", 20),
    Mutation(ARCHIVE, "EventPattern", {"source": ["app.stock"]}, "EventPattern.source"),
    Mutation(ARCHIVE, "SourceArn", "arn:aws:events:eu-west-1:000000000000:event-bus/default"),
    Mutation(LOG_GROUP, "RetentionInDays", None),
    Mutation(
        LOG_GROUP_POLICY,
        "PolicyDocument",
        json.dumps(ONE_STATEMENT),
        "PolicyDocument.EventBridgeMayWrite.Action",
    ),
    Mutation(OUTBOX, "KeySchema/1/AttributeName", "version", "KeySchema.RANGE"),
    Mutation(OUTBOX, "AttributeDefinitions/1/AttributeType", "S", "AttributeDefinitions.sequence"),
    Mutation(
        OUTBOX,
        "StreamSpecification/StreamViewType",
        "KEYS_ONLY",
        "StreamSpecification.StreamViewType",
    ),
    Mutation(
        OUTBOX,
        "TimeToLiveSpecification",
        {"AttributeName": "expires", "Enabled": True},
        "TimeToLiveSpecification.AttributeName",
    ),
    Mutation(TABLE, "BillingMode", None),
    Mutation(
        TABLE,
        f"{INDEX}/Projection/ProjectionType",
        "KEYS_ONLY",
        "GlobalSecondaryIndexes.by-status.Projection.ProjectionType",
    ),
    Mutation(
        TABLE,
        f"{INDEX}/KeySchema/1/AttributeName",
        "updated",
        "GlobalSecondaryIndexes.by-status.KeySchema.RANGE",
    ),
    Mutation(
        TABLE, f"{INDEX}/IndexName", "by-state", "GlobalSecondaryIndexes.by-state.KeySchema.HASH"
    ),
)

LOSSES = {
    "AWS::DynamoDB::Table": Mutation(OUTBOX, "", GONE, "(exists)"),
    "AWS::Events::Archive": Mutation(ARCHIVE, "", GONE, "(exists)"),
    "AWS::Events::EventBus": Mutation(BUS, "", GONE, "(exists)"),
    "AWS::Events::Rule": Mutation(RULE, "", GONE, "(exists)"),
    "AWS::Logs::LogGroup": Mutation(LOG_GROUP, "", GONE, "(exists)"),
    "AWS::Logs::ResourcePolicy": Mutation(LOG_GROUP_POLICY, "", GONE, "(exists)"),
    "AWS::SQS::Queue": Mutation(QUEUE, "", GONE, "MessageRetentionPeriod"),
    QUEUE_POLICY: Mutation(
        "queue payment-cancelled-dlq",
        "",
        GONE,
        "Policy.EventBridgeMaySend.Effect",
        QUEUE_POLICY,
    ),
}
"""One of each kind."""
