"""What synthesized templates declare of messaging and databases, as tests/agreement.py wants it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from tests.agreement import World, attributes, statements
from tests.templates import NAMES, Resource, Stack

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
    found: dict[str, Any] = dict(resource.properties)
    defaults: dict[str, object] = {}
    name = found.pop(NAMES.get(resource.type, "PolicyName"), resource.logical_id)
    match resource.type:
        case "AWS::DynamoDB::Table":
            found["KeySchema"] = key_schema(found["KeySchema"])
            found["AttributeDefinitions"] = definitions(found["AttributeDefinitions"])
            found["GlobalSecondaryIndexes"] = {
                index.pop("IndexName"): {**index, "KeySchema": key_schema(index["KeySchema"])}
                for index in found.get("GlobalSecondaryIndexes", ())
            }
            defaults = {"DeletionProtectionEnabled": False}
        case "AWS::Events::EventBus":
            found["Policy"] = statements(found.get("Policy"))
        case "AWS::Events::Rule":
            found["Targets"] = {target.pop("Id"): target for target in found.get("Targets", ())}
        case "AWS::Logs::ResourcePolicy":
            found["PolicyDocument"] = statements(json.loads(found["PolicyDocument"]))
        case "AWS::SQS::Queue":
            defaults = dict(QUEUE_DEFAULTS)
        case "AWS::SQS::QueuePolicy":
            (url,) = found["Queues"]
            name = url.rsplit("/", 1)[-1]
            found = {"Policy": statements(found["PolicyDocument"])}
    return f"{KINDS[resource.type]} {name}", attributes(found, **defaults)


def key_schema(schema: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {key["KeyType"]: key["AttributeName"] for key in schema}


def definitions(found: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {each["AttributeName"]: each["AttributeType"] for each in found}


KINDS = {
    "AWS::DynamoDB::Table": "table",
    "AWS::Events::Archive": "archive",
    "AWS::Events::EventBus": "bus",
    "AWS::Events::Rule": "rule",
    "AWS::Logs::LogGroup": "log group",
    "AWS::Logs::ResourcePolicy": "log group policy",
    "AWS::SQS::Queue": "queue",
    "AWS::SQS::QueuePolicy": "queue",
}
"""The types that both renderers make, and what each describes."""
