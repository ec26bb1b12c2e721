"""Moves each bus's events to that bus's log group: `python -m local.tap`.

MiniStack accepts CloudWatch Logs targets and writes nothing. With the tap, whatever reads the logs
is the same on a laptop and on AWS: one line is one event, the full JSON as EventBridge has it.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from infra.taps import Tap, taps_of
from infra.topology import TOPOLOGY
from runtime.aws import LONG_POLL_SECONDS, Aws, reaching
from runtime.errors import Unavailable
from runtime.logs import configure
from runtime.metrics import new_registry
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop, unless_stopped
from runtime.process.worker import main, run_worker
from runtime.retry import backoff
from runtime.settings import AwsSettings, WorkerSettings, load
from runtime.sqs.queue import MAX_BATCH, delete_batch, find_url

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

LOG_STREAM = "local-tap"

log = structlog.get_logger(__name__)


class TapSettings(AwsSettings, WorkerSettings):
    pass


def run() -> None:
    """Tap every bus until SIGTERM; raises Misconfigured for a missing setting or queue."""
    settings = load(TapSettings)
    configure(level=settings.log_level, form=settings.log_format, process="tap")
    aws = Aws.of(settings)
    sqs, logs = aws.client("sqs"), aws.client("logs")
    taps = taps_of(TOPOLOGY)
    stop, readiness = Stop(), Readiness(*(tap.queue for tap in taps))

    def prepare() -> dict[str, Callable[[], None]]:
        return {
            tap.queue: BusTap(sqs, logs, tap, find_url(sqs, tap.queue), stop, readiness).run
            for tap in taps
        }

    run_worker(settings, prepare=prepare, stop=stop, readiness=readiness, registry=new_registry())


@dataclass(frozen=True)
class BusTap:
    """One queue to one log group, at least once: a message is deleted after its line is written."""

    sqs: "SQSClient"
    logs: "CloudWatchLogsClient"
    tap: Tap
    queue_url: str
    stop: Stop
    readiness: Readiness

    def run(self) -> None:
        """Move events until a stop is requested; an outage is waited out."""
        failures = 0
        while not self.stop.requested:
            try:
                self._ensure_stream()
                self.readiness.up(self.tap.queue)
                while not self.stop.requested:
                    self._move(self._poll())
                    failures = 0
            except Unavailable as error:
                failures += 1
                self.readiness.down(self.tap.queue, str(error))
                log.warning("waiting", bus=self.tap.bus, reason=str(error))
                self.stop.wait(backoff(failures, first=0.25, longest=10))

    def _ensure_stream(self) -> None:
        exists = self.logs.exceptions.ResourceAlreadyExistsException
        with reaching("CloudWatch Logs"), suppress(exists):
            self.logs.create_log_stream(logGroupName=self.tap.log_group, logStreamName=LOG_STREAM)

    def _poll(self) -> "list[MessageTypeDef]":
        """Receive from a thread of its own, which a stop abandons.

        A long poll cannot be cut short, and Ctrl-C should not take 20 seconds. What an abandoned
        poll still receives is seen again after the queue's visibility timeout.
        """
        name = f"poll of {self.tap.queue}"
        return unless_stopped(self.stop, self._receive, thread=name) or []

    def _receive(self) -> "list[MessageTypeDef]":
        with reaching("SQS"):
            return self.sqs.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=MAX_BATCH,
                WaitTimeSeconds=LONG_POLL_SECONDS,
                MessageSystemAttributeNames=["SentTimestamp"],
            ).get("Messages", [])

    def _move(self, messages: "list[MessageTypeDef]") -> None:
        if messages:
            self._write(messages)
            self._delete(messages)

    def _write(self, messages: "list[MessageTypeDef]") -> None:
        """MiniStack takes the lines in any order and of any size."""
        with reaching("CloudWatch Logs"):
            self.logs.put_log_events(
                logGroupName=self.tap.log_group,
                logStreamName=LOG_STREAM,
                logEvents=[log_event(message) for message in messages],
            )

    def _delete(self, messages: "list[MessageTypeDef]") -> None:
        handles = [message["ReceiptHandle"] for message in messages]
        if left := delete_batch(self.sqs, self.queue_url, handles):
            log.warning("lines may come twice", bus=self.tap.bus, messages=len(left))


def log_event(message: "MessageTypeDef") -> "InputLogEventTypeDef":
    """The line of a message: its body as it is, at the event's time (or when it was sent)."""
    return {"timestamp": _timestamp(message), "message": message["Body"]}


def _timestamp(message: "MessageTypeDef") -> int:
    try:
        time = datetime.fromisoformat(json.loads(message["Body"])["time"])
    except (ValueError, KeyError, TypeError):
        return int(message.get("Attributes", {}).get("SentTimestamp", "0"))
    return round(time.replace(tzinfo=time.tzinfo or UTC).timestamp() * 1000)


if __name__ == "__main__":
    main({"": run})
