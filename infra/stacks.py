"""The stacks of a stage: what domains share in an account, and one stack for each domain."""

from collections.abc import Mapping
from typing import Any

import jsii
from aws_cdk import Environment, Fn, Stack, Token
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_servicediscovery as servicediscovery
from constructs import Construct

from infra.aws import metrics
from infra.aws.alarms import Alarms
from infra.aws.custom_buses import Subscribers, custom_buses
from infra.aws.dashboard import dashboard
from infra.aws.documents import Documents
from infra.aws.grounds import Grounds, image
from infra.aws.http import HttpApi
from infra.aws.identity import user_pool
from infra.aws.keys import encryption_key, let_eventbridge_use
from infra.aws.messaging import BusStack, Messaging
from infra.aws.metrics import measure_oldest_row
from infra.aws.network import ZONES, Network
from infra.aws.plan import SYSTEM, Plan, Site, workloads_of
from infra.aws.provisioner import Provisioner
from infra.aws.relays import Relay
from infra.aws.reviewed import accept_checks, accept_finding
from infra.aws.scaling import scale
from infra.aws.sealing import sealing_key
from infra.aws.tables import Tables
from infra.aws.tasks import Task
from infra.aws.topic import topic_of_alarms
from infra.resources import Domain
from infra.workloads import Workload


def render(scope: Construct, plan: Plan) -> None:
    """Make every stack of the stage.

    Buses are in the shared stacks, and each domain waits for those of every account: it sends to
    other domains' buses, and they to its own.
    """
    shared = {site.account_region: SharedStack(scope, plan, site) for site in plan.sites}
    for site in plan.sites:
        stacks = {
            domain.name: DomainStack(scope, plan, site, domain, shared[site.account_region])
            for domain in site.domains
        }
        for stack in stacks.values():
            for each in shared.values():
                stack.add_stack_dependency(each)
        OverviewStack(scope, plan, site, stacks)


class SharedStack(Stack):
    """What the domains of one account share: network, cluster, buses, alarms' topic, user pool."""

    def __init__(self, scope: Construct, plan: Plan, site: Site) -> None:
        super().__init__(
            scope, plan.stack_name(f"shared{site.suffix}"), **_properties(plan, site, "shared")
        )
        key = encryption_key(self, self.stack_name, protected=plan.stage.protected)
        let_eventbridge_use(key)
        network = Network(self, plan, key)
        self.cluster = ecs.Cluster(
            self,
            "Cluster",
            cluster_name=plan.cluster_name,
            vpc=network.vpc,
            container_insights_v2=ecs.ContainerInsights.DISABLED,
            enable_fargate_capacity_providers=plan.stage.low_cost,
        )
        accept_finding(
            self.cluster,
            "AwsSolutions-ECS4",
            because=(
                "No alarm and no graph reads Container Insights: the processor's load and the"
                " number of tasks are ECS's own metrics, which are free. It would cost $43 a month."
            ),
        )
        accept_checks(self.cluster, {"CKV_AWS_65": "As AwsSolutions-ECS4."})
        self.namespace = servicediscovery.PrivateDnsNamespace(
            self, "Namespace", name=f"{plan.stage.name}.{SYSTEM}.internal", vpc=network.vpc
        )
        self.topic = topic_of_alarms(self, plan, key)
        self.issuer = plan.stage.issuer or user_pool(self, plan)
        for domain in site.domains:
            BusStack(self, plan, domain, key)
        self.custom_buses = custom_buses(self, plan, key)

    @property
    @jsii.member(jsii_name="availabilityZones")
    def availability_zones(self) -> list[str]:
        """The region's first; CDK would look them up, and need credentials even to synthesize."""
        return [Fn.select(index, Fn.get_azs()) for index in range(ZONES)]


