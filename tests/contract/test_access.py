"""What IAM Access Analyzer would find in the synthesized templates, if they were deployed.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-concepts.html
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.synthesis import Synthesize
from tests.templates import Resource

Statement = Mapping[str, Any]

POLICIES = {
    "AWS::Events::EventBus": "Policy",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::Logs::ResourcePolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SecretsManager::ResourcePolicy": "ResourcePolicy",
}
"""The property that is a resource's own policy."""

SOURCES = frozenset(
    {
        "aws:SourceAccount",
        "aws:SourceArn",
        "events:source",
        "kms:EncryptionContext:aws:logs:arn",
    }
)
"""Condition keys that say on whose behalf, or of which events."""

WITHOUT_SOURCE = {
    ("logs:CreateLogStream", "events.amazonaws.com"): "creating a stream names no rule",
    ("logs:CreateLogStream", "delivery.logs.amazonaws.com"): "likewise",
    (
        "kms:DescribeKey",
        "events.amazonaws.com",
    ): "EventBridge looks at a key in a call without a source",
}
"""What a service may do that AWS documents no source for: it reads no data."""

STAGES = pytest.mark.parametrize("stage", ["dev", "prod"])


@STAGES
def test_whoever_is_let_in_is_named_or_comes_from_a_source_of_ours(
    stage: str, synthesized: Synthesize
) -> None:
    """In the policies of queues, buses, keys, topics, secrets and log groups."""
    resources = list(synthesized(stage).resources())
    assert {each.type for each in resources} >= POLICIES.keys() - {
        "AWS::SecretsManager::ResourcePolicy"  # secrets have none: roles alone read them
    }
    assert [found for each in resources for found in open_doors(each)] == []


@STAGES
def test_no_policy_allows_everything_on_everything(stage: str, synthesized: Synthesize) -> None:
    """Neither a role's nor a resource's; in a key's own policy `*` is that key."""
    resources = list(synthesized(stage).resources())
    assert [found for each in resources for found in unbounded(each)] == []


@STAGES
def test_a_function_is_invoked_for_one_source(stage: str, synthesized: Synthesize) -> None:
    """A permission that names a service alone is for that service in any account."""
    permissions = list(synthesized(stage).resources("AWS::Lambda::Permission"))
    assert permissions
    assert [each.logical_id for each in permissions if not each.properties.get("SourceArn")] == []


@pytest.mark.parametrize(
    "principal",
    ["*", {"AWS": "*"}, {"AWS": ["arn:aws:iam::111111111111:root", "*"]}, {"Service": "s3"}],
    ids=str,
)
def test_an_open_door_is_found_out(principal: Any) -> None:
    """In each kind of policy, and in none of them once a condition names the source."""
    for kind, field in POLICIES.items():
        statement = {"Effect": "Allow", "Principal": principal, "Action": "a:Act", "Resource": "r"}
        known = {**statement, "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*"}}}
        denied = {**statement, "Effect": "Deny"}
        assert list(open_doors(_with(kind, field, statement)))
        assert list(open_doors(_with(kind, field, known))) == []
        assert list(open_doors(_with(kind, field, denied))) == []


@pytest.mark.parametrize("action", ["*", "sqs:*", ["sqs:SendMessage", "iam:*"]], ids=str)
def test_a_policy_without_bounds_is_found_out(action: Any) -> None:
    """On a role and on a resource, and whatever stands beside it."""
    statement = {"Effect": "Allow", "Principal": "p", "Action": action, "Resource": ["arn", "*"]}
    assert list(unbounded(_with("AWS::IAM::Policy", "PolicyDocument", statement)))
    assert list(unbounded(_with("AWS::SQS::QueuePolicy", "PolicyDocument", statement)))
    bounded = {**statement, "Resource": "arn:aws:sqs:eu-west-1:111111111111:stock-dlq"}
    assert list(unbounded(_with("AWS::IAM::Policy", "PolicyDocument", bounded))) == []


def open_doors(resource: Resource) -> Iterator[str]:
    """Name each statement that lets in everybody, or a service on anybody's behalf."""
    document = resource.properties.get(POLICIES.get(resource.type, ""))
    for statement in _statements(document):
        keys = {key for each in statement.get("Condition", {}).values() for key in each}
        if statement["Effect"] != "Allow" or not SOURCES.isdisjoint(keys):
            continue
        for principal in _strangers(statement):
            for action in _listed(statement["Action"]):
                if (action, principal) not in WITHOUT_SOURCE:
                    yield f"{resource.type} {resource.logical_id}: {action} by {principal}"


def unbounded(resource: Resource) -> Iterator[str]:
    """Name each statement that allows all actions, or all of a service, on every resource."""
    if resource.type == "AWS::KMS::Key":
        return
    for document in _documents(resource.properties):
        for statement in _statements(document):
            if statement["Effect"] == "Allow" and "*" in _listed(statement.get("Resource", [])):
                for action in _listed(statement["Action"]):
                    if action == "*" or action.endswith(":*"):
                        yield f"{resource.type} {resource.logical_id}: {action}"


def _strangers(statement: Statement) -> Iterator[str]:
    """Services, and everybody; an account or a role is known by its name."""
    if "NotPrincipal" in statement:
        yield "all but one"
    match statement.get("Principal"):
        case "*":
            yield "*"
        case {**kinds}:
            yield from _listed(kinds.get("Service", []))
            yield from (each for each in _listed(kinds.get("AWS", [])) if each == "*")


def _documents(properties: Mapping[str, Any]) -> Iterator[Any]:
    """Every policy document within a resource, one that is text included."""
    for key, value in properties.items():
        match value:
            case {"Statement": _}:
                yield value
            case str() if key == "PolicyDocument":
                yield value
            case [*inline]:
                for each in inline:
                    if isinstance(each, Mapping):
                        yield from _documents(each)


def _statements(document: Any) -> list[Statement]:
    found: Any = json.loads(document) if isinstance(document, str) else document
    return list(_listed(found["Statement"])) if found else []


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _with(kind: str, field: str, statement: Statement) -> Resource:
    return Resource("Tried", kind, {field: {"Version": "2012-10-17", "Statement": [statement]}})
