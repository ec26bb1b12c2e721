"""Resource policies as documents: who may send where. Nothing else crosses a domain's border."""

from typing import Any

from infra.arns import Arns
from infra.resources import BusPolicy, LogGroupPolicy, QueuePolicy

EVENTBRIDGE = "events.amazonaws.com"
LOG_DELIVERY = "delivery.logs.amazonaws.com"

Document = dict[str, Any]


def policy_of(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def queue_policy_document(policy: QueuePolicy, arns: Arns) -> Document:
    """EventBridge may send to the queue, but only for these rules."""
    return policy_of(
        {
            "Sid": "EventBridgeMaySend",
            "Effect": "Allow",
            "Principal": {"Service": EVENTBRIDGE},
            "Action": "sqs:SendMessage",
            "Resource": arns.queue(policy.queue),
            "Condition": _for_the_rules(policy, arns),
        }
    )


def log_group_policy_document(policy: LogGroupPolicy, arns: Arns) -> Document:
    """EventBridge may write to the log group; it writes through the log delivery service.

    Creating a stream names no rule, so only writing can be tied to ours.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    writers = {"Service": [EVENTBRIDGE, LOG_DELIVERY]}
    resource = f"{arns.log_group(policy.log_group)}:*"
    return policy_of(
        {
            "Sid": "EventBridgeMayCreateStreams",
            "Effect": "Allow",
            "Principal": writers,
            "Action": "logs:CreateLogStream",
            "Resource": resource,
        },
        {
            "Sid": "EventBridgeMayWrite",
            "Effect": "Allow",
            "Principal": writers,
            "Action": "logs:PutLogEvents",
            "Resource": resource,
            "Condition": _for_the_rules(policy, arns),
        },
    )


def log_group_policy_name(policy: LogGroupPolicy) -> str:
    """CloudWatch Logs keeps resource policies by name, in the account rather than on the group."""
    return f"{policy.log_group}-policy"


def bus_policy_document(policy: BusPolicy, arns: Arns) -> Document:
    """Each publishing domain's account may put events on the bus."""
    return policy_of(
        *(
            {
                "Sid": publisher_statement_id(publisher),
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{arns.accounts[publisher].account}:root"},
                "Action": "events:PutEvents",
                "Resource": arns.bus(policy.bus),
            }
            for publisher in policy.publishers
        )
    )


def publisher_statement_id(publisher: str) -> str:
    return f"{publisher.capitalize()}MayPutEvents"


def _for_the_rules(policy: QueuePolicy | LogGroupPolicy, arns: Arns) -> Document:
    return {"ArnEquals": {"aws:SourceArn": [arns.rule(rule) for rule in policy.rules]}}
