"""A domain's DocumentDB cluster: encrypted, TLS only, with change streams, out of reach.

Processes sign in with the IAM roles of their tasks; infra/aws/provisioner.py makes their users.
"""

from urllib.parse import urlencode

from aws_cdk import CfnResource, Duration, RemovalPolicy
from aws_cdk import aws_docdb as docdb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.aws.keys import removal_policy
from infra.aws.plan import Plan
from infra.aws.reviewed import accept_finding
from infra.documentdb_users import IAM_DATABASE, IAM_MECHANISM
from infra.resources import Domain
from infra.workloads import Workload

ENGINE_VERSION, FAMILY = "5.0.0", "docdb5.0"
"""The first version that takes IAM roles for users, on instances alone: not on elastic clusters."""

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
        self.document_db = plan.stage.document_db
        protected = plan.stage.protected
        self.name = name = plan.stack_name(domain.name)
        lives = plan.arns.accounts[domain.name]
        self.cluster_arn = f"arn:aws:rds:{lives.region}:{lives.account}:cluster:{name}"
        self.secret_arn = (
            f"arn:aws:secretsmanager:{lives.region}:{lives.account}:secret:rds!cluster-*"
        )
        removal = removal_policy(protected=protected)
        audit_log = _audit_log(self, name, key, removal)
        parameters = _parameters(self)
        self._cluster = docdb.DatabaseCluster(
            self,
            "Cluster",
            db_cluster_name=name,
            engine_version=ENGINE_VERSION,
            parameter_group=parameters,
            instance_type=ec2.InstanceType(self.document_db.instance_class.removeprefix("db.")),
            instances=plan.copies,
            port=MONGODB_PORT,
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            master_user=docdb.Login(username=domain.name),
            manage_master_user_password=True,
            master_user_secret_kms_key=key,
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
        subnets = self._cluster.node.find_child("Subnets")
        assert isinstance(subnets, docdb.CfnDBSubnetGroup)  # noqa: S101 (for mypy)
        subnets.apply_removal_policy(removal)  # a cluster needs these two
        parameters.apply_removal_policy(removal)
        self._stand_by_its_security()

    def _stand_by_its_security(self) -> None:
        accept_finding(
            self._cluster,
            "AwsSolutions-DOC3",
            because=(
                "DocumentDB itself keeps the master user's password in Secrets Manager and rotates"
                " it (ManageMasterUserPassword); cdk-nag looks for a reference to a secret."
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

    def environment_of(self, workload: Workload) -> dict[str, str]:
        """For a process: where the cluster is, and what it may open there.

        The task's IAM role is who signs in.
        """
        where = self._environment(authMechanism=IAM_MECHANISM, authSource=IAM_DATABASE)
        return where | self.document_db.environment_of(workload)

    @property
    def masters_environment(self) -> dict[str, str]:
        """For the provisioner, which finds the master user's password out by itself."""
        return self._environment()

    def _environment(self, **options: str) -> dict[str, str]:
        endpoint = self._cluster.cluster_endpoint.socket_address
        query = urlencode(
            {
                "tls": "true",
                "tlsCAFile": CA_BUNDLE,
                "replicaSet": "rs0",
                "retryWrites": "false",
                **options,
            },
            safe="/",
        )
        return {
            "MONGODB_URI": f"mongodb://{endpoint}/?{query}",
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
