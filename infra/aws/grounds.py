"""What every process of a domain needs, and where it logs."""

from dataclasses import dataclass

from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_servicediscovery as servicediscovery
from constructs import Construct

from infra.aws.documents import Documents
from infra.aws.keys import removal_policy
from infra.aws.plan import SYSTEM, Plan
from infra.resources import Domain

LOG_RETENTION = logs.RetentionDays.ONE_MONTH


@dataclass(frozen=True)
class Grounds:
    plan: Plan
    domain: Domain
    image: ecr_assets.DockerImageAsset
    key: kms.Key
    cluster: ecs.ICluster
    namespace: servicediscovery.INamespace
    documents: Documents | None

    def log_group(self, scope: Construct, process: str) -> logs.LogGroup:
        """Make the log group of a process: /streamed-events/STAGE/PROCESS."""
        stage = self.plan.stage
        return logs.LogGroup(
            scope,
            "Log",
            log_group_name=f"/{SYSTEM}/{stage.name}/{process}",
            retention=LOG_RETENTION,
            encryption_key=self.key,
            removal_policy=removal_policy(protected=stage.protected),
        )
