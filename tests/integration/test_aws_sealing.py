"""The key of bank details on AWS: who may use it, for what, and how two processes find it."""

from typing import Any

import pytest

from tests.synthesis import Synthesize
from tests.templates import ACCOUNT, Resource, Stack

STAGES = pytest.mark.parametrize(
    ("stage", "subscriptions", "payments"),
    [("dev", ACCOUNT, ACCOUNT), ("prod", "111111111111", "333333333333")],
)
"""One account, and three."""

CONTEXT = {
    "kms:EncryptionContext:purpose": "bank-details",
    "kms:EncryptionContext:source": "app.subscriptions",
}


def stack_of(synthesized: Synthesize, stage: str, domain: str) -> Stack:
    return synthesized(stage).stacks[f"streamed-events-{stage}-{domain}"]


def key_of(stack: Stack) -> Resource:
    (alias,) = (
        each
        for each in stack.resources("AWS::KMS::Alias")
        if each.properties["AliasName"] == "alias/bank-details"
    )
    (key,) = (
        each
        for each in stack.resources("AWS::KMS::Key")
        if each.logical_id in alias.properties["TargetKeyId"]
    )
    return key


def environment(stack: Stack, process: str) -> dict[str, Any]:
    (container,) = (
        container
        for task in stack.resources("AWS::ECS::TaskDefinition")
        for container in task.properties["ContainerDefinitions"]
        if container["Name"] == process
    )
    return {each["Name"]: each["Value"] for each in container["Environment"]}


@STAGES
def test_one_role_seals_one_opens_and_no_other_uses_the_key(
    synthesized: Synthesize, stage: str, subscriptions: str, payments: str
) -> None:
    """For bank details of subscriptions alone; the account administers it, and uses it not."""
    stack = stack_of(synthesized, stage, "payments")
    policy = key_of(stack).properties["KeyPolicy"]["Statement"]
    statements = {each.pop("Sid"): each for each in policy}
    administer = statements.pop("AccountMayAdminister")
    assert administer["Principal"] == {"AWS": f"arn:aws:iam::{payments}:root"}
    uses = ("Decrypt", "Encrypt", "Generate", "ReEncrypt", "CreateGrant", "*")
    assert not [each for each in administer["Action"] if any(use in each for use in uses)]
    role = f"arn:aws:iam::{subscriptions}:role/streamed-events-{stage}-subscription-api"
    consumer = stack.logical_id("payment-consumer/Role/Resource")
    assert statements == {
        "MaySeal": {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{subscriptions}:root"},
            "Action": "kms:GenerateDataKey",
            "Resource": "*",
            "Condition": {
                "ArnEquals": {"aws:PrincipalArn": role},
                "StringEquals": CONTEXT,
            },
        },
        "MayOpen": {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{payments}:role/${{{consumer}}}"},
            "Action": "kms:Decrypt",
            "Resource": "*",
            "Condition": {"StringEquals": CONTEXT},
        },
    }


@STAGES
def test_who_seals_is_the_role_that_the_key_names(
    synthesized: Synthesize, stage: str, subscriptions: str, payments: str
) -> None:
    """Its policy has the alias and the context as conditions: no key has a name before."""
    stack = stack_of(synthesized, stage, "subscriptions")
    role = stack.logical_id("subscription-api/Role/Resource")
    properties = {each.logical_id: each.properties for each in stack.resources("AWS::IAM::Role")}
    assert properties[role]["RoleName"] == f"streamed-events-{stage}-subscription-api"
    (statement,) = (
        statement
        for policy in stack.resources("AWS::IAM::Policy")
        if f"streamed-events-{stage}-subscription-api" in policy.properties["Roles"]
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if str(statement["Resource"]).endswith(":key/*")
    )
    assert statement == {
        "Effect": "Allow",
        "Action": "kms:GenerateDataKey",
        "Resource": f"arn:aws:kms:eu-west-1:{payments}:key/*",
        "Condition": {"StringEquals": {**CONTEXT, "kms:RequestAlias": "alias/bank-details"}},
    }


@STAGES
def test_who_seals_knows_the_alias_and_who_opens_the_key(
    synthesized: Synthesize, stage: str, subscriptions: str, payments: str
) -> None:
    """The SDK opens by the key's own ARN; no other process has a key."""
    sealing = environment(stack_of(synthesized, stage, "subscriptions"), "subscription-api")
    alias = f"arn:aws:kms:eu-west-1:{payments}:alias/bank-details"
    assert sealing["SEALING_KEY"] == alias
    stack = stack_of(synthesized, stage, "payments")
    opening = environment(stack, "payment-consumer")
    key = key_of(stack).logical_id
    assert opening["SEALING_KEY"] == f"arn:aws:kms:eu-west-1:{payments}:key/${{{key}}}"
    having = [
        container["Name"]
        for task in synthesized(stage).resources("AWS::ECS::TaskDefinition")
        for container in task.properties["ContainerDefinitions"]
        if "SEALING_KEY" in {each["Name"] for each in container["Environment"]}
    ]
    assert sorted(having) == ["payment-consumer", "subscription-api"]


@STAGES
def test_the_key_is_turned_and_kept_as_the_data_is(
    synthesized: Synthesize, stage: str, subscriptions: str, payments: str
) -> None:
    """Without it no sealed text is ever opened again."""
    stack = stack_of(synthesized, stage, "payments")
    key = key_of(stack)
    assert key.properties["EnableKeyRotation"] is True
    policy = stack.template["Resources"][key.logical_id]["DeletionPolicy"]
    assert policy == {"dev": "Delete", "prod": "RetainExceptOnCreate"}[stage]
