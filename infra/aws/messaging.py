"""Buses, queues, log groups, archives and rules of a domain, under exactly their names."""

from collections.abc import Mapping

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.arns import Arns
from infra.aws.keys import removal_policy
from infra.aws.plan import Plan
from infra.aws.reviewed import accept_finding
from infra.policies import (
    EVENTBRIDGE,
    Document,
    bus_policy_document,
    log_group_policy_document,
    log_group_policy_name,
    policy_of,
    queue_policy_document,
)
from infra.resources import TARGET_ID, Domain, Queue, Rule

DATA_KEY_REUSE = 3600
"""Seconds that SQS uses a data key before it asks KMS for another: its calls cost money."""


class BusStack(Construct):
    """Buses, and who may put events on them.

    They stand in the stack that domains share, so that each exists before any rule sends to it:
    domains send to each other, and stacks cannot wait for each other. They hold nothing, but an
    archive that outlives its stack needs its bus.
    """

    def __init__(self, scope: Construct, plan: Plan, domain: Domain, key: kms.Key) -> None:
        super().__init__(scope, f"{domain.name.capitalize()}Buses")
        policies = {policy.bus: policy for policy in plan.topology.bus_policies}
        for bus in domain.buses:
            policy = policies.get(bus.name)
            events.CfnEventBus(
                self,
                bus.name,
                name=bus.name,
                kms_key_identifier=key.key_arn,
                policy=bus_policy_document(policy, plan.arns) if policy else None,
            ).apply_removal_policy(removal_policy(protected=plan.stage.protected))


class Messaging(Construct):
    """What is around a domain's buses: queues, log groups, archives, and the rules last."""

    def __init__(self, scope: Construct, plan: Plan, domain: Domain, key: kms.Key) -> None:
        super().__init__(scope, "Messaging")
        self._plan, self._domain, self._key = plan, domain, key
        self._removal = removal_policy(protected=plan.stage.protected)
        queues = self._queues()
        policies = self._queue_policies(queues)
        log_groups = self._log_groups()
        self._archives()
        for rule in domain.rules:
            _rule(self, rule, plan.arns).node.add_dependency(*policies, *log_groups)

    def _queues(self) -> dict[str, sqs.CfnQueue]:
        """Dead-letter queues first: a redrive policy names one by its ARN."""
        made: dict[str, sqs.CfnQueue] = {}
        for queue in sorted(self._domain.queues, key=lambda each: each.redrive is not None):
            made[queue.name] = self._queue(queue, made)
        return made

    def _queue(self, queue: Queue, made: Mapping[str, sqs.CfnQueue]) -> sqs.CfnQueue:
        redrive = queue.redrive
        rendered = sqs.CfnQueue(
            self,
            queue.name,
            queue_name=queue.name,
            visibility_timeout=queue.visibility_timeout,
            message_retention_period=queue.retention,
            # CloudFormation takes these two for FIFO queues only, even where they say false.
            fifo_queue=True if queue.fifo else None,
            content_based_deduplication=queue.content_based_deduplication if queue.fifo else None,
            redrive_policy={
                "deadLetterTargetArn": made[redrive.dlq].attr_arn,
                "maxReceiveCount": redrive.max_receive_count,
            }
            if redrive
            else None,
            kms_master_key_id=self._key.key_arn,
            kms_data_key_reuse_period_seconds=DATA_KEY_REUSE,
        )
        rendered.apply_removal_policy(self._removal)
        if redrive is None:
            accept_finding(
                rendered, "AwsSolutions-SQS3", because="It is itself a dead-letter queue."
            )
        return rendered

    def _queue_policies(self, queues: dict[str, sqs.CfnQueue]) -> list[sqs.CfnQueuePolicy]:
        """Who may send, and none without TLS."""
        allowed = {
            policy.queue: queue_policy_document(policy, self._plan.arns)["Statement"]
            for policy in self._plan.topology.queue_policies
        }
        return [
            sqs.CfnQueuePolicy(
                self,
                f"{name}-policy",
                queues=[queue.ref],
                policy_document=policy_of(*allowed.get(name, ()), _without_tls(queue.attr_arn)),
            )
            for name, queue in queues.items()
        ]

    def _log_groups(self) -> list[CfnResource]:
        made: list[CfnResource] = []
        policies = {policy.log_group: policy for policy in self._plan.topology.log_group_policies}
        for group in self._domain.log_groups:
            log_group = logs.CfnLogGroup(
                self,
                group.name,
                log_group_name=group.name,
                retention_in_days=group.retention_days,
                kms_key_id=self._key.key_arn,
            )
            log_group.apply_removal_policy(self._removal)
            made.append(log_group)
            if policy := policies.get(group.name):
                document = log_group_policy_document(policy, self._plan.arns)
                made.append(
                    logs.CfnResourcePolicy(
                        self,
                        f"{group.name}-policy",
                        policy_name=log_group_policy_name(policy),
                        policy_document=Stack.of(self).to_json_string(document),
                    )
                )
        return made

    def _archives(self) -> None:
        for archive in self._domain.archives:
            events.CfnArchive(
                self,
                archive.name,
                archive_name=archive.name,
                source_arn=self._plan.arns.bus(archive.bus),
                retention_days=archive.retention_days,
                event_pattern=archive.pattern.as_json() if archive.pattern else None,
                kms_key_identifier=self._key.key_arn,
            ).apply_removal_policy(self._removal)


def _rule(scope: Construct, rule: Rule, arns: Arns) -> events.CfnRule:
    dlq = events.CfnRule.DeadLetterConfigProperty(arn=arns.queue(rule.dlq)) if rule.dlq else None
    role = _forwarding_role(scope, rule, arns)
    return events.CfnRule(
        scope,
        rule.name,
        name=rule.name,
        event_bus_name=rule.bus,
        event_pattern=rule.pattern.as_json(),
        state="ENABLED",
        targets=[
            events.CfnRule.TargetProperty(
                id=TARGET_ID,
                arn=arns.target(rule.target),
                dead_letter_config=dlq,
                role_arn=role.attr_arn if role else None,
            )
        ],
    )


def _forwarding_role(scope: Construct, rule: Rule, arns: Arns) -> iam.CfnRole | None:
    """The role with which EventBridge puts this rule's events on the other bus; no more."""
    if rule.role is None:
        return None
    return iam.CfnRole(
        scope,
        rule.role,
        role_name=rule.role,
        assume_role_policy_document=policy_of(
            {
                "Effect": "Allow",
                "Principal": {"Service": EVENTBRIDGE},
                "Action": "sts:AssumeRole",
                "Condition": {"ArnEquals": {"aws:SourceArn": arns.rule(rule)}},
            }
        ),
        policies=[
            iam.CfnRole.PolicyProperty(
                policy_name="PutEvents",
                policy_document=policy_of(
                    {
                        "Effect": "Allow",
                        "Action": "events:PutEvents",
                        "Resource": arns.target(rule.target),
                    }
                ),
            )
        ],
    )


def _without_tls(queue_arn: str) -> Document:
    """Nobody may do anything."""
    return {
        "Sid": "NobodyMayWithoutTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": queue_arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
