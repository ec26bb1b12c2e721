"""What a process may do on AWS, from what it uses: actions by name, on resources by name."""

from collections.abc import Iterator, Mapping, Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from infra.arns import Arns
from infra.resources import Domain
from infra.workloads import (
    Consumes,
    Empties,
    EmptiesDocuments,
    Opens,
    Owns,
    OwnsDocuments,
    PublishesTo,
    Reserves,
    Seals,
    SendsTo,
    Use,
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

RECEIVE = [
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
]
SEND = ["sqs:GetQueueUrl", "sqs:SendMessage"]


def statements_for(
    workload: Workload, domain: Domain, arns: Arns, key: kms.IKey, buses: Mapping[str, str]
) -> list[iam.PolicyStatement]:
    """The workload's whole policy; `buses` are the ARNs of those that are no Classic buses."""
    statements = [
        each
        for use in workload.uses
        for each in _statements(use, domain, arns, buses, serves_http=bool(workload.path))
    ]
    if workload.uses_aws:
        statements.append(allow(ENCRYPT, key.key_arn))
    return statements


def _statements(
    use: Use, domain: Domain, arns: Arns, buses: Mapping[str, str], *, serves_http: bool
) -> Iterator[iam.PolicyStatement]:
    match use:
        case Owns() | Reserves():
            yield from _rows(use, arns, serves_http=serves_http)
        case Empties(outbox):
            yield allow(["dynamodb:BatchWriteItem"], arns.table(outbox))
        case Consumes(queue):
            yield allow(RECEIVE, arns.queue(queue))
            (dlq,) = (
                each.redrive.dlq for each in domain.queues if each.name == queue and each.redrive
            )
            yield allow(SEND, arns.queue(dlq))
        case SendsTo(queue, asks_depth):
            yield allow(SEND, arns.queue(queue))
            if asks_depth:
                yield allow(["sqs:GetQueueAttributes"], arns.queue(queue))
        case PublishesTo(bus):
            arn = buses.get(bus) or arns.bus(bus)
            yield allow(["events:DescribeEventBus", "events:PutEvents"], arn)
        case OwnsDocuments() | EmptiesDocuments() | Seals() | Opens():
            return  # of the database: infra/documentdb_users.py; of the key: infra/aws/sealing.py


def _rows(use: Owns | Reserves, arns: Arns, *, serves_http: bool) -> Iterator[iam.PolicyStatement]:
    """A transaction needs the permissions of what it is made of."""
    if isinstance(use, Reserves):
        sets = ["dynamodb:DeleteItem"] if serves_http else []
        yield allow(["dynamodb:GetItem", "dynamodb:UpdateItem", *sets], arns.table(use.inventory))
        return
    table, outbox = arns.table(use.table), arns.table(use.outbox)
    yield allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"], table)
    if use.indexes:
        yield allow(["dynamodb:Query"], *(f"{table}/index/{index}" for index in use.indexes))
    yield allow(["dynamodb:PutItem"], outbox)
    if serves_http:  # an API says how much waits in its outbox
        yield allow(["dynamodb:Scan"], outbox)


def allow(actions: Sequence[str], *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=list(resources))
