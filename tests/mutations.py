"""Templates that say something else of one resource, and where that must show."""

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.declared import read
from tests.templates import Stack

Change = Callable[[dict[str, Any]], object]
"""Of one resource of a template."""


@dataclass(frozen=True)
class Mutation:
    """`change` is made to the template's resource of type `kind` that describes `resource`."""

    kind: str
    resource: str
    change: Change
    attribute: str

    def of(self, stacks: Iterable[Stack]) -> list[Stack]:
        """A copy of the stacks with the change; raises AssertionError if there is no such one."""
        changed = [replace(each, template=copy.deepcopy(each.template)) for each in stacks]
        (found,) = (
            stack.template["Resources"][resource.logical_id]
            for stack in changed
            for resource in stack.resources(self.kind)
            if read(resource)[0] == self.resource
        )
        self.change(found)
        return changed


def setting(path: str, value: object) -> Change:
    """Give one property another value; numbers in the path count a list."""

    def change(resource: dict[str, Any]) -> None:
        *above, last = (int(key) if key.isdigit() else key for key in path.split("/"))
        inner: Any = resource["Properties"]
        for key in above:
            inner = inner[key]
        inner[last] = value

    return change


def without(path: str) -> Change:
    return setting(path, None)


def gone(resource: dict[str, Any]) -> None:
    """The template has the resource no more."""
    resource["Type"] = "AWS::CloudFormation::WaitConditionHandle"


