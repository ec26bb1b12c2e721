"""Custom Event Buses and their subscribers, for a stage with `eventBusKind` custom."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import CfnResource
from aws_cdk import aws_eventsv2 as eventsv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct

from infra.aws.keys import USE, let_custom_buses_use, removal_policy
from infra.aws.plan import Plan
from infra.custom_buses import DELIVERY_RETRIES, DELIVERY_SECONDS, CustomBus, Subscriber
from infra.policies import EVENTBRIDGE, Document, policy_of
from infra.resources import Domain, EventPattern, ToBus
from infra.workloads import PublishesTo, Workload


@dataclass(frozen=True)
class BusArns:
    """The ARNs of an account's Custom Event Buses, by name; each ends in an id that AWS makes.

    `key` encrypts them: who publishes has to be allowed to decrypt with it.
    """

    arns: Mapping[str, str]
    key: kms.IKey

    def settings(self, workload: Workload) -> dict[str, str]:
        """Those of a process that publishes: which bus, and of which kind."""
        bus = next((use.bus for use in workload.uses if isinstance(use, PublishesTo)), None)
        return {"EVENT_BUS_KIND": "custom", "EVENT_BUS": self.arns[bus]} if bus else {}

    def decrypt(self, bus: str, plan: Plan) -> iam.PolicyStatement:
        """What PutEvents asks for in the caller's name.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-custom-bus-encryption.html
        """
        region = plan.stage.region
        return iam.PolicyStatement(
            actions=["kms:Decrypt"],
            resources=[self.key.key_arn],
            conditions={
                "StringEquals": {
                    "kms:ViaService": f"events.{region}.amazonaws.com",
                    "kms:EncryptionContext:aws:events:event-busv2:arn": self.arns[bus],
                }
            },
        )


def custom_buses(scope: Construct, plan: Plan, key: kms.Key) -> BusArns | None:
    """Make all buses, which are in one account; None for a stage on Classic.

    They hold what archives hold elsewhere: a protected stage keeps them.
    """
    if plan.custom is None:
        return None
    let_custom_buses_use(key, [bus.name for bus in plan.custom.buses], plan)
    made = {bus.name: _bus(scope, plan, bus, key) for bus in plan.custom.buses}
    return BusArns({name: bus.attr_event_bus_arn for name, bus in made.items()}, key)


def _bus(scope: Construct, plan: Plan, bus: CustomBus, key: kms.Key) -> eventsv2.CfnEventBus:
    made = eventsv2.CfnEventBus(
        scope,
        f"custom-{bus.name}",
        name=bus.name,
        encryption_configuration=eventsv2.CfnEventBus.EncryptionConfigurationProperty(
            kms_key_identifier=key.key_arn
        ),
        storage_configuration=eventsv2.CfnEventBus.StorageConfigurationProperty(
            retention_period_in_days=bus.retention_days
        ),
    )
    made.apply_removal_policy(removal_policy(protected=plan.stage.protected))
    made.node.add_dependency(key)  # its policy, which is read when the bus is made
    return made


class Subscribers(Construct):
    """A domain's subscribers, on its own buses and on other domains'.

    One after the other on each bus: AWS makes one at a time, and refuses a second meanwhile.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-custom-bus-subscribers.html
    """

    def __init__(
        self, scope: Construct, plan: Plan, domain: Domain, buses: BusArns, key: kms.Key
    ) -> None:
        super().__init__(scope, "Subscribers")
        self._plan, self._buses, self._key = plan, buses, key
        self.made: dict[str, eventsv2.CfnSubscriber] = {}
        last: dict[str, CfnResource] = {}
        for subscriber in plan.custom.subscribers if plan.custom else ():
            if subscriber.domain != domain.name:
                continue
            made = self.made[subscriber.name] = self._subscriber(subscriber)
            if before := last.get(subscriber.bus):
                made.add_resource_dependency(before)
            last[subscriber.bus] = made

    def start_after(self, *others: IConstruct) -> None:
        for each in self.made.values():
            each.node.add_dependency(*others)

    def _subscriber(self, subscriber: Subscriber) -> eventsv2.CfnSubscriber:
        kind, arns = eventsv2.CfnSubscriber, self._plan.arns
        role = self._role(subscriber)
        pattern = subscriber.pattern
        filters = kind.FilterConfigurationProperty(
            filters=[kind.FilterProperty(scope="DATA", pattern=json.dumps(pattern.as_json()))]
        )
        return kind(
            self,
            subscriber.name,
            name=subscriber.name,
            event_bus_arn=self._buses.arns[subscriber.bus],
            filter_configuration=filters if pattern != EventPattern() else None,
            invoke_configuration=kind.InvokeConfigurationProperty(
                target_arn=arns.target(subscriber.target), role_arn=role.attr_arn
            ),
            on_failure_configuration=kind.OnFailureConfigurationProperty(
                arn=arns.queue(subscriber.dlq)
            ),
            retry_policy=kind.RetryPolicyProperty(
                max_event_age_in_seconds=DELIVERY_SECONDS, max_retry_attempts=DELIVERY_RETRIES
            ),
            # A queue that is no FIFO queue keeps no order, and no handler here needs one.
            type="UNORDERED",
            # What other domains' stacks published before this one was there is delivered too.
            starting_position="POINT_IN_TIME",
            point_in_time_configuration=kind.PointInTimeConfigurationProperty(point_type="HORIZON"),
        )

    def _role(self, subscriber: Subscriber) -> iam.CfnRole:
        """The role in which EventBridge delivers; the guide has no condition in its trust."""
        arns = self._plan.arns
        queues = [arns.queue(subscriber.dlq)]
        statements: list[Document] = []
        if isinstance(subscriber.target, ToBus):
            put = {"Action": "events:PutEvents", "Resource": arns.bus(subscriber.target.bus)}
            statements.append({"Effect": "Allow", **put})
        else:
            queues.insert(0, arns.queue(subscriber.target.queue))
        statements += [
            {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queues},
            {"Effect": "Allow", "Action": list(USE), "Resource": self._key.key_arn},
        ]
        return iam.CfnRole(
            self,
            f"{subscriber.name}-role",
            description=f"What the subscriber {subscriber.name} may do",
            assume_role_policy_document=policy_of(
                {
                    "Effect": "Allow",
                    "Principal": {"Service": EVENTBRIDGE},
                    "Action": "sts:AssumeRole",
                }
            ),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="Deliver", policy_document=policy_of(*statements)
                )
            ],
        )
