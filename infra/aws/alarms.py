"""What wakes a person: each alarm says what is wrong, and docs/operations.md what to do."""

from aws_cdk import CfnResource, Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.aws import metrics
from infra.aws.plan import Plan
from infra.aws.relays import Relay
from infra.aws.tasks import Task
from infra.resources import Domain
from infra.workloads import Consumes, Workload

MOST_MESSAGE_AGE = 300
"""Seconds in a work queue; a message takes milliseconds, and 30 s after its consumer's death."""

MOST_ROW_AGE = 180
"""Seconds in the outbox of a daemon, whose sweep takes what is half a minute old."""

MOST_SWEPT_AGE = 900
"""Seconds in the outbox of functions: the sweep takes what `publish` has given up, after its
RETRY_HORIZON, every SWEEP_EVERY."""

MOST_ITERATOR_AGE = 60_000
"""Milliseconds behind the stream's end."""

FIVE_MINUTES = Duration.minutes(5)
ERROR_RATE = 1
"""Percent of the requests of five minutes that end in 5xx."""

SILENCE = 3
"""Minutes without a sign of life; a deployment or a restart takes one or two."""

SWEEP_SILENCE = 10
"""Minutes without a sweep: one comes every four."""


class UnwatchedServiceError(Exception):
    """A release of a service is to be rolled back by alarms, and none says how the service does."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"workload {name}: a release of it that fails could not be rolled back, for no alarm"
            " watches its health; have it serve a path, consume a queue or relay an outbox"
            " (infra/domains), or watch it in infra/aws/alarms.py"
        )


class Alarms(Construct):
    """The alarms of one domain, all to one topic, which hears of their end too.

    Alarms cost money by the metric. Those of a protected stage alone watch what shows elsewhere
    later or less plainly: as dead letters, as old rows, in logs.
    """

    def __init__(self, scope: Construct, plan: Plan, topic: sns.ITopic) -> None:
        super().__init__(scope, "Alarms")
        self._plan = plan
        self._action = actions.SnsAction(topic)
        self._made: dict[str, cloudwatch.Alarm] = {}

    def health_of(self, workload: Workload, domain: Domain) -> dict[str, CfnResource]:
        """The alarms that go off while a release does harm, by name; of those made so far.

        Raises UnwatchedServiceError.
        """
        consumed = {use.queue for use in workload.uses if isinstance(use, Consumes)}
        names = [f"{workload.path}-5xx"] if workload.path else []
        names += [f"{workload.name}-oldest-row"] if workload.relays_outbox else []
        for queue in domain.queues:
            if queue.redrive and queue.name in consumed:
                names += [f"{queue.name}-too-old", f"{queue.redrive.dlq}-not-empty"]
        if not names:
            raise UnwatchedServiceError(workload.name)
        return {self._named(name): _rendered(self._made[name]) for name in names}

    def watch_queues(self, domain: Domain) -> None:
        for queue in domain.queues:
            if queue.redrive is None:
                self._add(
                    f"{queue.name}-not-empty",
                    metrics.waiting(queue.name),
                    f"Something could not be delivered or handled: read {queue.name}.",
                    threshold=1,
                )
            else:
                self._add(
                    f"{queue.name}-too-old",
                    metrics.oldest_message(queue.name),
                    f"Messages wait in {queue.name}: is its consumer ready?",
                    threshold=MOST_MESSAGE_AGE,
                )

    def watch_rules(self, domain: Domain) -> None:
        if not self._plan.stage.protected:
            return
        for bus in domain.buses:
            self._add(
                f"{bus.name}-failed-invocations",
                metrics.of_every_rule(bus.name, "FailedInvocations"),
                f"Rules of {bus.name} cannot deliver: which, the dashboard says.",
                threshold=1,
            )
            self._add(
                f"{bus.name}-dlq-unreachable",
                metrics.of_every_rule(bus.name, "InvocationsFailedToBeSentToDlq"),
                f"Events of {bus.name} are lost: neither target nor dead-letter queue takes them.",
                threshold=1,
            )

    def watch_tables(self, domain: Domain) -> None:
        throttles = [metric for table in domain.tables for metric in metrics.throttles(table)]
        if throttles and self._plan.stage.protected:
            self._add(
                f"{domain.name}-throttled",
                metrics.total(throttles, "requests that DynamoDB refused"),
                f"DynamoDB refuses requests to tables of {domain.name}: it grows within minutes.",
                threshold=1,
            )

    def watch_task(self, cluster: str, task: Task) -> None:
        name = task.name
        self._add(f"{name}-gone", metrics.running(cluster, name), f"No task of {name} runs.")

    def watch_outbox(self, relay: str, *, is_function: bool) -> None:
        oldest = metrics.oldest_row(relay)
        self._add(
            f"{relay}-oldest-row",
            oldest.with_(period=FIVE_MINUTES) if is_function else oldest,
            f"Events stay in the outbox of {relay}: is it running, and does its target take them?",
            threshold=MOST_SWEPT_AGE if is_function else MOST_ROW_AGE,
        )

    def watch_relay(self, relay: Relay) -> None:
        publish, sweep = relay.publish.name, relay.sweep.name
        for name in (publish, sweep):
            self._add(
                f"{name}-errors",
                metrics.of_function(name, "Errors", "Sum"),
                f"{name} failed: nothing is lost, its log says why.",
                threshold=1,
            )
        self._add(
            f"{publish}-behind",
            metrics.iterator_age(publish),
            f"{publish} cannot keep up with its stream, or cannot publish.",
            threshold=MOST_ITERATOR_AGE,
        )
        self._add(
            f"{sweep}-gone",
            metrics.of_function(sweep, "Invocations", "Sum"),
            f"{sweep} does not run: what the stream has missed stays in the outbox.",
            silence=SWEEP_SILENCE,
        )
        if self._plan.stage.protected:
            throttles = [metrics.of_function(each, "Throttles", "Sum") for each in (publish, sweep)]
            self._add(
                f"{publish}-throttled",
                metrics.total(throttles, "invocations that Lambda refused"),
                f"Lambda has no concurrency left for {publish}: see relayConcurrency in cdk.json.",
                threshold=1,
            )

    def watch_api(self, name: str, api: apigateway.HttpApi) -> None:
        rate = cloudwatch.MathExpression(
            expression="100 * errors / requests",
            using_metrics={
                "errors": metrics.server_errors(api).with_(period=FIVE_MINUTES),
                "requests": metrics.requests(api).with_(period=FIVE_MINUTES),
            },
            period=FIVE_MINUTES,
            label="percent of requests that failed",
        )
        self._add(
            f"{name}-5xx",
            rate,
            f"The API of {name} fails: its access log and the log of its tasks say why.",
            threshold=ERROR_RATE,
        )

    def _add(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        description: str,
        *,
        threshold: float | None = None,
        silence: int = SILENCE,
    ) -> None:
        """Goes off at the threshold; without one, after `silence` minutes of nothing to measure."""
        gone = threshold is None
        comparison, missing = cloudwatch.ComparisonOperator, cloudwatch.TreatMissingData
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=self._named(name),
            alarm_description=description,
            metric=metric,
            threshold=1 if threshold is None else threshold,
            comparison_operator=comparison.LESS_THAN_THRESHOLD
            if gone
            else comparison.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=silence if gone else 1,
            treat_missing_data=missing.BREACHING if gone else missing.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
        self._made[name] = alarm

    def _named(self, name: str) -> str:
        return self._plan.stack_name(name.replace(".", "-"))


def _rendered(alarm: cloudwatch.Alarm) -> CfnResource:
    rendered = alarm.node.default_child
    assert isinstance(rendered, CfnResource)  # noqa: S101 (for mypy)
    return rendered
