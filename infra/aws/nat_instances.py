"""NAT on the smallest instance there is, for a stage of low cost: a fifth of a gateway's price."""

from aws_cdk import aws_ec2 as ec2

from infra.aws.reviewed import accept_checks, accept_finding

_STANDS = {
    "AwsSolutions-EC28": "A minute's figures cost $2 a month; the basic ones, of 5 minutes, do.",
    "AwsSolutions-EC29": "It holds nothing; a deployment replaces it by one of a newer image.",
}
"""Findings of cdk-nag on each instance."""

_CHECKS = {
    "CKV_AWS_88": "It is the one way out to the internet: without a public address there is none.",
    "CKV_AWS_126": "As AwsSolutions-EC28.",
    "CKV_AWS_135": "An instance of type t4g is always optimized for EBS.",
}
"""Those of checkov."""


def nat_instances() -> ec2.NatInstanceProviderV2:
    """Make them of the newest image of Amazon Linux, which is looked up at every deployment.

    https://docs.aws.amazon.com/vpc/latest/userguide/work-with-nat-instances.html
    """
    return ec2.NatProvider.instance_v2(
        instance_type=ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.NANO),
        machine_image=ec2.MachineImage.latest_amazon_linux2023(
            cpu_type=ec2.AmazonLinuxCpuType.ARM_64
        ),
        default_allowed_traffic=ec2.NatTrafficDirection.OUTBOUND_ONLY,
        associate_public_ip_address=True,
    )


def secure(instances: ec2.NatInstanceProviderV2, vpc: ec2.IVpc) -> None:
    """Let in what comes from the network alone, encrypt disks, and require IMDSv2."""
    instances.connections.allow_from(ec2.Peer.ipv4(vpc.vpc_cidr_block), ec2.Port.all_traffic())
    accept_finding(
        instances.security_group,
        "AwsSolutions-EC23",
        because="What is let in is the network's own range, which cdk-nag cannot read: a token.",
    )
    for instance in instances.gateway_instances:
        _secure(instance)


def _secure(instance: ec2.Instance) -> None:
    rendered = instance.node.default_child
    assert isinstance(rendered, ec2.CfnInstance)  # noqa: S101 (for mypy)
    rendered.metadata_options = ec2.CfnInstance.MetadataOptionsProperty(http_tokens="required")
    rendered.block_device_mappings = [
        ec2.CfnInstance.BlockDeviceMappingProperty(
            device_name="/dev/xvda",
            ebs=ec2.CfnInstance.EbsProperty(encrypted=True, volume_type="gp3"),
        )
    ]
    for finding, reason in _STANDS.items():
        accept_finding(instance, finding, because=reason)
    accept_checks(instance, _CHECKS)
