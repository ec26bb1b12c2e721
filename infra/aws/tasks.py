"""Processes as Fargate services: each with a role of its own, from the one image."""

from collections.abc import Iterable

from aws_cdk import CfnResource, Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_servicediscovery as servicediscovery
from constructs import Construct

from infra.aws.grounds import Grounds
from infra.aws.reviewed import accept_finding
from infra.aws.sealing import sealing_environment
from infra.aws.webhook import webhook_secrets
from infra.workloads import Workload
from runtime.http.hosts import ANY_HOST

TASK_PORT = 8000
"""Where each task serves: an API its routes, a worker its health."""

TASK_CPU, TASK_MEMORY = 256, 512
"""A quarter of a core and 512 MiB, the least there is: a process of ours takes under 100 MiB."""

STOP_TIMEOUT = Duration.seconds(30)
"""From SIGTERM to SIGKILL; every process of ours stops within 10 s."""


class Task(Construct):
    """One process: its task definition, its log group, its service."""

    def __init__(self, scope: Construct, workload: Workload, grounds: Grounds) -> None:
        super().__init__(scope, workload.name)
        self.name, self.webhook = workload.name, workload.webhook
        self._workload, self._grounds = workload, grounds
        self._documents = grounds.documents if workload.uses_documents else None
        self.log_group = grounds.log_group(self, workload.name)
        self._definition = self._task_definition()
        container = self._container()
        self.service = self._service(container)
        if self._documents:
            self.start_when(self._documents.let_in(self.service))

    def start_after(self, *others: Construct) -> None:
        """Wait with the service itself: keys and roles may well refer to each other before."""
        self.service.node.add_dependency(*others)

    def start_when(self, resources: Iterable[CfnResource]) -> None:
        """The service's own resource alone: others refer to the security group that it is in."""
        service = self.service.node.find_child("Service")
        assert isinstance(service, ecs.CfnService)  # noqa: S101 (for mypy)
        for resource in resources:
            service.add_resource_dependency(resource)

    def _task_definition(self) -> ecs.FargateTaskDefinition:
        plan, workload = self._grounds.plan, self._workload
        self.role = self._grounds.role(self, self.name, "ecs-tasks.amazonaws.com", workload)
        definition = ecs.FargateTaskDefinition(
            self,
            "Definition",
            family=plan.stack_name(workload.name),
            cpu=TASK_CPU,
            memory_limit_mib=TASK_MEMORY,
            task_role=self.role,
        )
        accept_finding(
            definition,
            "AwsSolutions-ECS2",
            because=(
                "The variables are names of tables, queues and buses, a port, whose tokens are"
                " good, and where the database is; the task's role is its user there, and has no"
                " password. The webhook's secrets come from Secrets Manager."
            ),
        )
        accept_finding(
            definition,
            "AwsSolutions-IAM5[Resource::*]",
            because=(
                "ecr:GetAuthorizationToken, in the role that pulls the image, is of the whole"
                " registry: IAM knows no narrower resource for it. The process's own role has no"
                " such statement."
            ),
        )
        return definition

    def _container(self) -> ecs.ContainerDefinition:
        workload, documents, grounds = self._workload, self._documents, self._grounds
        secrets = webhook_secrets(self, self.name, self._grounds) if self.webhook else None
        return self._definition.add_container(
            workload.name,
            image=ecs.ContainerImage.from_docker_image_asset(self._grounds.image),
            command=list(workload.command),
            environment={
                "AWS_REGION": grounds.plan.stage.region,
                **workload.settings,
                **grounds.plan.stage.overrides(workload.settings),
                **sealing_environment(grounds.plan, workload, grounds.sealing_keys),
                **self._where_to_serve(),
                **(self._grounds.issuer.environment if workload.path else {}),
                **(documents.environment_of(workload) if documents else {}),
            },
            secrets={"WEBHOOK_SECRETS": ecs.Secret.from_secrets_manager(secrets)}
            if secrets
            else None,
            port_mappings=[ecs.PortMapping(container_port=TASK_PORT)],
            health_check=ecs.HealthCheck(
                # Alive, not ready: a new process would find the same dependency away.
                command=["CMD", "python", "-m", "runtime.probe", f"{TASK_PORT}/healthz"],
                start_period=Duration.seconds(30),
                interval=Duration.seconds(15),
            ),
            stop_timeout=STOP_TIMEOUT,
            readonly_root_filesystem=True,
            # Hands SIGTERM on; a PID 1 does not hear it before it has its handlers.
            linux_parameters=ecs.LinuxParameters(
                self, f"{workload.name}-linux", init_process_enabled=True
            ),
            logging=ecs.LogDriver.aws_logs(stream_prefix=workload.name, log_group=self.log_group),
        )

    def _where_to_serve(self) -> dict[str, str]:
        kind = "HTTP" if self._workload.path else "HEALTH"
        where = {f"{kind}_HOST": "0.0.0.0", f"{kind}_PORT": str(TASK_PORT)}  # noqa: S104 (a task's own)
        # Only the VPC link reaches a task, and API Gateway has chosen by the name before it: no
        # browser asks here by a name of its own, and which one the link sends is nowhere written.
        return where | ({"HTTP_ALLOWED_HOSTS": ANY_HOST} if self._workload.path else {})

    def _service(self, container: ecs.ContainerDefinition) -> ecs.FargateService:
        plan, workload = self._grounds.plan, self._workload
        alone = workload.relays_outbox
        return ecs.FargateService(
            self,
            "Service",
            service_name=workload.name,
            cluster=self._grounds.cluster,
            task_definition=self._definition,
            desired_count=1 if alone else plan.copies,
            # The old relay of an outbox stops before the new one starts.
            min_healthy_percent=0 if alone else 100,
            max_healthy_percent=100 if alone else 200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            cloud_map_options=ecs.CloudMapOptions(
                name=workload.name,
                cloud_map_namespace=self._grounds.namespace,
                dns_record_type=servicediscovery.DnsRecordType.SRV,
                container=container,
                container_port=TASK_PORT,
            )
            if workload.path
            else None,
        )
