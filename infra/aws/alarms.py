"""What wakes a person: each alarm says what is wrong, and docs/operations.md what to do."""

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.aws import metrics
from infra.aws.documents import Documents
from infra.aws.plan import Plan
from infra.aws.relays import Relay
from infra.aws.tasks import Task
from infra.resources import Domain

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

DOCUMENTDB = "documentdb"
"""What the names of its alarms begin with: one domain has one."""

NEARLY_ALL = 0.8
"""The share of a quota of DocumentDB that is open: what is over the quota is refused."""

BUSY = 80
"""Percent of DocumentDB's processor, over five minutes."""

SILENCE = 3
"""Minutes without a sign of life; a deployment or a restart takes one or two."""

SWEEP_SILENCE = 10
"""Minutes without a sweep: one comes every four."""


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

    def watch_task(self, cluster: str, task: Task) -> None:
        name = task.name
        alive = metrics.processor(cluster, name, "SampleCount")
        self._add(f"{name}-gone", alive, f"No task of {name} runs.")

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

    def watch_documents(self, documents: Documents) -> None:
        """What its primary has open, of what its class allows; its processor, and its memory."""
        quotas = documents.document_db.quotas
        for what, metric, quota in (
            ("transactions", "TransactionsOpenMax", quotas.transactions),
            ("cursors", "DatabaseCursorsMax", quotas.cursors),
            ("connections", "DatabaseConnections", quotas.connections),
        ):
            self._add(
                f"{DOCUMENTDB}-{what}-quota",
                metrics.of_primary(documents.name, metric, "Maximum"),
                f"DocumentDB has nearly as many {what} open as its instance allows ({quota}).",
                threshold=NEARLY_ALL * quota,
            )
        self._add(
            f"{DOCUMENTDB}-processor",
            metrics.of_primary(documents.name, "CPUUtilization", "Average").with_(
                period=FIVE_MINUTES
            ),
            "DocumentDB's primary is busy: it needs a larger instance class, or less to do.",
            threshold=BUSY,
        )
        self._add(
            f"{DOCUMENTDB}-memory",
            metrics.of_primary(documents.name, "LowMemNumOperationsThrottled", "Sum"),
            "DocumentDB holds requests back for lack of memory: it needs a larger instance class.",
            threshold=1,
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
            alarm_name=self._plan.stack_name(name.replace(".", "-")),
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