class DomainStack(Stack):
    """A domain: its messages, its data and its processes."""

    def __init__(
        self, scope: Construct, plan: Plan, site: Site, domain: Domain, shared: SharedStack
    ) -> None:
        super().__init__(
            scope, plan.stack_name(domain.name), **_properties(plan, site, domain.name)
        )
        key = encryption_key(self, self.stack_name, protected=plan.stage.protected)
        let_eventbridge_use(key)
        messaging = Messaging(self, plan, domain, key)
        tables = Tables(self, plan, domain, key)
        grounds = Grounds(
            plan=plan,
            domain=domain,
            image=image(self),
            key=key,
            cluster=shared.cluster,
            namespace=shared.namespace,
            issuer=shared.issuer,
            documents=Documents(self, plan, domain, shared.cluster.vpc, key)
            if domain.collections
            else None,
            custom_buses=shared.custom_buses,
            sealing_keys={each.name: sealing_key(self, plan, each) for each in domain.keys},
        )
        self._alarms = Alarms(self, plan, shared.topic)
        self._alarms.watch_queues(domain)
        self._alarms.watch_rules(domain)
        self._alarms.watch_tables(domain)
        if shared.custom_buses:
            subscribers = Subscribers(self, plan, domain, shared.custom_buses, key)
            subscribers.start_after(messaging)
            for name, subscriber in subscribers.made.items():
                self._alarms.watch_subscriber(name, subscriber)
        users: dict[str, Task] = {}
        for workload in workloads_of(domain):
            process = (
                self._relay(workload, grounds, tables.streams[workload.empties])
                if workload.empties
                else self._task(workload, grounds)
            )
            # One that finds no queue or no table when it starts gives up.
            process.start_after(messaging, tables)
            if isinstance(process, Task) and workload.uses_documents:
                users[workload.name] = process
        if grounds.documents and plan.stage.protected:
            self._alarms.watch_documents(grounds.documents)
        if grounds.documents:
            roles = {name: task.role for name, task in users.items()}
            provisioner = Provisioner(self, grounds, grounds.documents, roles)
            for task in users.values():
                task.start_when([provisioner.ready])

    def _relay(self, workload: Workload, grounds: Grounds, stream_arn: str) -> Relay:
        relay = Relay(self, workload, grounds, stream_arn)
        measure_oldest_row(self, workload.name, relay.sweep.log_group)
        self._alarms.watch_outbox(workload.name, is_function=True)
        self._alarms.watch_relay(relay)
        return relay

    def _task(self, workload: Workload, grounds: Grounds) -> Task:
        plan, task = grounds.plan, Task(self, workload, grounds)
        self._alarms.watch_task(plan.cluster_name, task)
        if workload.relays_outbox:
            measure_oldest_row(self, workload.name, task.log_group)
            self._alarms.watch_outbox(workload.name, is_function=False)
        if workload.path:
            self.api = HttpApi(self, task, workload.path, grounds).api
            self._alarms.watch_api(workload.path, self.api)
        task.roll_back_on(self._alarms.health_of(workload, grounds.domain))
        if plan.stage.protected:
            scale(
                task.service,
                workload,
                metrics.running(plan.cluster_name, workload.name),
                self.api if workload.path else None,
            )
        return task


class OverviewStack(Stack):
    """The dashboard of one account."""

    def __init__(
        self, scope: Construct, plan: Plan, site: Site, stacks: Mapping[str, DomainStack]
    ) -> None:
        super().__init__(
            scope, plan.stack_name(f"overview{site.suffix}"), **_properties(plan, site, "shared")
        )
        apis = {domain.name: stacks[domain.name].api for domain in site.domains}
        dashboard(self, plan, site.domains, apis)


def _properties(plan: Plan, site: Site, domain: str) -> dict[str, Any]:
    """Of a stack: where it is, what its costs are booked under, and whether it may be deleted."""
    return {
        "env": _environment(site),
        "tags": {"system": SYSTEM, "stage": plan.stage.name, "domain": domain},
        "termination_protection": plan.stage.protected,
    }


def _environment(site: Site) -> Environment:
    """An account of the credentials' own choice is left out: the template then fits any."""
    account = site.account_region.account
    return Environment(
        account=None if Token.is_unresolved(account) else account, region=site.account_region.region
    )
