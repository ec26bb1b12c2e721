"""What an emulator holds, read back by AWS's own API, as tests/agreement.py wants it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from runtime.aws import Aws
from tests.agreement import World, attributes, statements
from tests.declared import QUEUE_DEFAULTS, definitions, key_schema
from tests.integration.emulated import attributes_of

Found = Iterator[tuple[str, dict[str, object]]]

OF_A_QUEUE_BY_ITSELF = frozenset(
    [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
        "CreatedTimestamp",
        "LastModifiedTimestamp",
        "QueueArn",
    ]
)
OF_A_BUS_BY_ITSELF = frozenset(["Arn", "CreationTime", "LastModifiedTime", "Name"])
"""What a queue and a bus say beyond what they were given."""


def observed(aws: Aws, *, region: str | None = None) -> World:
    """Everything there, as if it were in `region`: the emulator's regions have names of ours."""
    parts = (_buses, _archives, _log_groups, _queues, _tables)
    world = {name: found for part in parts for name, found in part(aws)}
    own = aws.client("sqs").meta.region_name
    moved: World = json.loads(json.dumps(world).replace(f":{own}:", f":{region or own}:"))
    return moved


def _buses(aws: Aws) -> Found:
    events = aws.client("events")
    for bus in events.list_event_buses()["EventBuses"]:
        name = bus["Name"]
        if name != "default":
            given = {key: value for key, value in bus.items() if key not in OF_A_BUS_BY_ITSELF}
            yield f"bus {name}", attributes({**given, "Policy": _bus_policy(bus)})
        for rule in events.list_rules(EventBusName=name)["Rules"]:
            targets = events.list_targets_by_rule(Rule=rule["Name"], EventBusName=name)["Targets"]
            yield f"rule {rule['Name']}", attributes({**_rule(rule), "Targets": _by_id(targets)})


def _bus_policy(bus: Mapping[str, Any]) -> dict[str, Any]:
    """The emulator keeps an account as it was named, AWS its root user's ARN."""
    found = statements(json.loads(bus.get("Policy") or "null"))
    for statement in found.values():
        if isinstance(statement["Principal"], str) and statement["Principal"].isdigit():
            statement["Principal"] = {"AWS": f"arn:aws:iam::{statement['Principal']}:root"}
    return found


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in rule.items() if key not in ("Name", "Arn")}
    return {**given, "EventPattern": json.loads(rule.get("EventPattern") or "null")}


def _by_id(targets: Any) -> dict[str, Any]:
    return {
        target["Id"]: {key: value for key, value in target.items() if key != "Id"}
        for target in targets
    }


def _archives(aws: Aws) -> Found:
    events = aws.client("events")
    for summary in events.list_archives()["Archives"]:
        archive = events.describe_archive(ArchiveName=summary["ArchiveName"])
        yield (
            f"archive {archive['ArchiveName']}",
            attributes(
                {
                    "SourceArn": archive["EventSourceArn"],
                    "RetentionDays": archive["RetentionDays"],
                    "EventPattern": json.loads(archive.get("EventPattern") or "null"),
                    "Description": archive.get("Description"),
                }
            ),
        )


def _log_groups(aws: Aws) -> Found:
    logs = aws.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        given = {
            "RetentionInDays": group.get("retentionInDays"),
            "KmsKeyId": group.get("kmsKeyId"),
        }
        yield f"log group {group['logGroupName']}", attributes(given)
    for policy in logs.describe_resource_policies()["resourcePolicies"]:
        document = statements(json.loads(policy["policyDocument"]))
        found = attributes({"PolicyDocument": document})
        yield f"log group policy {policy['policyName']}", found


def _queues(aws: Aws) -> Found:
    for url in aws.client("sqs").list_queues().get("QueueUrls", []):
        name = url.rsplit("/", 1)[-1]
        found = attributes_of(aws, name)
        given = {key: _value(found[key]) for key in found.keys() - OF_A_QUEUE_BY_ITSELF}
        policy = statements(given.pop("Policy", None))
        yield f"queue {name}", attributes({**given, "Policy": policy}, **QUEUE_DEFAULTS)


def _value(text: str) -> Any:
    """SQS gives every attribute as text: numbers, booleans and documents are JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _tables(aws: Aws) -> Found:
    dynamodb = aws.client("dynamodb")
    for name in dynamodb.list_tables()["TableNames"]:
        table: Mapping[str, Any] = dynamodb.describe_table(TableName=name)["Table"]
        backups: Any = dynamodb.describe_continuous_backups(TableName=name)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        live = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        given = {
            "KeySchema": key_schema(table["KeySchema"]),
            "AttributeDefinitions": definitions(table["AttributeDefinitions"]),
            "BillingMode": table["BillingModeSummary"]["BillingMode"],
            "GlobalSecondaryIndexes": _indexes(table),
            "LocalSecondaryIndexes": table.get("LocalSecondaryIndexes"),
            "StreamSpecification": {
                "StreamViewType": table.get("StreamSpecification", {}).get("StreamViewType")
            },
            "SSESpecification": _encryption(table.get("SSEDescription", {})),
            "PointInTimeRecoverySpecification": {
                "PointInTimeRecoveryEnabled": (
                    recovery["PointInTimeRecoveryStatus"] == "ENABLED" or None
                )
            },
            "TimeToLiveSpecification": {"AttributeName": live.get("AttributeName")},
        }
        protected = table["DeletionProtectionEnabled"]
        yield f"table {name}", attributes(given, DeletionProtectionEnabled=protected)


def _indexes(table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        index["IndexName"]: {
            "KeySchema": key_schema(index["KeySchema"]),
            "Projection": index["Projection"],
        }
        for index in table.get("GlobalSecondaryIndexes", ())
    }


def _encryption(described: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "SSEEnabled": described.get("Status") == "ENABLED" or None,
        "SSEType": described.get("SSEType"),
        "KMSMasterKeyId": described.get("KMSMasterKeyArn"),
    }
