"""Who prepares DocumentDB: one function, called by CloudFormation before a process starts."""

from collections.abc import Mapping

from aws_cdk import CfnResource, CustomResource, Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.aws.documents import Documents
from infra.aws.functions import image_function
from infra.aws.grants import allow
from infra.aws.grounds import Grounds
from infra.aws.reviewed import accept_checks, accept_finding

FUNCTION_NAME = "payments-provision"

TIMEOUT = Duration.minutes(5)
"""An index over many documents takes time; CloudFormation waits a minute longer."""

INTERFACES = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]
"""What Lambda does, with the function's role, to reach a VPC.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
"""


class Provisioner(Construct):
    """`roles` has the IAM role of each process that signs in, by the process's name.

    `ready` is what such a process waits for: collections, indexes and users are there after it.
    """

    def __init__(
        self,
        scope: Construct,
        grounds: Grounds,
        documents: Documents,
        roles: Mapping[str, iam.Role],
    ) -> None:
        super().__init__(scope, FUNCTION_NAME)
        role = self._role(documents, grounds)
        function = image_function(
            self,
            FUNCTION_NAME,
            grounds,
            handler="infra.documentdb_function.handle",
            role=role,
            environment=documents.masters_environment,
            timeout=TIMEOUT,
            vpc=grounds.cluster.vpc,
        )
        made = CustomResource(
            self,
            "Made",
            resource_type="Custom::DocumentDB",
            service_token=function.function_arn,
            service_timeout=TIMEOUT.plus(Duration.minutes(1)),
            properties={
                "Cluster": documents.name,
                "Users": {name: each.role_arn for name, each in roles.items()},
                "Image": grounds.image.image_tag,  # so that each new image provisions once
            },
        )
        made.node.add_dependency(role)
        ready = made.node.default_child
        assert isinstance(ready, CfnResource)  # noqa: S101 (for mypy)
        for each in documents.let_in(function):
            ready.add_resource_dependency(each)
        self.ready: CfnResource = ready

    def _role(self, documents: Documents, grounds: Grounds) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description=f"What {FUNCTION_NAME} may do",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        role.add_to_policy(allow(["rds:DescribeDBClusters"], documents.cluster_arn))
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["secretsmanager:GetSecretValue"],
                resources=[documents.secret_arn],
                conditions={
                    "StringEquals": {
                        "secretsmanager:ResourceTag/aws:rds:primaryDBClusterArn": (
                            documents.cluster_arn
                        )
                    }
                },
            )
        )
        role.add_to_policy(allow(["kms:Decrypt"], grounds.key.key_arn))
        role.add_to_policy(allow(INTERFACES, "*"))
        accept_finding(
            role,
            f"AwsSolutions-IAM5[Resource::{documents.secret_arn}]",
            because=(
                "DocumentDB names the secret of its master user itself, and CloudFormation does not"
                " know the name; the condition on its tag leaves the secret of this one cluster."
            ),
        )
        accept_finding(
            role,
            "AwsSolutions-IAM5[Resource::*]",
            because=(
                "Lambda attaches a function to a VPC with the function's own role, and EC2 knows"
                " no narrower resource for network interfaces that do not exist yet."
            ),
        )
        accept_checks(
            role.node.find_child("DefaultPolicy"),
            {"CKV_AWS_111": "The network interfaces of Lambda, as above."},
        )
        return role
