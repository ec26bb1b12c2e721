"""The network that an account's domains share: two zones; only what does NAT is public."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.aws.nat_instances import nat_instances, secure
from infra.aws.plan import Plan

ZONES = 2
"""Availability zones: what a DocumentDB cluster asks for, and what survives the loss of one."""

FLOW_LOG_RETENTION = logs.RetentionDays.ONE_MONTH


class Network(Construct):
    """Public subnets hold what does NAT alone; services are private, databases have no way out."""

    def __init__(self, scope: Construct, plan: Plan, key: kms.Key) -> None:
        super().__init__(scope, "Network")
        instances = nat_instances() if plan.stage.low_cost else None
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=ZONES,
            nat_gateways=plan.stage.nat_gateways,
            nat_gateway_provider=instances,
            # This system has nothing in the default group. Closing it takes a custom resource whose
            # role may change every group there is: more than it would take away.
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=24,
                    map_public_ip_on_launch=False,
                ),
                ec2.SubnetConfiguration(
                    name="services",
                    subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS,
                    cidr_mask=20,
                ),
                ec2.SubnetConfiguration(
                    name="databases", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24
                ),
            ],
            gateway_endpoints={
                # Free, and what would cost most through a NAT gateway: tables and image layers.
                "DynamoDB": ec2.GatewayVpcEndpointOptions(
                    service=ec2.GatewayVpcEndpointAwsService.DYNAMODB
                ),
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
            },
        )
        if plan.stage.zones:
            _place(self.vpc, plan.stage.zones)
        if instances:
            secure(instances, self.vpc)
        flow_log_group = logs.LogGroup(
            self,
            "FlowLogs",
            retention=FLOW_LOG_RETENTION,
            encryption_key=key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.vpc.add_flow_log(
            "FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(flow_log_group)
        )


def _place(vpc: ec2.Vpc, zones: tuple[str, ...]) -> None:
    """Put each zone's subnets where its id says; CDK itself knows zones by name alone."""
    for subnets in (vpc.public_subnets, vpc.private_subnets, vpc.isolated_subnets):
        for subnet, zone in zip(subnets, zones, strict=True):
            rendered = subnet.node.default_child
            assert isinstance(rendered, ec2.CfnSubnet)  # noqa: S101 (for mypy)
            rendered.availability_zone = None
            rendered.availability_zone_id = zone
