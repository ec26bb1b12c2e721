"""One page that tells the story from left to right: a request, its outbox, its bus, the queues."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.aws import metrics
from infra.aws.plan import Plan, workloads_of
from infra.resources import Domain

WIDGET_HEIGHT, WIDGET_WIDTH = 7, 4
"""Of a widget, on a dashboard's grid of 24 columns: six steps side by side."""


def dashboard(
    scope: Construct, plan: Plan, domains: Sequence[Domain], apis: Mapping[str, apigateway.HttpApi]
) -> None:
    """Make it: a row for each domain of an account; `apis` has each domain's door."""
    rows = [_row(plan, domain, apis[domain.name]) for domain in domains]
    cloudwatch.Dashboard(
        Construct(scope, "Dashboard"),
        "Dashboard",
        dashboard_name=scope.node.id,
        widgets=[widgets for row in rows for widgets in row],
    )


def _row(plan: Plan, domain: Domain, api: apigateway.HttpApi) -> list[list[cloudwatch.IWidget]]:
    """A heading, and then the domain's six steps."""
    heading = cloudwatch.TextWidget(
        markdown=f"## {domain.name}: request → outbox → bus → queues → consumer → dead letters",
        width=6 * WIDGET_WIDTH,
        height=1,
    )
    processes = workloads_of(domain)
    work = [queue.name for queue in domain.queues if queue.redrive]
    dead = [queue.name for queue in domain.queues if not queue.redrive]
    return [
        [heading],
        [
            _graph(
                "Requests, and p99 in ms",
                [metrics.requests(api), metrics.server_errors(api)],
                [metrics.of_api(api, "Latency", "p99")],
            ),
            _graph(
                "Outbox: oldest row in s, and stream's age in ms",
                [metrics.oldest_row(each.name) for each in processes if each.relays_outbox],
                [metrics.iterator_age(each.name) for each in processes if each.empties],
            ),
            _graph(
                "Bus: delivered by rule, and never delivered",
                [metrics.of_rule(rule, "Invocations") for rule in domain.rules],
                [metrics.of_rule(rule, "FailedInvocations") for rule in domain.rules],
            ),
            _graph(
                "Queues: waiting, and oldest in s",
                [metrics.waiting(queue) for queue in work],
                [metrics.oldest_message(queue) for queue in work],
            ),
            _graph(
                "Handled, and processor in %",
                [metrics.of_queue(queue, "NumberOfMessagesDeleted", "Sum") for queue in work],
                [
                    metrics.processor(plan.cluster_name, each.name)
                    for each in processes
                    if not each.empties
                ],
            ),
            _graph("Dead letters", [metrics.waiting(queue) for queue in dead]),
        ],
    ]


def _graph(
    title: str,
    left: Sequence[cloudwatch.IMetric],
    right: Sequence[cloudwatch.IMetric] = (),
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=list(left),
        right=list(right),
        width=WIDGET_WIDTH,
        height=WIDGET_HEIGHT,
        left_y_axis=cloudwatch.YAxisProps(min=0),
        right_y_axis=cloudwatch.YAxisProps(min=0),
        legend_position=cloudwatch.LegendPosition.BOTTOM,
    )
