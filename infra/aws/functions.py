"""A Lambda function from the one image, with a log group of its own."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.aws.grounds import Grounds
from infra.aws.reviewed import accept_checks

MEMORY = 512
"""MiB, and with them a third of a core: what waits here is the network."""

_STANDS = {
    "CKV_AWS_116": (
        "A stream's batch that fails goes to the mapping's own queue, the next sweep does what one"
        " has left, and CloudFormation learns of its function's failure: none is dropped."
    ),
    "CKV_AWS_173": "The variables are names and addresses; Lambda encrypts them with its own key.",
}
"""Findings of checkov on each of them."""

_UNRESERVED = {
    "CKV_AWS_115": (
        "A reserved share is taken from the account's, which is 10 in a new account and must leave"
        " 100: the first deployment would fail. relayConcurrency in cdk.json reserves one."
    ),
}

_OUTSIDE_A_VPC = {
    "CKV_AWS_117": "It calls AWS alone; a VPC would add a NAT gateway, and guard nothing."
}


def image_function(
    scope: Construct,
    name: str,
    grounds: Grounds,
    *,
    handler: str,
    role: iam.Role,
    environment: Mapping[str, str],
    timeout: Duration,
    vpc: ec2.IVpc | None = None,
    reserved: int | None = None,
) -> lambda_.DockerImageFunction:
    """Make it; `handler` is a module and its function. With a `vpc` it is in private subnets.

    `reserved` is how many run at a time at most, kept for it alone; None: what the account has.
    """
    log_group = grounds.log_group(scope, name)
    log_group.grant_write(role)
    subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
    made = lambda_.DockerImageFunction(
        scope,
        "Function",
        function_name=name,
        code=lambda_.DockerImageCode.from_ecr(
            grounds.image.repository,
            tag_or_digest=grounds.image.image_tag,
            cmd=["awslambdaric", handler],
        ),
        environment={**environment},
        memory_size=MEMORY,
        timeout=timeout,
        reserved_concurrent_executions=reserved,
        role=role,
        log_group=log_group,
        # Without Lambda's own lines for each invocation: its metrics have what is in them.
        logging_format=lambda_.LoggingFormat.JSON,
        system_log_level_v2=lambda_.SystemLogLevel.WARN,
        application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
        vpc=vpc,
        vpc_subnets=subnets if vpc else None,
    )
    accept_checks(
        made,
        _STANDS | ({} if vpc else _OUTSIDE_A_VPC) | ({} if reserved else _UNRESERVED),
    )
    return made
