"""What AWS measures of our resources, by their names: alarms and the dashboard read the same."""

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.aws.plan import SYSTEM
from infra.resources import Rule

MINUTE = Duration.minutes(1)

METRIC_NAMESPACE = SYSTEM
"""Of the metrics that are ours, made from our logs."""


def waiting(queue: str) -> cloudwatch.Metric:
    """Messages that no consumer has received."""
    return of_queue(queue, "ApproximateNumberOfMessagesVisible", "Maximum")


def oldest_message(queue: str) -> cloudwatch.Metric:
    """Seconds."""
    return of_queue(queue, "ApproximateAgeOfOldestMessage", "Maximum")


def iterator_age(function: str) -> cloudwatch.Metric:
    """Milliseconds that the newest record read had waited in the stream."""
    return of_function(function, "IteratorAge", "Maximum")


def oldest_row(relay: str) -> cloudwatch.Metric:
    """Seconds: the age of what a relay's last sweep found left behind in its outbox."""
    return _metric(METRIC_NAMESPACE, _oldest_row(relay), "Maximum", relay)


def processor(cluster: str, service: str, statistic: str = "Average") -> cloudwatch.Metric:
    """Percent of what a service's tasks have; its SampleCount says whether there are any."""
    dimensions = {"ClusterName": cluster, "ServiceName": service}
    return _metric("AWS/ECS", "CPUUtilization", statistic, service, **dimensions)


def requests(api: apigateway.HttpApi) -> cloudwatch.Metric:
    return of_api(api, "Count", "Sum")


def server_errors(api: apigateway.HttpApi) -> cloudwatch.Metric:
    return of_api(api, "5xx", "Sum")


def measure_oldest_row(scope: Construct, relay: str, log_group: logs.ILogGroup) -> None:
    """Make the metric `oldest_row` of the lines in which a sweep or a gauge logs what it found."""
    logs.CfnMetricFilter(
        scope,
        f"{relay}-oldest-row",
        log_group_name=log_group.log_group_name,
        filter_pattern="{ $.oldestAgeSeconds >= 0 }",
        metric_transformations=[
            logs.CfnMetricFilter.MetricTransformationProperty(
                metric_namespace=METRIC_NAMESPACE,
                metric_name=_oldest_row(relay),
                metric_value="$.oldestAgeSeconds",
                default_value=0,
                unit="Seconds",
            )
        ],
    )


def _oldest_row(relay: str) -> str:
    return f"{relay}-oldest-row"


def of_primary(cluster: str, name: str, statistic: str) -> cloudwatch.Metric:
    """Of the instance of DocumentDB that all processes use, whichever of the cluster it is."""
    dimensions = {"DBClusterIdentifier": cluster, "Role": "WRITER"}
    return _metric("AWS/DocDB", name, statistic, cluster, **dimensions)


def of_queue(queue: str, name: str, statistic: str) -> cloudwatch.Metric:
    return _metric("AWS/SQS", name, statistic, queue, QueueName=queue)


def of_function(function: str, name: str, statistic: str) -> cloudwatch.Metric:
    return _metric("AWS/Lambda", name, statistic, function, FunctionName=function)


def of_rule(rule: Rule, name: str) -> cloudwatch.Metric:
    return _metric("AWS/Events", name, "Sum", rule.name, EventBusName=rule.bus, RuleName=rule.name)


def of_api(api: apigateway.HttpApi, name: str, statistic: str) -> cloudwatch.Metric:
    return _metric("AWS/ApiGateway", name, statistic, name, ApiId=api.api_id)


def _metric(
    namespace: str, name: str, statistic: str, label: str, **dimensions: str
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=MINUTE,
        label=label,
    )
