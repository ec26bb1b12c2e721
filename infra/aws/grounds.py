"""What every process of a domain needs, and where it logs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_servicediscovery as servicediscovery
from constructs import Construct

from infra.aws.custom_buses import BusArns
from infra.aws.documents import Documents
from infra.aws.grants import statements_for
from infra.aws.keys import removal_policy
from infra.aws.plan import SYSTEM, Plan
from infra.aws.sealing import let_open, let_seal, role_name
from infra.local_system.settings import ROOT
from infra.resources import Domain
from infra.stages import Issuer
from infra.workloads import Opens, PublishesTo, Workload

IMAGE_TARGET = "aws"
"""The Dockerfile's stage that has the certificates of Amazon RDS."""

LOG_RETENTION = logs.RetentionDays.ONE_MONTH


@dataclass(frozen=True)
class Grounds:
    """`issuer` is whose tokens the APIs take; `documents` is there where there are collections.

    `sealing_keys` are the domain's own, by their names; `custom_buses` those of the account.
    """

    plan: Plan
    domain: Domain
    image: ecr_assets.DockerImageAsset
    key: kms.Key
    cluster: ecs.ICluster
    namespace: servicediscovery.INamespace
    issuer: Issuer
    documents: Documents | None
    custom_buses: BusArns | None
    sealing_keys: Mapping[str, kms.Key]

    def settings(self, workload: Workload) -> dict[str, str]:
        """A process's own settings, as the stage has them."""
        return {
            **workload.settings,
            **self.plan.stage.overrides(workload.settings),
            **(self.custom_buses.settings(workload) if self.custom_buses else {}),
        }

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

    def role(self, scope: Construct, name: str, service: str, workload: Workload) -> iam.Role:
        """Make the role in which `service` runs a process, with the workload's permissions."""
        role = iam.Role(
            scope,
            "Role",
            role_name=role_name(self.plan, workload),
            description=f"What {name} may do",
            assumed_by=iam.ServicePrincipal(service),
        )
        buses = self.custom_buses.arns if self.custom_buses else {}
        for statement in statements_for(workload, self.domain, self.plan.arns, self.key, buses):
            role.add_to_policy(statement)
        let_seal(role, self.plan, workload)
        for use in workload.uses:
            if isinstance(use, PublishesTo) and self.custom_buses:
                role.add_to_policy(self.custom_buses.decrypt(use.bus, self.plan))
            if isinstance(use, Opens):
                let_open(self.sealing_keys[use.key.name], use.key, role)
        return role


def image(scope: Construct, month: str | None = None) -> ecr_assets.DockerImageAsset:
    """The one image: built from the Dockerfile when a stage is deployed, not when synthesized.

    It has the system's security updates of a month, by default this one: 2026-12. So the first
    deployment in another month builds a new image, though nothing else has changed.
    """
    return ecr_assets.DockerImageAsset(
        scope,
        "Image",
        directory=str(ROOT),
        target=IMAGE_TARGET,
        build_args={"PATCHED": month or f"{datetime.now(UTC):%Y-%m}"},
        platform=ecr_assets.Platform.LINUX_AMD64,
    )
