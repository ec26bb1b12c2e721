"""Services that grow with their work: APIs by CPU and requests, consumers by backlog per task."""

from collections.abc import Mapping, Sequence
from functools import partial

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs

from infra.aws import metrics
from infra.scaling import scaling_of
from infra.workloads import Consumes, Workload

OUT_AFTER, IN_AFTER = Duration.minutes(1), Duration.minutes(5)
"""From one change to the next: a task more comes soon, one that is over goes late."""

SECONDS_A_MINUTE = 60

Policy = autoscaling.CfnScalingPolicy


def scale(
    service: ecs.FargateService,
    workload: Workload,
    tasks: cloudwatch.Metric,
    api: apigateway.HttpApi | None,
) -> None:
    """Keep a service's tasks at their targets; `tasks` measures how many run.

    Each target is tracked by two alarms, which Application Auto Scaling makes and AWS bills.
    """
    scaling = scaling_of(workload)
    if scaling.is_fixed:
        return
    target = service.auto_scale_task_count(min_capacity=scaling.least, max_capacity=scaling.most)
    track = partial(_track, service, tasks)
    if scaling.processor:
        target.scale_on_cpu_utilization(
            "Processor",
            target_utilization_percent=scaling.processor,
            scale_out_cooldown=OUT_AFTER,
            scale_in_cooldown=IN_AFTER,
        )
    if scaling.requests and api:
        track("Requests", [metrics.requests(api)], scaling.requests * SECONDS_A_MINUTE)
    if scaling.backlog:
        queues = [use.queue for use in workload.uses if isinstance(use, Consumes)]
        track("Backlog", [metrics.waiting(queue) for queue in queues], scaling.backlog)


def _track(
    service: ecs.FargateService,
    tasks: cloudwatch.Metric,
    name: str,
    work: Sequence[cloudwatch.Metric],
    value: int,
) -> None:
    """Track the sum of some metrics for each task: CDK's own construct takes no expression.

    A metric that is silent counts as 0; without any task there is nothing to divide by, and the
    number of tasks stays.
    """
    target = service.node.find_child("TaskCount").node.find_child("Target")
    assert isinstance(target, autoscaling.ScalableTarget)  # noqa: S101 (for mypy)
    measured = {f"work{number}": metric for number, metric in enumerate(work)}
    total = " + ".join(f"FILL({each}, 0)" for each in measured)
    Policy(
        target,
        name,
        policy_name=f"{service.service_name}-{name.lower()}",
        policy_type="TargetTrackingScaling",
        scaling_target_id=target.scalable_target_id,
        target_tracking_scaling_policy_configuration=Policy.TargetTrackingScalingPolicyConfigurationProperty(
            target_value=value,
            scale_out_cooldown=OUT_AFTER.to_seconds(),
            scale_in_cooldown=IN_AFTER.to_seconds(),
            customized_metric_specification=Policy.CustomizedMetricSpecificationProperty(
                metrics=[
                    *_queries({**measured, "tasks": tasks}),
                    Policy.TargetTrackingMetricDataQueryProperty(
                        id="each", expression=f"({total}) / tasks", return_data=True
                    ),
                ]
            ),
        ),
    )


def _queries(
    named: Mapping[str, cloudwatch.Metric],
) -> list[Policy.TargetTrackingMetricDataQueryProperty]:
    """Each metric by its minute, which is the period that Application Auto Scaling takes."""
    return [
        Policy.TargetTrackingMetricDataQueryProperty(
            id=name,
            metric_stat=Policy.TargetTrackingMetricStatProperty(
                metric=Policy.TargetTrackingMetricProperty(
                    namespace=metric.namespace,
                    metric_name=metric.metric_name,
                    dimensions=[
                        Policy.TargetTrackingMetricDimensionProperty(name=key, value=value)
                        for key, value in (metric.dimensions or {}).items()
                    ],
                ),
                stat=metric.statistic,
            ),
            return_data=False,
        )
        for name, metric in named.items()
    ]
