"""Encryption keys, and which AWS services may use them on our behalf."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.aws.plan import Plan
from infra.policies import EVENTBRIDGE

USE = ("kms:Decrypt", "kms:GenerateDataKey")
"""What putting a message on an encrypted queue or topic takes, or an event on a bus.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
"""

OF_THIS_ACCOUNT = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
"""Whose rules, buses and archives: no other account's may have a service use our key."""


def encryption_key(scope: Construct, name: str, *, protected: bool) -> kms.Key:
    """One key, turned once a year; deleting it waits for 30 days, or 7 where nothing is at stake.

    CloudWatch Logs may use it for the log groups of this account and region.
    """
    key = kms.Key(
        scope,
        "Key",
        alias=f"alias/{name}",
        description=f"Data at rest of {name}",
        enable_key_rotation=True,
        pending_window=Duration.days(30 if protected else 7),
        removal_policy=removal_policy(protected=protected),
    )
    let_service_use(
        key,
        f"logs.{Aws.REGION}.amazonaws.com",
        "CloudWatchLogsMayEncrypt",
        actions=[
            *USE,
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ],
        conditions={
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": (
                    f"arn:aws:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:*"
                )
            }
        },
    )
    return key


def let_eventbridge_use(key: kms.Key) -> None:
    """For encrypted buses and archives, and for the encrypted queues that rules deliver to.

    It looks at a key before it takes it, in a call that names no source. CDK limits an encrypted
    target by the account as well; the queues' own policies name the rules.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-key-policy.html
    https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html
    """
    let_service_use(key, EVENTBRIDGE, "EventBridgeMayLook", actions=["kms:DescribeKey"])
    let_service_use(
        key,
        EVENTBRIDGE,
        "EventBridgeMayEncrypt",
        actions=[*USE, "kms:ReEncryptFrom", "kms:ReEncryptTo"],
        conditions=OF_THIS_ACCOUNT,
    )


def let_custom_buses_use(key: kms.Key, names: Sequence[str], plan: Plan) -> None:
    """For encrypted Custom Event Buses, whose ARNs end in an id that AWS makes later.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-custom-bus-encryption.html
    """
    arns = [
        f"arn:aws:events:{plan.stage.region}:{Aws.ACCOUNT_ID}:event-busv2/{name}/*"
        for name in names
    ]
    let_service_use(
        key,
        EVENTBRIDGE,
        "CustomEventBusesMayEncrypt",
        actions=[
            "kms:Decrypt",
            "kms:Encrypt",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ],
        conditions={
            **OF_THIS_ACCOUNT,
            "StringLike": {"kms:EncryptionContext:aws:events:event-busv2:arn": arns},
        },
    )


def let_service_use(
    key: kms.Key,
    service: str,
    sid: str,
    *,
    actions: Sequence[str] = USE,
    conditions: Mapping[str, Any] | None = None,
) -> None:
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            principals=[iam.ServicePrincipal(service)],
            actions=list(actions),
            resources=["*"],  # in a key's own policy: this key
            conditions=conditions,
        )
    )


def removal_policy(*, protected: bool) -> RemovalPolicy:
    """What is protected stays, but for what a first deployment made that then failed."""
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if protected else RemovalPolicy.DESTROY
