"""An emulated AWS of one's own, and everything in it that the topology renders."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import uuid4

from runtime.aws import Aws, CachingAws
from tests.conftest import MiniStack


def empty_aws(ministack: MiniStack, *, dynamodb: str | None = None) -> Aws:
    """An AWS with nothing in it: the emulators keep every region apart, whatever its name.

    `dynamodb` is the endpoint of another emulator, for DynamoDB and its streams.
    """
    region = f"test-{uuid4().hex[:8]}"
    rest = CachingAws(region=region, endpoint_url=ministack.endpoint)
    return rest if dynamodb is None else WithDynamoDB(rest, dynamodb, region=region)


class WithDynamoDB(CachingAws):
    """Has DynamoDB and its streams at an endpoint, and everything else of another AWS."""

    def __init__(self, rest: Aws, endpoint: str, *, region: str) -> None:
        super().__init__(region=region, endpoint_url=endpoint)
        self._rest = rest

    @cache  # noqa: B019  (as above)
    def client(self, service: Any) -> Any:
        is_here = service.startswith("dynamodb")
        return super().client(service) if is_here else self._rest.client(service)


def url_of(aws: Aws, queue: str) -> str:
    return aws.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]


def attributes_of(aws: Aws, queue: str) -> dict[str, Any]:
    found = aws.client("sqs").get_queue_attributes(
        QueueUrl=url_of(aws, queue), AttributeNames=["All"]
    )["Attributes"]
    return {str(key): value for key, value in found.items()}


def snapshot(aws: Aws) -> dict[str, Any]:
    """Everything on the emulator that we render, without what changes by itself."""
    parts = (snapshot_of_queues, snapshot_of_events, snapshot_of_logs, snapshot_of_tables)
    return {name: state for part in parts for name, state in part(aws)}


def snapshot_of_queues(aws: Aws) -> Iterator[tuple[str, Any]]:
    for url in aws.client("sqs").list_queues().get("QueueUrls", []):
        name = url.rsplit("/", 1)[-1]
        found = attributes_of(aws, name)
        passing = {"CreatedTimestamp", "LastModifiedTimestamp"}
        yield f"queue {name}", {key: found[key] for key in found.keys() - passing}


def snapshot_of_events(aws: Aws) -> Iterator[tuple[str, Any]]:
    events = aws.client("events")
    for bus in events.list_event_buses()["EventBuses"]:
        policy = json.loads(bus.get("Policy", "{}"))
        statements = sorted(policy.get("Statement", []), key=lambda each: str(each["Sid"]))
        yield f"bus {bus['Name']}", statements
        for rule in events.list_rules(EventBusName=bus["Name"])["Rules"]:
            targets = events.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus["Name"])
            yield f"rule {rule['Name']}", (rule, targets["Targets"])
    for summary in events.list_archives()["Archives"]:
        archive = events.describe_archive(ArchiveName=summary["ArchiveName"])
        kept = ("EventSourceArn", "EventPattern", "RetentionDays")
        yield f"archive {summary['ArchiveName']}", [archive.get(key) for key in kept]


def snapshot_of_logs(aws: Aws) -> Iterator[tuple[str, Any]]:
    logs = aws.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        yield f"log group {group['logGroupName']}", group.get("retentionInDays")
    for policy in logs.describe_resource_policies()["resourcePolicies"]:
        yield f"log group policy {policy['policyName']}", policy["policyDocument"]


def snapshot_of_tables(aws: Aws) -> Iterator[tuple[str, Any]]:
    dynamodb = aws.client("dynamodb")
    for name in dynamodb.list_tables()["TableNames"]:
        table = dynamodb.describe_table(TableName=name)["Table"]
        stream = table.get("StreamSpecification", {})
        yield (
            f"table {name}",
            (
                table["KeySchema"],
                sorted(map(str, table["AttributeDefinitions"])),
                table["BillingModeSummary"]["BillingMode"],
                table.get("GlobalSecondaryIndexes", []),
                stream.get("StreamViewType"),
            ),
        )
