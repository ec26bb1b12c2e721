"""A domain's DocumentDB cluster: encrypted, TLS only, with change streams, out of reach."""

from urllib.parse import urlencode

from aws_cdk import CfnOutput, CfnResource, Duration, RemovalPolicy
from aws_cdk import aws_docdb as docdb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.aws.keys import removal_policy
from infra.aws.plan import Plan
from infra.aws.reviewed import accept_finding
from infra.resources import Domain

ENGINE_VERSION, FAMILY = "5.0.0", "docdb5.0"

MONGODB_PORT = 27018
"""Not the default 27017: cdk-nag asks for that, and it costs nothing."""

CHANGE_STREAM_RETENTION = 86_400
"""Seconds that DocumentDB keeps change records: a day. The outbox needs none of it to be right:
a relay that lost its place sweeps."""

CA_BUNDLE = "/etc/ssl/rds/global-bundle.pem"
"""Where the image's `aws` target has the certificates of Amazon RDS."""

AUDIT_RETENTION = logs.RetentionDays.ONE_YEAR

BACKUP_DAYS_PROTECTED, BACKUP_DAYS = 35, 7
"""35 is the most that DocumentDB keeps."""


class Documents(Construct):
    def __init__(
        self, scope: Construct, plan: Plan, domain: Domain, vpc: ec2.IVpc, key: kms.Key
    ) -> None:
        super().__init__(scope, "Documents")
        (self._database,) = {collection.database for collection in domain.collections}
        protected = plan.stage.protected
        name = plan.stack_name(domain.name)
        removal = removal_policy(protected=protected)
        audit_log = _audit_log(self, name, key, removal)
        parameters = _parameters(self)
        self._cluster = docdb.DatabaseCluster(
            self,
            "Cluster",
            db_cluster_name=name,
            engine_version=ENGINE_VERSION,
            parameter_group=parameters,
            instance_type=ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.MEDIUM),
            instances=plan.copies,
            port=MONGODB_PORT,
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            master_user=docdb.Login(username=domain.name, kms_key=key),
            storage_encrypted=True,
            kms_key=key,
            backup=docdb.BackupProps(
                retention=Duration.days(BACKUP_DAYS_PROTECTED if protected else BACKUP_DAYS)
            ),
            deletion_protection=protected,
            export_audit_logs_to_cloud_watch=True,
            copy_tags_to_snapshot=True,
            removal_policy=removal,
        )
        self._cluster.node.add_dependency(audit_log)
        # The one with username and password, which the cluster makes where none was given.
        secret = self._cluster.node.find_child("Secret")
        subnets = self._cluster.node.find_child("Subnets")
        assert isinstance(secret, secretsmanager.Secret)  # noqa: S101 (for mypy)
        assert isinstance(subnets, docdb.CfnDBSubnetGroup)  # noqa: S101 (for mypy)
        self.secret = secret
        secret.apply_removal_policy(removal)
        subnets.apply_removal_policy(removal)  # a cluster needs these two
        parameters.apply_removal_policy(removal)
        CfnOutput(self, "Secret", value=self.secret.secret_arn)
        self._stand_by_its_security()

    def _stand_by_its_security(self) -> None:
        accept_finding(
            self._cluster,
            "AwsSolutions-DOC3",
            because=(
                "cdk-nag cannot read a user name that CloudFormation resolves; both it and the"
                " password are generated into Secrets Manager and resolved from there."
            ),
        )
        for event in ("authenticate", "createIndex", "dropCollection"):
            accept_finding(
                self._cluster,
                f"AwsSolutions-DOC5[LogExport::{event}]",
                because=(
                    f"{event} is an event within the audit log, which is enabled and exported;"
                    " DocumentDB takes only audit and profiler as names of exports. The profiler"
                    " stays off: it would write commands out, account numbers with them."
                ),
            )
        accept_finding(
            self._cluster,
            "AwsSolutions-SMG4",
            because=(
                "A task reads the password once, when it starts, so a rotation that the tasks do"
                " not know of would cut the payment service off. The password is generated, no"
                " person sees it, and only this domain's task execution roles may read it;"
                " docs/deploy.md says how to turn it together with the tasks, and that they share"
                " the cluster's one user."
            ),
        )

    @property
    def environment(self) -> dict[str, str]:
        """Where the cluster is; the secret is injected beside it, never into it."""
        options = urlencode(
            {
                "tls": "true",
                "tlsCAFile": CA_BUNDLE,
                "replicaSet": "rs0",
                "retryWrites": "false",
            },
            safe="/",
        )
        endpoint = self._cluster.cluster_endpoint.socket_address
        return {
            "MONGODB_URI": f"mongodb://{endpoint}/?{options}",
            "MONGODB_DATABASE": self._database,
        }

    def let_in(self, peer: ec2.IConnectable) -> list[CfnResource]:
        """Open the port for a peer; returns what must be there before it can connect."""
        self._cluster.connections.allow_default_port_from(peer)
        needed = (docdb.CfnDBInstance, ec2.CfnSecurityGroupIngress)
        return [child for child in self._cluster.node.find_all() if isinstance(child, needed)]


def _audit_log(
    scope: Construct, cluster: str, key: kms.Key, removal: RemovalPolicy
) -> logs.LogGroup:
    """Where DocumentDB writes: made first, else the service makes it, unencrypted and for ever."""
    return logs.LogGroup(
        scope,
        "AuditLog",
        log_group_name=f"/aws/docdb/{cluster}/audit",
        retention=AUDIT_RETENTION,
        encryption_key=key,
        removal_policy=removal,
    )


def _parameters(scope: Construct) -> docdb.ClusterParameterGroup:
    return docdb.ClusterParameterGroup(
        scope,
        "Parameters",
        family=FAMILY,
        description="TLS required, change streams kept, audited",
        parameters={
            "tls": "enabled",
            "audit_logs": "enabled",
            "change_stream_log_retention_duration": str(CHANGE_STREAM_RETENTION),
        },
    )