MUTATIONS: Mapping[str, Mutation] = {
    "a queue's retention": Mutation(
        "AWS::SQS::Queue",
        "queue stock-dlq",
        setting("MessageRetentionPeriod", 60),
        "MessageRetentionPeriod",
    ),
    "a queue's timeout": Mutation(
        "AWS::SQS::Queue",
        "queue payment-events.fifo",
        setting("VisibilityTimeout", 31),
        "VisibilityTimeout",
    ),
    "a queue's redrive": Mutation(
        "AWS::SQS::Queue",
        "queue stock-payment-cancelled",
        without("RedrivePolicy"),
        "RedrivePolicy.deadLetterTargetArn",
    ),
    "a queue's count of receives": Mutation(
        "AWS::SQS::Queue",
        "queue payment-events.fifo",
        setting("RedrivePolicy/maxReceiveCount", 5),
        "RedrivePolicy.maxReceiveCount",
    ),
    "a queue's deduplication": Mutation(
        "AWS::SQS::Queue",
        "queue payment-events.fifo",
        setting("ContentBasedDeduplication", value=True),
        "ContentBasedDeduplication",
    ),
    "an attribute of a queue that the topology does not have": Mutation(
        "AWS::SQS::Queue",
        "queue stock-dlq",
        setting("DelaySeconds", 5),
        "DelaySeconds",
    ),
    "who may send to a queue": Mutation(
        "AWS::SQS::QueuePolicy",
        "queue stock-payment-cancelled",
        without("PolicyDocument/Statement/0/Condition"),
        "Policy.EventBridgeMaySend.Condition",
    ),
    "a rule's pattern": Mutation(
        "AWS::Events::Rule",
        "rule PaymentCancelledRule",
        setting("EventPattern/detail-type", ["PaymentCreated"]),
        "EventPattern.detail-type",
    ),
    "a rule's bus": Mutation(
        "AWS::Events::Rule",
        "rule PaymentCancelledRule",
        setting("EventBusName", "payments-event-bus"),
        "EventBusName",
    ),
    "a rule's state": Mutation(
        "AWS::Events::Rule",
        "rule PaymentCancelledRule",
        setting("State", "DISABLED"),
        "State",
    ),
    "a rule's target": Mutation(
        "AWS::Events::Rule",
        "rule PaymentCancelledRule",
        setting("Targets/0/Arn", "arn:aws:sqs:eu-west-1:000000000000:stock-dlq"),
        "Targets.target.Arn",
    ),
    "a target's name": Mutation(
        "AWS::Events::Rule",
        "rule PaymentCancelledRule",
        setting("Targets/0/Id", "other"),
        "Targets.other.Arn",
    ),
    "a target's dead-letter queue": Mutation(
        "AWS::Events::Rule",
        "rule PaymentCancelledRule",
        without("Targets/0/DeadLetterConfig"),
        "Targets.target.DeadLetterConfig.Arn",
    ),
    "a target's role": Mutation(
        "AWS::Events::Rule",
        "rule PaymentsToStockRule",
        without("Targets/0/RoleArn"),
        "Targets.target.RoleArn",
    ),
    "who may put events on a bus": Mutation(
        "AWS::Events::EventBus",
        "bus stock-event-bus",
        setting("Policy/Statement/0/Principal", "*"),
        "Policy.SubscriptionsMayPutEvents.Principal",
    ),
    "an archive's retention": Mutation(
        "AWS::Events::Archive",
        "archive payments-bus-archive",
        setting("RetentionDays", 20),
        "RetentionDays",
    ),
    "an archive's pattern": Mutation(
        "AWS::Events::Archive",
        "archive stock-bus-archive",
        setting("EventPattern", {"source": ["app.stock"]}),
        "EventPattern.source",
    ),
    "an archive's bus": Mutation(
        "AWS::Events::Archive",
        "archive stock-bus-archive",
        setting("SourceArn", "arn:aws:events:eu-west-1:000000000000:event-bus/default"),
        "SourceArn",
    ),
    "a log group's retention": Mutation(
        "AWS::Logs::LogGroup",
        "log group stock-event-logs",
        without("RetentionInDays"),
        "RetentionInDays",
    ),
    "who may write to a log group": Mutation(
        "AWS::Logs::ResourcePolicy",
        "log group policy stock-event-logs-policy",
        setting(
            "PolicyDocument",
            json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "EventBridgeMayWrite"}]}),
        ),
        "PolicyDocument.EventBridgeMayWrite.Action",
    ),
    "a table's key": Mutation(
        "AWS::DynamoDB::Table",
        "table stock-outbox",
        setting("KeySchema/1/AttributeName", "version"),
        "KeySchema.RANGE",
    ),
    "the type of a key's attribute": Mutation(
        "AWS::DynamoDB::Table",
        "table stock-outbox",
        setting("AttributeDefinitions/1/AttributeType", "S"),
        "AttributeDefinitions.sequence",
    ),
    "what an index holds": Mutation(
        "AWS::DynamoDB::Table",
        "table stock",
        setting("GlobalSecondaryIndexes/0/Projection/ProjectionType", "KEYS_ONLY"),
        "GlobalSecondaryIndexes.by-status.Projection.ProjectionType",
    ),
    "an index's key": Mutation(
        "AWS::DynamoDB::Table",
        "table stock",
        setting("GlobalSecondaryIndexes/0/KeySchema/1/AttributeName", "updated"),
        "GlobalSecondaryIndexes.by-status.KeySchema.RANGE",
    ),
    "an index's name": Mutation(
        "AWS::DynamoDB::Table",
        "table stock",
        setting("GlobalSecondaryIndexes/0/IndexName", "by-state"),
        "GlobalSecondaryIndexes.by-state.KeySchema.HASH",
    ),
    "a table's billing": Mutation(
        "AWS::DynamoDB::Table",
        "table stock",
        without("BillingMode"),
        "BillingMode",
    ),
    "a stream's view": Mutation(
        "AWS::DynamoDB::Table",
        "table stock-outbox",
        setting("StreamSpecification/StreamViewType", "KEYS_ONLY"),
        "StreamSpecification.StreamViewType",
    ),
    "a table's expiry": Mutation(
        "AWS::DynamoDB::Table",
        "table stock-outbox",
        setting("TimeToLiveSpecification", {"AttributeName": "expires", "Enabled": True}),
        "TimeToLiveSpecification.AttributeName",
    ),
}

LOSSES = (
    Mutation("AWS::DynamoDB::Table", "table stock-outbox", gone, "(exists)"),
    Mutation("AWS::Events::Archive", "archive stock-bus-archive", gone, "(exists)"),
    Mutation("AWS::Events::EventBus", "bus stock-event-bus", gone, "(exists)"),
    Mutation("AWS::Events::Rule", "rule PaymentCancelledRule", gone, "(exists)"),
    Mutation("AWS::Logs::LogGroup", "log group stock-event-logs", gone, "(exists)"),
    Mutation(
        "AWS::Logs::ResourcePolicy", "log group policy stock-event-logs-policy", gone, "(exists)"
    ),
    Mutation("AWS::SQS::Queue", "queue stock-dlq", gone, "MessageRetentionPeriod"),
    Mutation(
        "AWS::SQS::QueuePolicy",
        "queue payment-cancelled-dlq",
        gone,
        "Policy.EventBridgeMaySend.Effect",
    ),
)
"""One of each kind."""
