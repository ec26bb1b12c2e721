"""Encryption keys, and which AWS services may use them on our behalf."""

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.policies import EVENTBRIDGE

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
            actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
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
    """Rules put events on encrypted queues; which rules may, the queues' own policies say."""
    _let_service_use(key, "EventBridgeMaySend", EVENTBRIDGE)


def let_alarms_use(key: kms.Key) -> None:
    """CloudWatch alarms publish to an encrypted topic."""
    _let_service_use(key, "AlarmsMayPublish", "cloudwatch.amazonaws.com")


def removal_policy(*, protected: bool) -> RemovalPolicy:
    return RemovalPolicy.RETAIN if protected else RemovalPolicy.DESTROY


def _let_service_use(key: kms.Key, sid: str, service: str) -> None:
    """No condition on the source: AWS does not document that these calls carry one.

    What may be sent with the key is for the queue's or the topic's own policy to say.
    """
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid=sid,
            principals=[iam.ServicePrincipal(service)],
            actions=USE,
            resources=["*"],  # in a key's own policy: this key
        )
    )
