"""What was changed by hand on an emulator is put right by the next run, and only that."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.local import provision
from runtime.aws import Aws
from tests.agreement import World
from tests.conftest import MiniStack
from tests.integration.emulated import attributes_of, empty_aws, url_of
from tests.observed import observed

STOCK_BUS = "stock-event-bus"


@pytest.fixture(scope="module")
def rendered(ministack: MiniStack) -> Aws:
    aws = empty_aws(ministack)
    provision(aws)
    return aws


@pytest.fixture(scope="module")
def intact(rendered: Aws) -> World:
    """What was there when nothing had drifted."""
    return observed(rendered)


@pytest.fixture
def provisioned(rendered: Aws) -> Aws:
    """Whatever the test before left behind is put right."""
    provision(rendered)
    return rendered


Drift = Callable[[Aws], object]


def a_queue_attribute(aws: Aws) -> object:
    attributes: Any = {"VisibilityTimeout": "1", "MessageRetentionPeriod": "60"}
    url = url_of(aws, "stock-payment-cancelled")
    return aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)


def no_redrive(aws: Aws) -> object:
    url = url_of(aws, "stock-payment-cancelled")
    return aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})


def an_unwanted_redrive(aws: Aws) -> object:
    dlq = attributes_of(aws, "stock-dlq")["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": dlq, "maxReceiveCount": 1})
    return aws.client("sqs").set_queue_attributes(
        QueueUrl=url_of(aws, "payment-cancelled-dlq"), Attributes={"RedrivePolicy": policy}
    )


def a_queue_policy(aws: Aws) -> object:
    url = url_of(aws, "payments-to-stock-dlq")
    return aws.client("sqs").set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": []})}
    )


def content_based_deduplication(aws: Aws) -> object:
    url = url_of(aws, "payment-events.fifo")
    return aws.client("sqs").set_queue_attributes(
        QueueUrl=url, Attributes={"ContentBasedDeduplication": "true"}
    )


def a_lost_queue(aws: Aws) -> object:
    return aws.client("sqs").delete_queue(QueueUrl=url_of(aws, "stock-dlq"))


def a_rule_pattern(aws: Aws) -> object:
    return aws.client("events").put_rule(
        Name="PaymentCancelledRule", EventBusName=STOCK_BUS, EventPattern='{"source": ["other"]}'
    )


def a_disabled_rule(aws: Aws) -> object:
    return aws.client("events").disable_rule(Name="PaymentCancelledRule", EventBusName=STOCK_BUS)


def a_rule_target(aws: Aws) -> object:
    (target,) = aws.client("events").list_targets_by_rule(
        Rule="PaymentCancelledRule", EventBusName=STOCK_BUS
    )["Targets"]
    target["Arn"] = attributes_of(aws, "stock-dlq")["QueueArn"]
    return aws.client("events").put_targets(
        Rule="PaymentCancelledRule", EventBusName=STOCK_BUS, Targets=[target]
    )


def no_dlq_on_a_target(aws: Aws) -> object:
    (target,) = aws.client("events").list_targets_by_rule(
        Rule="PaymentCancelledRule", EventBusName=STOCK_BUS
    )["Targets"]
    del target["DeadLetterConfig"]
    return aws.client("events").put_targets(
        Rule="PaymentCancelledRule", EventBusName=STOCK_BUS, Targets=[target]
    )


def a_second_target(aws: Aws) -> object:
    dlq = attributes_of(aws, "stock-dlq")["QueueArn"]
    return aws.client("events").put_targets(
        Rule="PaymentCancelledRule", EventBusName=STOCK_BUS, Targets=[{"Id": "more", "Arn": dlq}]
    )


def a_stray_rule(aws: Aws) -> object:
    aws.client("events").put_rule(
        Name="OldName", EventBusName=STOCK_BUS, EventPattern='{"source": ["app.stock"]}'
    )
    dlq = attributes_of(aws, "stock-dlq")["QueueArn"]
    return aws.client("events").put_targets(
        Rule="OldName", EventBusName=STOCK_BUS, Targets=[{"Id": "more", "Arn": dlq}]
    )


def a_lost_rule(aws: Aws) -> object:
    return aws.client("events").delete_rule(Name="PaymentCancelledRule", EventBusName=STOCK_BUS)


def an_archive(aws: Aws) -> object:
    return aws.client("events").update_archive(
        ArchiveName="stock-bus-archive", RetentionDays=1, EventPattern='{"source": ["app.stock"]}'
    )


def a_bus_policy(aws: Aws) -> object:
    return aws.client("events").remove_permission(
        EventBusName=STOCK_BUS, StatementId="PaymentsMayPutEvents"
    )


def a_stranger_on_a_bus(aws: Aws) -> object:
    return aws.client("events").put_permission(
        EventBusName=STOCK_BUS, Action="events:PutEvents", Principal="*", StatementId="Anyone"
    )


def log_retention(aws: Aws) -> object:
    return aws.client("logs").put_retention_policy(
        logGroupName="stock-event-logs", retentionInDays=1
    )


def a_log_group_policy(aws: Aws) -> object:
    return aws.client("logs").put_resource_policy(
        policyName="stock-event-logs-policy", policyDocument="{}"
    )


def no_index(aws: Aws) -> object:
    return aws.client("dynamodb").update_table(
        TableName="stock", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-status"}}]
    )


def an_index(aws: Aws) -> object:
    no_index(aws)
    return aws.client("dynamodb").update_table(
        TableName="stock",
        AttributeDefinitions=[{"AttributeName": "status", "AttributeType": "N"}],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "by-status",
                    "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            }
        ],
    )


def an_unwanted_index(aws: Aws) -> object:
    return aws.client("dynamodb").update_table(
        TableName="stock",
        AttributeDefinitions=[{"AttributeName": "stockId", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": "by-stock-id",
                    "KeySchema": [{"AttributeName": "stockId", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            }
        ],
    )


def no_stream(aws: Aws) -> object:
    return aws.client("dynamodb").update_table(
        TableName="stock-outbox", StreamSpecification={"StreamEnabled": False}
    )


def a_stream_view(aws: Aws) -> object:
    no_stream(aws)
    return aws.client("dynamodb").update_table(
        TableName="stock-outbox",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )


def an_unwanted_stream(aws: Aws) -> object:
    return aws.client("dynamodb").update_table(
        TableName="stock",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )


def billing(aws: Aws) -> object:
    return aws.client("dynamodb").update_table(
        TableName="stock",
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )


@pytest.mark.parametrize(
    ("drift", "change"),
    [
        (
            a_queue_attribute,
            "updated queue stock-payment-cancelled (MessageRetentionPeriod, VisibilityTimeout)",
        ),
        (no_redrive, "updated queue stock-payment-cancelled (RedrivePolicy)"),
        (an_unwanted_redrive, "updated queue payment-cancelled-dlq (RedrivePolicy)"),
        (a_queue_policy, "updated queue payments-to-stock-dlq (Policy)"),
        (
            content_based_deduplication,
            "updated queue payment-events.fifo (ContentBasedDeduplication)",
        ),
        (a_lost_queue, "created queue stock-dlq"),
        (a_rule_pattern, "updated rule PaymentCancelledRule (EventPattern)"),
        (a_disabled_rule, "updated rule PaymentCancelledRule (State)"),
        (a_rule_target, "updated rule PaymentCancelledRule (Targets)"),
        (no_dlq_on_a_target, "updated rule PaymentCancelledRule (Targets)"),
        (a_second_target, "updated rule PaymentCancelledRule (Targets)"),
        (a_stray_rule, "removed rule OldName"),
        (a_lost_rule, "created rule PaymentCancelledRule"),
        (an_archive, "updated archive stock-bus-archive (EventPattern, RetentionDays)"),
        (a_bus_policy, "updated bus policy stock-event-bus (PaymentsMayPutEvents)"),
        (a_stranger_on_a_bus, "updated bus policy stock-event-bus (Anyone)"),
        (log_retention, "updated log group stock-event-logs (retentionInDays)"),
        (
            a_log_group_policy,
            "updated log group policy stock-event-logs-policy (policyDocument)",
        ),
        (no_index, "updated table stock (index by-status)"),
        (an_index, "updated table stock (index by-status)"),
        (an_unwanted_index, "updated table stock (index by-stock-id)"),
        (no_stream, "updated table stock-outbox (StreamSpecification)"),
        (a_stream_view, "updated table stock-outbox (StreamSpecification)"),
        (an_unwanted_stream, "updated table stock (StreamSpecification)"),
        (billing, "updated table stock (BillingMode)"),
    ],
)
def test_what_drifted_is_brought_back(
    intact: World, provisioned: Aws, drift: Drift, change: str
) -> None:
    """One thing changed by hand is the one thing that the next run changes, back to what it was."""
    drift(provisioned)
    assert [str(each) for each in provision(provisioned).changes] == [change]
    assert observed(provisioned) == intact
