"""Resource policies as documents: who may send where. Nothing else crosses a domain's border."""

from typing import Any

from infra.arns import Arns
from infra.resources import BusPolicy, EventPattern, LogGroupPolicy, QueuePolicy, Rule

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
    """The account of each rule may put on the bus what the rule matches, and no other event."""
    return policy_of(
        *(
            {
                "Sid": rule_statement_id(rule),
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{arns.account_of(rule)}:root"},
                "Action": "events:PutEvents",
                "Resource": arns.bus(policy.bus),
                **_only_what_matches(rule.pattern),
            }
            for rule in policy.rules
        )
    )


def rule_statement_id(rule: Rule) -> str:
    return f"{rule.name}MayPutEvents"


def _only_what_matches(pattern: EventPattern) -> Document:
    """A call has a source and a type for each of its events: all of them are compared.

    ForAllValues is true also where a key is not there at all, so Null asks for it.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    """
    wanted = {"events:source": pattern.sources, "events:detail-type": pattern.detail_types}
    known = {key: [str(each) for each in values] for key, values in wanted.items() if values}
    if not known:
        return {}
    there = dict.fromkeys(known, "false")
    return {"Condition": {"ForAllValues:StringEquals": known, "Null": there}}


def _for_the_rules(policy: QueuePolicy | LogGroupPolicy, arns: Arns) -> Document:
    return {"ArnEquals": {"aws:SourceArn": [arns.rule(rule) for rule in policy.rules]}}
