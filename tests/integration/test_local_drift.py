"""What was changed by hand on an emulator is put right by the next run, and only that."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.local import provision
from infra.resources import TARGET_ID
from runtime.aws import Aws
from tests.agreement import World
from tests.conftest import MiniStack
from tests.integration.emulated import attributes_of, empty_aws, url_of
from tests.observed import observed

STOCK_BUS = "stock-event-bus"
RULE = "PaymentCancelledRule"
WORK = "stock-payment-cancelled"


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


def queue(name: str, **attributes: str) -> Drift:
    given: Any = attributes
    return lambda aws: aws.client("sqs").set_queue_attributes(
        QueueUrl=url_of(aws, name), Attributes=given
    )


def an_unwanted_redrive(aws: Aws) -> object:
    dlq = attributes_of(aws, "stock-dlq")["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": dlq, "maxReceiveCount": 1})
    return queue("payment-cancelled-dlq", RedrivePolicy=policy)(aws)


def a_lost_queue(aws: Aws) -> object:
    return aws.client("sqs").delete_queue(QueueUrl=url_of(aws, "stock-dlq"))


def on_the_bus(operation: str, **arguments: object) -> Drift:
    return lambda aws: getattr(aws.client("events"), operation)(EventBusName=STOCK_BUS, **arguments)


def _target(aws: Aws) -> Any:
    found = aws.client("events").list_targets_by_rule(Rule=RULE, EventBusName=STOCK_BUS)
    return found["Targets"][0]


def a_rule_target(aws: Aws) -> object:
    moved = {**_target(aws), "Arn": attributes_of(aws, "stock-dlq")["QueueArn"]}
    return on_the_bus("put_targets", Rule=RULE, Targets=[moved])(aws)


def no_dlq_on_a_target(aws: Aws) -> object:
    target = _target(aws)
    del target["DeadLetterConfig"]
    return on_the_bus("put_targets", Rule=RULE, Targets=[target])(aws)


def a_second_target(aws: Aws, rule: str = RULE, target_id: str = "more") -> object:
    more = {"Id": target_id, "Arn": attributes_of(aws, "stock-dlq")["QueueArn"]}
    return on_the_bus("put_targets", Rule=rule, Targets=[more])(aws)


def a_renamed_rule(aws: Aws) -> object:
    on_the_bus("put_rule", Name="OldName", EventPattern='{"source": ["app.stock"]}')(aws)
    return a_second_target(aws, "OldName", TARGET_ID)


def an_archive(aws: Aws) -> object:
    return aws.client("events").update_archive(
        ArchiveName="stock-bus-archive", RetentionDays=1, EventPattern='{"source": ["app.stock"]}'
    )


def log_retention(aws: Aws) -> object:
    return aws.client("logs").put_retention_policy(
        logGroupName="stock-event-logs", retentionInDays=1
    )


def a_log_group_policy(aws: Aws) -> object:
    return aws.client("logs").put_resource_policy(
        policyName="stock-event-logs-policy", policyDocument="{}"
    )


def table(name: str, **update: Any) -> Drift:
    return lambda aws: aws.client("dynamodb").update_table(TableName=name, **update)


def a_new_index(name: str, attribute: str, kind: str, projection: str) -> Drift:
    return table(
        "stock",
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": kind}],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": name,
                    "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": projection},
                }
            }
        ],
    )


no_index = table("stock", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-status"}}])
no_stream = table("stock-outbox", StreamSpecification={"StreamEnabled": False})


def an_index(aws: Aws) -> object:
    no_index(aws)
    return a_new_index("by-status", "status", "N", "KEYS_ONLY")(aws)


def a_stream_view(aws: Aws) -> object:
    no_stream(aws)
    other = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    return table("stock-outbox", StreamSpecification=other)(aws)


DRIFTS: dict[str, tuple[Drift, str]] = {
    "queue attributes": (
        queue(WORK, VisibilityTimeout="1", MessageRetentionPeriod="60"),
        f"updated queue {WORK} (MessageRetentionPeriod, VisibilityTimeout)",
    ),
    "no redrive": (queue(WORK, RedrivePolicy=""), f"updated queue {WORK} (RedrivePolicy)"),
    "an unwanted redrive": (
        an_unwanted_redrive,
        "updated queue payment-cancelled-dlq (RedrivePolicy)",
    ),
    "a queue policy": (
        queue("payments-to-stock-dlq", Policy='{"Version": "2012-10-17", "Statement": []}'),
        "updated queue payments-to-stock-dlq (Policy)",
    ),
    "deduplication": (
        queue("payment-events.fifo", ContentBasedDeduplication="true"),
        "updated queue payment-events.fifo (ContentBasedDeduplication)",
    ),
    "a lost queue": (a_lost_queue, "created queue stock-dlq"),
    "a rule's pattern": (
        on_the_bus("put_rule", Name=RULE, EventPattern='{"source": ["other"]}'),
        f"updated rule {RULE} (EventPattern)",
    ),
    "a disabled rule": (on_the_bus("disable_rule", Name=RULE), f"updated rule {RULE} (State)"),
    "a rule's target": (a_rule_target, f"updated rule {RULE} (Targets)"),
    "no dlq on a target": (no_dlq_on_a_target, f"updated rule {RULE} (Targets)"),
    "a second target": (a_second_target, f"updated rule {RULE} (Targets)"),
    "a renamed rule": (a_renamed_rule, "removed rule OldName"),
    "a lost rule": (on_the_bus("delete_rule", Name=RULE), f"created rule {RULE}"),
    "an archive": (
        an_archive,
        "updated archive stock-bus-archive (EventPattern, RetentionDays)",
    ),
    "a bus policy": (
        on_the_bus("remove_permission", StatementId="PaymentsToStockRuleMayPutEvents"),
        f"updated bus policy {STOCK_BUS} (PaymentsToStockRuleMayPutEvents)",
    ),
    "a stranger on a bus": (
        on_the_bus(
            "put_permission", Action="events:PutEvents", Principal="*", StatementId="Anyone"
        ),
        f"updated bus policy {STOCK_BUS} (Anyone)",
    ),
    "log retention": (log_retention, "updated log group stock-event-logs (retentionInDays)"),
    "a log group's policy": (
        a_log_group_policy,
        "updated log group policy stock-event-logs-policy (policyDocument)",
    ),
    "no index": (no_index, "updated table stock (index by-status)"),
    "another index": (an_index, "updated table stock (index by-status)"),
    "an unwanted index": (
        a_new_index("by-stock-id", "stockId", "S", "ALL"),
        "updated table stock (index by-stock-id)",
    ),
    "no stream": (no_stream, "updated table stock-outbox (StreamSpecification)"),
    "another stream": (a_stream_view, "updated table stock-outbox (StreamSpecification)"),
    "an unwanted stream": (
        table("stock", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}),
        "updated table stock (StreamSpecification)",
    ),
    "billing": (
        table(
            "stock",
            BillingMode="PROVISIONED",
            ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
        ),
        "updated table stock (BillingMode)",
    ),
}


@pytest.mark.parametrize(("drift", "change"), DRIFTS.values(), ids=DRIFTS.keys())
def test_what_drifted_is_brought_back(
    intact: World, provisioned: Aws, drift: Drift, change: str
) -> None:
    """One thing changed by hand is the one thing that the next run changes, back to what it was."""
    drift(provisioned)
    assert [str(each) for each in provision(provisioned).changes] == [change]
    assert observed(provisioned) == intact


def test_a_rule_of_somebody_else_stays_on_a_bus(provisioned: Aws) -> None:
    """With what it delivers to: such as an archive's, which LocalStack does not call managed."""
    on_the_bus("put_rule", Name="NotOurs", EventPattern='{"source": ["app.stock"]}')(provisioned)
    a_second_target(provisioned, "NotOurs")
    before = observed(provisioned)

    assert provision(provisioned).changes == ()

    assert observed(provisioned) == before
    on_the_bus("remove_targets", Rule="NotOurs", Ids=["more"])(provisioned)
    on_the_bus("delete_rule", Name="NotOurs")(provisioned)
