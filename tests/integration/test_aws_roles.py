"""What each process may do on AWS: exactly what it calls, on what it owns."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.synthesis import Synthesize
from tests.templates import Stack

HERE = "eu-west-1:000000000000"

USES_KEY = {
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
}
CONSUMES = {
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
}
SENDS = {"sqs:GetQueueUrl", "sqs:SendMessage"}
PUBLISHES = {"events:DescribeEventBus", "events:PutEvents"}
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{HERE}:{resource}"


def queue(name: str) -> str:
    return arn("sqs", name)


def owns(table: str, *indexes: str, says_what_waits: bool = False) -> dict[str, set[str]]:
    """An API also serves /outbox."""
    return {
        arn("dynamodb", f"table/{table}"): {
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Scan",
        },
        **{
            arn("dynamodb", f"table/{table}/index/{index}"): {"dynamodb:Query"} for index in indexes
        },
        arn("dynamodb", f"table/{table}-outbox"): {
            "dynamodb:PutItem",
            *(["dynamodb:Scan"] if says_what_waits else []),
        },
    }


def relays(domain: str) -> dict[str, dict[str, set[str]]]:
    """Both functions of a domain's DynamoDB relay."""
    outbox = arn("dynamodb", f"table/{domain}-outbox")
    bus, dlq = arn("events", f"event-bus/{domain}-event-bus"), queue(f"{domain}-dlq")
    return {
        f"{domain}/{domain}-relay/{domain}-relay/Role": {
            outbox: {"dynamodb:BatchWriteItem"},
            bus: PUBLISHES,
            # Lambda sends what it gives up with the function's role.
            dlq: SENDS | {"sqs:GetQueueAttributes"},
            "stream": {
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
            },
            f"{outbox}/stream/*": {"dynamodb:ListStreams"},
            "log": LOGS,
        },
        f"{domain}/{domain}-relay/{domain}-sweep/Role": {
            outbox: {"dynamodb:BatchWriteItem", "dynamodb:Scan"},
            bus: PUBLISHES,
            dlq: SENDS,
            "log": LOGS,
        },
    }


INVENTORY = arn("dynamodb", "table/stock-inventory")
RESERVES = {"dynamodb:GetItem", "dynamodb:UpdateItem"}

ROLES: dict[str, dict[str, set[str]]] = {
    "subscriptions/subscription-api/Role": {
        **owns("subscriptions", "by-account-number", "by-owner", says_what_waits=True),
        arn("kms", "key/*"): {"kms:GenerateDataKey"},  # of an alias: test_aws_sealing.py
    },
    "subscriptions/subscription-consumer/Role": {
        **owns("subscriptions", "by-account-number", "by-owner"),
        queue("subscriptions-payment-cancelled"): CONSUMES,
        queue("subscriptions-stock-rejected"): CONSUMES,
        queue("cancel-subscription-dlq"): SENDS,
        queue("reject-subscription-dlq"): SENDS,
    },
    **relays("subscriptions"),
    "stock/stock-api/Role": {
        **owns("stock", "by-status", says_what_waits=True),
        INVENTORY: RESERVES | {"dynamodb:DeleteItem"},
    },
    "stock/stock-consumer/Role": {
        **owns("stock", "by-status"),
        INVENTORY: RESERVES,
        queue("stock-subscription-created"): CONSUMES,
        queue("stock-payment-cancelled"): CONSUMES,
        queue("subscriptions-created-dlq"): SENDS,
        queue("payment-cancelled-dlq"): SENDS,
    },
    **relays("stock"),
    "payments/payment-consumer/Role": {
        queue("payments-subscription-created"): CONSUMES,
        queue("payments-subscription-cancelled"): CONSUMES,
        queue("payments-subscription-erased"): CONSUMES,
        queue("create-payment-subscription-dlq"): SENDS,
        queue("cancel-payment-subscription-dlq"): SENDS,
        queue("erase-payment-subscription-dlq"): SENDS,
    },
    "payments/payments-change-stream/Role": {
        queue("payment-events.fifo"): SENDS | {"sqs:GetQueueAttributes"},
        queue("payment-events-dlq.fifo"): SENDS,
    },
    "payments/payments-forward/Role": {
        queue("payment-events.fifo"): CONSUMES,
        queue("payment-events-dlq.fifo"): SENDS,
        arn("events", "event-bus/payments-event-bus"): PUBLISHES,
    },
}

PROVISIONER = "payments/payments-provision/Role"
"""It alone reads the password of DocumentDB's master user, and lives in the network to use it."""

CLUSTER = arn("rds", "cluster:streamed-events-dev-payments")

ROLES[PROVISIONER] = {
    CLUSTER: {"rds:DescribeDBClusters"},
    arn("secretsmanager", "secret:rds!cluster-*"): {"secretsmanager:GetSecretValue"},
    "*": {
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    },
    "log": LOGS,
}

NOTHING_OF_AWS = "payments/payment-api/Role"
"""It talks to its database alone."""


def test_every_process_is_among_them(synthesized: Synthesize) -> None:
    """A role that a task or a function takes on, but for those that pull images."""
    found = {
        path.removeprefix("/streamed-events-dev-").removesuffix("/Resource")
        for stack in synthesized("dev").stacks.values()
        for path in stack.metadata
        if path.endswith("/Role/Resource")
    }

    assert found - {"shared/Network/Vpc/FlowLog/IAMRole"} == {*ROLES, NOTHING_OF_AWS}


