"""Encryption keys, and which AWS services may use them on our behalf."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.policies import EVENTBRIDGE

ALARMS = "cloudwatch.amazonaws.com"

USE = ["kms:Decrypt", "kms:GenerateDataKey"]
"""What putting a message on an encrypted queue or topic takes.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
"""


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
    logs_service = f"logs.{Aws.REGION}.amazonaws.com"
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="CloudWatchLogsMayEncrypt",
            principals=[iam.ServicePrincipal(logs_service)],
            actions=[
                *USE,
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
            resources=["*"],  # in a key's own policy: this key
            conditions={
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": (
                        f"arn:aws:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:*"
                    )
                }
            },
        )
    )
    return key


def let_eventbridge_use(key: kms.Key) -> None:
    """Rules put events on encrypted queues; which rules may, the queues' own policies say.

    No condition on the source here: AWS documents none for EventBridge's use of a key.
    """
    _let_service_use(key, "EventBridgeMaySend", EVENTBRIDGE, conditions={})


def let_alarms_use(key: kms.Key, conditions: Mapping[str, Any]) -> None:
    """CloudWatch alarms publish to an encrypted topic."""
    _let_service_use(key, "AlarmsMayPublish", ALARMS, conditions)


def removal_policy(*, protected: bool) -> RemovalPolicy:
    """What is protected stays, but for what a first deployment made that then failed."""
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if protected else RemovalPolicy.DESTROY


def _let_service_use(key: kms.Key, sid: str, service: str, conditions: Mapping[str, Any]) -> None:
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            principals=[iam.ServicePrincipal(service)],
            actions=USE,
            resources=["*"],  # in a key's own policy: this key
            conditions=conditions,
        )
    )
