"""Moves each bus's events to that bus's log group: `python -m local.tap`.

MiniStack accepts CloudWatch Logs targets and writes nothing. With the tap, whatever reads the logs
is the same on a laptop and on AWS: one line is one event, the full JSON as EventBridge has it.
Where an emulator writes them, the first event's line says so, and the tap writes none.
"""

import runtime.imports  # noqa: F401, I001 (first)

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
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

WRITTEN_WITHIN = 1.0
"""Seconds in which an emulator that writes log groups has written an event that the queue has."""

LINE_CHECK_INTERVAL = 0.1
"""Seconds between two looks for that line."""

log = structlog.get_logger(__name__)


class TapSettings(AwsSettings, WorkerSettings):
    pass


def run() -> None:
    """Tap every bus until SIGTERM; raises Misconfigured for a missing setting or queue."""
    settings = load(TapSettings)
    configure(level=settings.log_level, form=settings.log_format, process="tap")
    aws = Aws.of(settings)
    sqs, logs = aws.client("sqs"), aws.client("logs")
    taps, targets = taps_of(TOPOLOGY), LogTargets()
    stop, readiness = Stop(), Readiness(*(tap.queue for tap in taps))

    def prepare() -> dict[str, Callable[[], None]]:
        return {
            tap.queue: BusTap(
                sqs, logs, tap, find_url(sqs, tap.queue), stop, readiness, targets
            ).run
            for tap in taps
        }

    run_worker(settings, prepare=prepare, stop=stop, readiness=readiness, registry=new_registry())


class LogTargets:
    """Whether the emulator itself writes what a rule sends to a log group; asked once."""

    def __init__(self) -> None:
        self._asking = Lock()
        self._work: bool | None = None

    def work(self, ask: Callable[[], bool | None]) -> bool | None:
        """Give the answer, which `ask` finds where it is not known yet; the others wait for it.

        None where `ask` could not find it: the next one asks again.
        """
        with self._asking:
            if self._work is None:
                self._work = ask()
                log.info("asked whether the emulator writes log groups", answer=self._work)
            return self._work


@dataclass(frozen=True)
class BusTap:
    """One queue to one log group, at least once: a message is deleted after its line is written."""

    sqs: "SQSClient"
    logs: "CloudWatchLogsClient"
    tap: Tap
    queue_url: str
    stop: Stop
    readiness: Readiness
    targets: LogTargets

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
        if not messages:
            return
        works = self.targets.work(lambda: self._is_written(messages[0]))
        if works is None:
            return  # a stop was requested: they are received again after that
        if not works:
            self._write(messages)
        self._delete(messages)

    def _is_written(self, message: "MessageTypeDef") -> bool | None:
        """Wait for a line with this event that is not of a tap; None where a stop comes first."""
        deadline = time.monotonic() + WRITTEN_WITHIN
        while not (found := self._has_line(message)) and time.monotonic() < deadline:
            if self.stop.wait(LINE_CHECK_INTERVAL):
                return None
        return found

    def _has_line(self, message: "MessageTypeDef") -> bool:
        event = _envelope_id(message["Body"])
        with reaching("CloudWatch Logs"):
            pages = self.logs.get_paginator("filter_log_events").paginate(
                logGroupName=self.tap.log_group, startTime=_timestamp(message)
            )
            return any(
                line["logStreamName"] != LOG_STREAM and _envelope_id(line["message"]) == event
                for page in pages
                for line in page["events"]
            )

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


def _envelope_id(text: str) -> object:
    """What EventBridge calls an event; a text that does not say so names itself."""
    try:
        return json.loads(text)["id"]
    except (ValueError, KeyError, TypeError):
        return text


def _timestamp(message: "MessageTypeDef") -> int:
    try:
        when = datetime.fromisoformat(json.loads(message["Body"])["time"])
    except (ValueError, KeyError, TypeError):
        return int(message.get("Attributes", {}).get("SentTimestamp", "0"))
    return round(when.replace(tzinfo=when.tzinfo or UTC).timestamp() * 1000)


if __name__ == "__main__":
    main({"": run})
