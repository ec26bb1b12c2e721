"""The relay of a DynamoDB outbox as two Lambda functions: one follows the stream, one sweeps."""

from collections.abc import Mapping

from aws_cdk import Duration, Tags
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.aws.functions import image_function
from infra.aws.grants import allow
from infra.aws.grounds import Grounds
from infra.aws.reviewed import accept_finding
from infra.workloads import Workload

PUBLISH_TIMEOUT, SWEEP_TIMEOUT = Duration.seconds(240), Duration.seconds(230)
"""Longer than the slowest answer that is waited for; a sweep is over before the next starts."""

BATCH_SIZE = 100
"""Records: ten calls of PutEvents, several at a time."""

RETRIES, MOST_RECORD_AGE = 10, Duration.minutes(2)
"""Then the batch goes to the dead-letter queue; its rows stay in the outbox, for the sweep."""

RETRY_HORIZON = Duration.seconds(MOST_RECORD_AGE.to_seconds() + PUBLISH_TIMEOUT.to_seconds())
"""The age of a row that `publish` has given up for certain: the sweep leaves all younger ones."""

SWEEP_EVERY = Duration.minutes(4)

QUIET = {"LOG_LEVEL": "WARNING"}
"""Of the function that publishes: what it has published is in the bus's log, event by event."""

ONE_SWEEP = 1
"""Concurrency: a second sweep beside the first would find the same rows."""


class Relay(Construct):
    """Both functions run the relay's own code, with the relay's own permissions."""

    def __init__(
        self, scope: Construct, workload: Workload, grounds: Grounds, stream_arn: str
    ) -> None:
        super().__init__(scope, workload.name)
        Tags.of(self).add("service", workload.name)
        name, outbox, arns = workload.name, workload.settings["OUTBOX_TABLE"], grounds.plan.arns
        self.publish = Function(
            self,
            name,
            workload,
            grounds,
            handler="publish",
            timeout=PUBLISH_TIMEOUT,
            reserved=grounds.plan.stage.relay_concurrency,
            settings=QUIET,
        )
        _let_read(self.publish, stream_arn, f"{arns.table(outbox)}/stream/*")
        self.sweep = Function(
            self,
            name.replace("-relay", "-sweep"),
            workload,
            grounds,
            handler="sweep",
            timeout=SWEEP_TIMEOUT,
            settings={"SWEEP_MIN_AGE_SECONDS": f"{RETRY_HORIZON.to_seconds():g}"},
            reserved=ONE_SWEEP if grounds.plan.stage.relay_concurrency else None,
        )
        # The next sweep does what one that failed has left: none is run again, or waits for long.
        self.sweep.function.configure_async_invoke(retry_attempts=0, max_event_age=SWEEP_EVERY)
        self.sweep.role.add_to_policy(allow(["dynamodb:Scan"], arns.table(outbox)))
        # Where the relay itself puts what can never be published, too.
        self._follow(stream_arn, arns.queue(workload.settings["DEAD_LETTER_QUEUE"]))
        events.Rule(
            self,
            "Schedule",
            description=f"Sweeps {outbox}",
            schedule=events.Schedule.rate(SWEEP_EVERY),
            targets=[targets.LambdaFunction(self.sweep.function, retry_attempts=0)],
        )

    def start_after(self, *others: Construct) -> None:
        for function in (self.publish.function, self.sweep.function):
            function.node.add_dependency(*others)

    def _follow(self, stream_arn: str, dlq_arn: str) -> None:
        dlq = sqs.Queue.from_queue_arn(self, "Dlq", dlq_arn)
        lambda_.EventSourceMapping(
            self,
            "Stream",
            target=self.publish.function,
            event_source_arn=stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            filters=[
                lambda_.FilterCriteria.filter({"eventName": lambda_.FilterRule.is_equal("INSERT")})
            ],
            batch_size=BATCH_SIZE,
            bisect_batch_on_error=True,
            retry_attempts=RETRIES,
            max_record_age=MOST_RECORD_AGE,
            report_batch_item_failures=True,
            on_failure=event_sources.SqsDlq(dlq),
        )


class Function(Construct):
    """One function from the one image, with a role and a log group of its own."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        workload: Workload,
        grounds: Grounds,
        *,
        handler: str,
        timeout: Duration,
        reserved: int | None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, name)
        self.name = name
        self.role = grounds.role(self, name, "lambda.amazonaws.com", workload)
        self.function = image_function(
            self,
            name,
            grounds,
            handler=f"relay.aws_lambda.{handler}",
            role=self.role,
            environment={**grounds.settings(workload), **(settings or {})},
            timeout=timeout,
            reserved=reserved,
        )
        self.log_group = self.function.log_group


def _let_read(function: Function, stream_arn: str, any_stream_arn: str) -> None:
    """What Lambda's poller does, with the function's role."""
    reading = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    function.role.add_to_policy(allow(reading, stream_arn))
    function.role.add_to_policy(allow(["dynamodb:ListStreams"], any_stream_arn))
    accept_finding(
        function.role,
        f"AwsSolutions-IAM5[Resource::{any_stream_arn}]",
        because=(
            "dynamodb:ListStreams, which Lambda asks for before it follows a stream, is of all"
            " streams of one table; it lists names. Reading is allowed on the one stream alone."
        ),
    )
