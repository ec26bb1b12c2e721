"""What wakes a person: each alarm says what is wrong, and docs/operations.md what to do."""

from dataclasses import dataclass

from aws_cdk import Duration
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

MOST_MESSAGE_AGE = 300
"""Seconds in a work queue; a message takes milliseconds, and 30 s after its consumer's death."""

MOST_ROW_AGE = 180
"""Seconds in an outbox; a sweep a minute takes what is half a minute old."""

MOST_ITERATOR_AGE = 60_000
"""Milliseconds behind the stream's end."""

FIVE_MINUTES = Duration.minutes(5)
ERROR_RATE = 1
"""Percent of the requests of five minutes that end in 5xx."""

SILENCE = 3
"""Minutes without a sign of life; a deployment or a restart takes one or two."""


@dataclass(frozen=True)
class AlarmRule:
    """When an alarm goes off: at `threshold` or above (`below`: under it), for `periods` periods.

    A period is the metric's own; `silence` is what no measurement means.
    """

    threshold: float
    periods: int = 1
    silence: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING
    below: bool = False


class Alarms(Construct):
    """The alarms of one domain, all to one topic, which hears of their end too."""

    def __init__(self, scope: Construct, plan: Plan, topic: sns.ITopic) -> None:
        super().__init__(scope, "Alarms")
        self._plan = plan
        self._action = actions.SnsAction(topic)

    def watch_queues(self, domain: Domain) -> None:
        for queue in domain.queues:
            if queue.redrive is None:
                self._add(
                    f"{queue.name}-not-empty",
                    metrics.waiting(queue.name),
                    AlarmRule(1),
                    f"Something could not be delivered or handled: read {queue.name}.",
                )
            else:
                self._add(
                    f"{queue.name}-too-old",
                    metrics.oldest_message(queue.name),
                    AlarmRule(MOST_MESSAGE_AGE),
                    f"Messages wait in {queue.name}: is its consumer ready?",
                )

    def watch_task(self, cluster: str, task: Task) -> None:
        name = task.name
        self._add(
            f"{name}-gone",
            metrics.processor(cluster, name, "SampleCount"),
            _no_sign_of_life(),
            f"No task of {name} runs.",
        )

    def watch_outbox(self, relay: str) -> None:
        self._add(
            f"{relay}-oldest-row",
            metrics.oldest_row(relay),
            AlarmRule(MOST_ROW_AGE),
            f"Events stay in the outbox of {relay}: is it running, and does its target take them?",
        )

    def watch_relay(self, relay: Relay) -> None:
        for function in (relay.publish, relay.sweep):
            self._add(
                f"{function.name}-errors",
                metrics.errors(function.name),
                AlarmRule(1),
                f"{function.name} failed: nothing is lost, its log says why.",
            )
        self._add(
            f"{relay.publish.name}-behind",
            metrics.iterator_age(relay.publish.name),
            AlarmRule(MOST_ITERATOR_AGE),
            f"{relay.publish.name} cannot keep up with its stream, or cannot publish.",
        )
        self._add(
            f"{relay.sweep.name}-gone",
            metrics.invocations(relay.sweep.name),
            _no_sign_of_life(),
            f"{relay.sweep.name} does not run: what the stream has missed stays in the outbox.",
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
            AlarmRule(ERROR_RATE),
            f"The API of {name} fails: its access log and the log of its tasks say why.",
        )

    def _add(
        self, name: str, metric: cloudwatch.IMetric, watch: AlarmRule, description: str
    ) -> None:
        comparison = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=self._plan.stack_name(name.replace(".", "-")),
            alarm_description=description,
            metric=metric,
            threshold=watch.threshold,
            comparison_operator=comparison.LESS_THAN_THRESHOLD
            if watch.below
            else comparison.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=watch.periods,
            treat_missing_data=watch.silence,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)


def _no_sign_of_life() -> AlarmRule:
    return AlarmRule(1, SILENCE, cloudwatch.TreatMissingData.BREACHING, below=True)
