"""What a process may do on AWS, from what it uses: actions by name, on resources by name."""

from collections.abc import Iterator, Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from infra.arns import Arns
from infra.resources import Domain
from infra.workloads import (
    Consumes,
    Empties,
    Owns,
    PublishesTo,
    SendsTo,
    Use,
    UsesDocuments,
    Workload,
)

ENCRYPT = [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]
"""What DynamoDB and SQS do with one of this system's keys in the caller's name.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
"""


def statements_for(
    workload: Workload, domain: Domain, arns: Arns, key: kms.IKey
) -> list[iam.PolicyStatement]:
    """The workload's whole policy."""
    statements = [each for use in workload.uses for each in _statements(use, domain, arns)]
    statements += _watching(workload, arns)
    if workload.uses_aws:
        statements.append(allow(ENCRYPT, key.key_arn))
    return statements


def _statements(use: Use, domain: Domain, arns: Arns) -> Iterator[iam.PolicyStatement]:
    match use:
        case Owns(table, outbox, index):
            # A transaction needs the permissions of what it is made of.
            yield allow(
                ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"], arns.table(table)
            )
            if index is not None:
                yield allow(["dynamodb:Query"], f"{arns.table(table)}/index/{index}")
            yield allow(["dynamodb:PutItem"], arns.table(outbox))
        case Empties(outbox):
            yield allow(["dynamodb:BatchWriteItem"], arns.table(outbox))
        case Consumes(queue):
            yield allow(
                [
                    "sqs:ChangeMessageVisibility",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:GetQueueUrl",
                    "sqs:ReceiveMessage",
                ],
                arns.queue(queue),
            )
            yield from _sending(_dead_letter_queue(queue, domain), arns)
        case SendsTo(queue, asks_depth):
            yield from _sending(queue, arns)
            if asks_depth:
                yield allow(["sqs:GetQueueAttributes"], arns.queue(queue))
        case PublishesTo(bus):
            yield allow(["events:DescribeEventBus", "events:PutEvents"], arns.bus(bus))
        case UsesDocuments():
            return


def _watching(workload: Workload, arns: Arns) -> Iterator[iam.PolicyStatement]:
    """An API says how much waits in its outbox."""
    for use in workload.uses:
        if workload.path and isinstance(use, Owns):
            yield allow(["dynamodb:Scan"], arns.table(use.outbox))


def _sending(queue: str, arns: Arns) -> Iterator[iam.PolicyStatement]:
    yield allow(["sqs:GetQueueUrl", "sqs:SendMessage"], arns.queue(queue))


def _dead_letter_queue(queue: str, domain: Domain) -> str:
    redrives = {each.name: each.redrive for each in domain.queues}
    redrive = redrives[queue]
    if redrive is None:
        raise ValueError(f"a consumer dead-letters, and the queue {queue} has no such queue")
    return redrive.dlq


def allow(actions: Sequence[str], *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))
