"""The one image: built from the Dockerfile when a stage is deployed, not when synthesized."""

from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from infra.local_system.settings import ROOT

IMAGE_TARGET = "aws"
"""The Dockerfile's stage that has the certificates of Amazon RDS."""


def image(scope: Construct) -> ecr_assets.DockerImageAsset:
    return ecr_assets.DockerImageAsset(
        scope,
        "Image",
        directory=str(ROOT),
        target=IMAGE_TARGET,
        platform=ecr_assets.Platform.LINUX_AMD64,
    )
