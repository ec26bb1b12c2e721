"""What synthesized templates declare of messaging and databases, as tests/agreement.py wants it."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.agreement import World, attributes, statements
from tests.templates import NAMES, Resource, Stack

Properties = dict[str, Any]

QUEUE_DEFAULTS: Mapping[str, object] = {
    "ContentBasedDeduplication": False,
    "DelaySeconds": 0,
    "FifoQueue": False,
    "MaximumMessageSize": 1024 * 1024,
    "MessageRetentionPeriod": 4 * 24 * 3600,
    "ReceiveMessageWaitTimeSeconds": 0,
    "VisibilityTimeout": 30,
}
"""Bytes and seconds: SQS, CreateQueue."""


def declared(stacks: Iterable[Stack]) -> World:
    """The world that the stacks together describe."""
    world: dict[str, dict[str, object]] = defaultdict(dict)
    for stack in stacks:
        for resource in stack.resources(*KINDS):
            name, found = read(resource)
            world[name] |= found
    return world


def read(resource: Resource) -> tuple[str, dict[str, object]]:
    """Kind and name of what a resource describes, and the attributes that it gives it."""
    unnamed = {NAMES[resource.type]: resource.logical_id} if resource.type in NAMES else {}
    return KINDS[resource.type]({**unnamed, **resource.properties})


def _bus(bus: Properties) -> tuple[str, dict[str, object]]:
    return f"bus {bus.pop('Name')}", attributes({**bus, "Policy": statements(bus.get("Policy"))})


def _archive(archive: Properties) -> tuple[str, dict[str, object]]:
    return f"archive {archive.pop('ArchiveName')}", attributes(archive)


def _rule(rule: Properties) -> tuple[str, dict[str, object]]:
    targets = {target.pop("Id"): target for target in rule.get("Targets", ())}
    return f"rule {rule.pop('Name')}", attributes({**rule, "Targets": targets})


def _log_group(group: Properties) -> tuple[str, dict[str, object]]:
    return f"log group {group.pop('LogGroupName')}", attributes(group)


def _log_group_policy(policy: Properties) -> tuple[str, dict[str, object]]:
    document = statements(json.loads(policy["PolicyDocument"]))
    return f"log group policy {policy['PolicyName']}", attributes({"PolicyDocument": document})


def _queue(queue: Properties) -> tuple[str, dict[str, object]]:
    return f"queue {queue.pop('QueueName')}", attributes(queue, **QUEUE_DEFAULTS)


def _queue_policy(policy: Properties) -> tuple[str, dict[str, object]]:
    (url,) = policy["Queues"]
    name = url.rsplit("/", 1)[-1]
    return f"queue {name}", attributes({"Policy": statements(policy["PolicyDocument"])})


def _table(table: Properties) -> tuple[str, dict[str, object]]:
    indexes = {
        index.pop("IndexName"): {**index, "KeySchema": key_schema(index["KeySchema"])}
        for index in table.pop("GlobalSecondaryIndexes", ())
    }
    return f"table {table.pop('TableName')}", attributes(
        {
            **table,
            "KeySchema": key_schema(table["KeySchema"]),
            "AttributeDefinitions": definitions(table["AttributeDefinitions"]),
            "GlobalSecondaryIndexes": indexes,
        },
        DeletionProtectionEnabled=False,
    )


def key_schema(schema: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {key["KeyType"]: key["AttributeName"] for key in schema}


def definitions(found: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {each["AttributeName"]: each["AttributeType"] for each in found}


KINDS: Mapping[str, Callable[[Properties], tuple[str, dict[str, object]]]] = {
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::Archive": _archive,
    "AWS::Events::EventBus": _bus,
    "AWS::Events::Rule": _rule,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::Logs::ResourcePolicy": _log_group_policy,
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _queue_policy,
}
"""The types that both renderers make, and how each reads."""