@pytest.mark.parametrize("role", ROLES)
def test_a_process_may_do_what_it_calls_and_nothing_else(
    synthesized: Synthesize, role: str
) -> None:
    """Each action is named, on the one resource it is needed for, beside the domain's key."""
    granted = _granted(synthesized, role)

    assert granted.pop("key") == ({"kms:Decrypt"} if role == PROVISIONER else USES_KEY)
    assert granted == ROLES[role]


def test_the_api_of_payments_may_call_nothing_of_aws(synthesized: Synthesize) -> None:
    """Its role is there all the same, since a task has one."""
    assert _granted(synthesized, NOTHING_OF_AWS) == {}


def test_the_master_password_is_the_provisioners_alone(synthesized: Synthesize) -> None:
    """Its role reads only what has the cluster's tag. What starts the API of payments reads the
    webhook's secret; no other role reads any, and no template holds a password.
    """
    for stage in ("dev", "prod"):
        readers = [
            (policy.logical_id.partition("Role")[0], statement)
            for policy in synthesized(stage).resources("AWS::IAM::Policy")
            for statement in policy.properties["PolicyDocument"]["Statement"]
            if any(
                each.startswith(("secretsmanager:", "ssm:", "*"))
                for each in _listed(statement["Action"])
            )
        ]
        roles = dict(readers)
        assert roles.keys() == {"paymentapiDefinitionExecution", "paymentsprovision"}
        (webhook,) = synthesized(stage).resources("AWS::SecretsManager::Secret")
        assert webhook.logical_id in str(roles["paymentapiDefinitionExecution"]["Resource"])
        statement = roles["paymentsprovision"]
        (tag,) = statement["Condition"]["StringEquals"].items()
        assert tag[0] == "secretsmanager:ResourceTag/aws:rds:primaryDBClusterArn"
        assert tag[1].endswith(f":cluster:streamed-events-{stage}-payments")
        names = {
            secret["Name"]
            for task in synthesized(stage).resources("AWS::ECS::TaskDefinition")
            for container in task.properties["ContainerDefinitions"]
            for secret in container.get("Secrets", ())
        }
        assert names == {"WEBHOOK_SECRETS"}


def test_wildcards_are_of_five_known_kinds(synthesized: Synthesize) -> None:
    """No action has one; a resource only where AWS knows no narrower one."""
    found = {
        (action, resource)
        for stack in synthesized("dev").stacks.values()
        for actions, resources in _allowed(stack)
        for action in actions
        for resource in resources
        if "*" in action or "*" in resource
    }

    secrets = arn("secretsmanager", "secret:rds!cluster-*")
    assert found == {
        ("ecr:GetAuthorizationToken", "*"),
        ("secretsmanager:GetSecretValue", secrets),
        *((action, "*") for action in ROLES[PROVISIONER]["*"]),
        (
            "dynamodb:ListStreams",
            f"arn:aws:dynamodb:{HERE}:table/subscriptions-outbox/stream/*",
        ),
        ("dynamodb:ListStreams", f"arn:aws:dynamodb:{HERE}:table/stock-outbox/stream/*"),
        ("kms:GenerateDataKey", arn("kms", "key/*")),
    }


def test_no_role_has_a_policy_that_is_not_ours(synthesized: Synthesize) -> None:
    """AWS's managed policies hold more than anybody needs, and change."""
    roles = list(synthesized("dev").resources("AWS::IAM::Role"))
    assert len(roles) > len(ROLES)
    for role in roles:
        assert not role.properties.get("ManagedPolicyArns"), role.logical_id


def _granted(synthesized: Synthesize, path: str) -> dict[str, set[str]]:
    """The actions that a role may do, by resource; `path` is its domain's and its construct's."""
    domain, _, construct = path.partition("/")
    stack = synthesized("dev").stacks[f"streamed-events-dev-{domain}"]
    role = {"Ref": stack.logical_id(f"{construct}/Resource")}
    granted: dict[str, set[str]] = {}
    for policy in stack.template["Resources"].values():
        if policy["Type"] == "AWS::IAM::Policy" and role in policy["Properties"]["Roles"]:
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                for resource in _listed(statement["Resource"]):
                    name = _named(stack.resolve(resource))
                    granted.setdefault(name, set()).update(_listed(statement["Action"]))
    return granted


def _named(resource: str) -> str:
    """A word for what has no name before it is deployed."""
    if ".StreamArn}" in resource:
        return "stream"
    if ":kms:" in resource and not resource.endswith("*"):
        return "key"
    return "log" if ":log-group:" in resource else resource


def _allowed(stack: Stack) -> Iterator[tuple[list[str], list[str]]]:
    for resource in stack.resources("AWS::IAM::Policy", "AWS::IAM::Role"):
        inline = [each["PolicyDocument"] for each in resource.properties.get("Policies", [])]
        own = resource.properties.get("PolicyDocument")
        for document in [*inline, *([own] if own else [])]:
            for statement in document["Statement"]:
                # The log group's own ARN ends with the stream's wildcard, as IAM wants it.
                resources = [
                    each.removesuffix(":*") if ":log-group:" in each else each
                    for each in _listed(statement["Resource"])
                ]
                yield _listed(statement["Action"]), resources


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
