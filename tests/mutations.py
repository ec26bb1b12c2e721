"""Templates that say something else of one resource, and where that must show."""

import copy
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from tests.declared import read
from tests.templates import Stack

ARCHIVE, BUS, RULE = "AWS::Events::Archive", "AWS::Events::EventBus", "AWS::Events::Rule"
LOG_GROUP, LOG_GROUP_POLICY = "AWS::Logs::LogGroup", "AWS::Logs::ResourcePolicy"
QUEUE, QUEUE_POLICY = "AWS::SQS::Queue", "AWS::SQS::QueuePolicy"
TABLE = "AWS::DynamoDB::Table"


@dataclass(frozen=True)
class Mutation:
    """The template's resource of type `kind` that describes `resource` is another.

    The property at `path`, where numbers count a list, has `value`; None is no such property.
    """

    kind: str
    resource: str
    path: str
    value: object

    def __str__(self) -> str:
        return f"{self.resource}: {self.path}"

    def change(self, resource: dict[str, Any]) -> None:
        *above, last = (int(key) if key.isdigit() else key for key in self.path.split("/"))
        inner: Any = resource["Properties"]
        for key in above:
            inner = inner[key]
        inner[last] = self.value

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


@dataclass(frozen=True)
class Loss(Mutation):
    """The template has the resource no more."""

    path: str = "lost"
    value: object = None

    def change(self, resource: dict[str, Any]) -> None:
        resource["Type"] = "AWS::CloudFormation::WaitConditionHandle"


_PAYMENTS, _OUTBOX = "queue payment-events.fifo", "table stock-outbox"
_CANCELLED, _CANCELLED_RULE = "queue stock-payment-cancelled", "rule PaymentCancelledRule"
_ARCHIVE, _INDEX = "archive stock-bus-archive", "GlobalSecondaryIndexes/0"
_OTHER_TARGET = "arn:aws:sqs:eu-west-1:000000000000:stock-dlq"
_OTHER_SOURCE = "arn:aws:events:eu-west-1:000000000000:event-bus/default"
_LESS = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "EventBridgeMayWrite"}]})

MUTATIONS = (
    Mutation(QUEUE, "queue stock-dlq", "MessageRetentionPeriod", 60),
    Mutation(QUEUE, "queue stock-dlq", "DelaySeconds", 5),  # the topology has none
    Mutation(QUEUE, _PAYMENTS, "VisibilityTimeout", 31),
    Mutation(QUEUE, _PAYMENTS, "RedrivePolicy/maxReceiveCount", 5),
    Mutation(QUEUE, _PAYMENTS, "ContentBasedDeduplication", value=True),
    Mutation(QUEUE, _CANCELLED, "RedrivePolicy", None),
    Mutation(QUEUE_POLICY, _CANCELLED, "PolicyDocument/Statement/0/Condition", None),
    Mutation(RULE, _CANCELLED_RULE, "EventPattern/detail-type", ["PaymentCreated"]),
    Mutation(RULE, _CANCELLED_RULE, "EventBusName", "payments-event-bus"),
    Mutation(RULE, _CANCELLED_RULE, "State", "DISABLED"),
    Mutation(RULE, _CANCELLED_RULE, "Targets/0/Arn", _OTHER_TARGET),
    Mutation(RULE, _CANCELLED_RULE, "Targets/0/Id", "other"),
    Mutation(RULE, _CANCELLED_RULE, "Targets/0/DeadLetterConfig", None),
    Mutation(RULE, "rule PaymentsToStockRule", "Targets/0/RoleArn", None),
    Mutation(BUS, "bus stock-event-bus", "Policy/Statement/0/Principal", "*"),
    Mutation(ARCHIVE, "archive payments-bus-archive", "RetentionDays", 20),
    Mutation(ARCHIVE, _ARCHIVE, "EventPattern", {"source": ["app.stock"]}),
    Mutation(ARCHIVE, _ARCHIVE, "SourceArn", _OTHER_SOURCE),
    Mutation(LOG_GROUP, "log group stock-event-logs", "RetentionInDays", None),
    Mutation(LOG_GROUP_POLICY, "log group policy stock-event-logs-policy", "PolicyDocument", _LESS),
    Mutation(TABLE, _OUTBOX, "KeySchema/1/AttributeName", "version"),
    Mutation(TABLE, _OUTBOX, "AttributeDefinitions/1/AttributeType", "S"),
    Mutation(TABLE, _OUTBOX, "StreamSpecification/StreamViewType", "KEYS_ONLY"),
    Mutation(TABLE, _OUTBOX, "TimeToLiveSpecification", {"AttributeName": "x", "Enabled": True}),
    Mutation(TABLE, "table stock", "BillingMode", None),
    Mutation(TABLE, "table stock", f"{_INDEX}/Projection/ProjectionType", "KEYS_ONLY"),
    Mutation(TABLE, "table stock", f"{_INDEX}/KeySchema/1/AttributeName", "updated"),
    Mutation(TABLE, "table stock", f"{_INDEX}/IndexName", "by-state"),
)

LOSSES = (
    Loss(TABLE, _OUTBOX),
    Loss(ARCHIVE, _ARCHIVE),
    Loss(BUS, "bus stock-event-bus"),
    Loss(RULE, _CANCELLED_RULE),
    Loss(LOG_GROUP, "log group stock-event-logs"),
    Loss(LOG_GROUP_POLICY, "log group policy stock-event-logs-policy"),
    Loss(QUEUE, "queue stock-dlq"),
    Loss(QUEUE_POLICY, "queue payment-cancelled-dlq"),
)
"""One of each kind."""
