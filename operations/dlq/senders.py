"""Sends dead letters on, a batch a call, and says of each whether it was accepted."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from operations.dlq.outgoing import Outgoing
from operations.environment import Environment
from operations.sources.origins import BackToQueue, Destination, IntoLog, OutToBus
from runtime.aws import error_code, error_message, reaching
from runtime.batches import Limits
from runtime.custom_event_bus import (
    CUSTOM_BUS_LIMITS,
    CustomEventBusClient,
    find_custom_bus,
)
from runtime.errors import Unavailable
from runtime.eventbridge import PUT_EVENTS_LIMITS, require_bus
from runtime.identifiers import identifier
from runtime.sqs.queue import SEND_LIMITS, find_url

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient


def sender_to(environment: Environment, destination: Destination, *, run: str) -> "Sender":
    """Find where dead letters go; raises Misconfigured if it is not there: no bus says so later.

    `run` is unlike that of any other redrive.
    """
    if isinstance(destination, BackToQueue):
        sqs = environment.aws(environment.topology.domain_of_queue(destination.queue)).client("sqs")
        return WorkQueueSender(sqs, find_url(sqs, destination.queue), run)
    if isinstance(destination, IntoLog):
        domain = environment.topology.domain_of_log_group(destination.log_group)
        return LogGroupSender(environment.aws(domain).client("logs"), destination.log_group)
    aws = environment.aws(environment.topology.domain_of_bus(destination.bus))
    if environment.has_custom_buses and isinstance(destination, OutToBus):
        custom = aws.client("eventbridgev2")
        return CustomBusSender(custom, find_custom_bus(custom, destination.bus))
    events = aws.client("events")
    require_bus(events, destination.bus)
    return BusSender(events, destination.bus)


@dataclass(frozen=True)
class WorkQueueSender:
    """To a work queue.

    A FIFO queue takes each deduplication id once in five minutes, even if what it took has been
    deleted since: an id of an earlier redrive would be accepted and dropped. So each run has ids
    of its own. What a killed run had sent and not deleted is sent twice, which changes nothing.
    """

    sqs: "SQSClient"
    url: str
    run: str
    limits: Limits = SEND_LIMITS

    def send(self, batch: Sequence[Outgoing]) -> Sequence[str | None]:
        """Send one batch; answers, in order, None for what was accepted, else why it was not.

        Raises Unavailable if nothing is known of the whole batch: it may have been accepted.
        """
        entries: Any = [
            {"Id": str(index), **each.entry, **self._deduplicated(each)}
            for index, each in enumerate(batch)
        ]
        try:
            with reaching("SQS", "SendMessageBatch"):
                answer = self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)
        except (ClientError, Unavailable) as error:
            return _send_individually(self, batch, error)
        failed = {
            int(each["Id"]): _reason(each["Code"], each.get("Message"))
            for each in answer.get("Failed", [])
        }
        taken = {int(each["Id"]) for each in answer.get("Successful", [])}
        return [
            None if index in taken else failed.get(index, "SQS said nothing of it")
            for index in range(len(batch))
        ]

    def _deduplicated(self, outgoing: Outgoing) -> dict[str, str]:
        if "MessageGroupId" not in outgoing.entry:
            return {}
        return {"MessageDeduplicationId": f"{outgoing.dead_letter.message_id}-{self.run}"}


@dataclass(frozen=True)
class BusSender:
    """To an event bus."""

    events: "EventBridgeClient"
    bus: str
    limits: Limits = PUT_EVENTS_LIMITS

    def send(self, batch: Sequence[Outgoing]) -> Sequence[str | None]:
        """Send one batch; see WorkQueueSender."""
        entries: Any = [{"EventBusName": self.bus, **each.entry} for each in batch]
        try:
            with reaching("EventBridge", "PutEvents"):
                answer = self.events.put_events(Entries=entries)
        except (ClientError, Unavailable) as error:
            return _send_individually(self, batch, error)
        return _refusals(answer["Entries"])


REDRIVEN_STREAM = "redriven"
"""Within a log group, beside the streams that EventBridge writes."""

PUT_LOG_EVENTS_LIMITS = Limits(entries=1, total_bytes=1_048_576 - 26)
"""Bytes: CloudWatch Logs, PutLogEvents, which counts 26 more for each line. It would take 10,000
lines in the order of their times; one by one they need none, and each is refused for itself."""


@dataclass(frozen=True)
class LogGroupSender:
    """To a bus's log group, as the line that EventBridge could not write."""

    logs: "CloudWatchLogsClient"
    log_group: str
    limits: Limits = PUT_LOG_EVENTS_LIMITS

    def send(self, batch: Sequence[Outgoing]) -> Sequence[str | None]:
        """Send one batch; see WorkQueueSender. A line of before its retention is refused."""
        exists = self.logs.exceptions.ResourceAlreadyExistsException
        lines: Any = [each.entry for each in batch]
        try:
            with reaching("CloudWatch Logs", "PutLogEvents"):
                with suppress(exists):
                    self.logs.create_log_stream(
                        logGroupName=self.log_group, logStreamName=REDRIVEN_STREAM
                    )
                answer = self.logs.put_log_events(
                    logGroupName=self.log_group, logStreamName=REDRIVEN_STREAM, logEvents=lines
                )
        except (ClientError, Unavailable) as error:
            return _send_individually(self, batch, error)
        refused = answer.get("rejectedLogEventsInfo")
        return [f"its time is refused: {', '.join(refused)}" if refused else None for _ in batch]


@dataclass(frozen=True)
class CustomBusSender:
    """To a Custom Event Bus: in the event's group, and known by its id, as the relay sends it."""

    events: CustomEventBusClient
    arn: str
    limits: Limits = CUSTOM_BUS_LIMITS

    def send(self, batch: Sequence[Outgoing]) -> Sequence[str | None]:
        """Send one batch; see WorkQueueSender."""
        entries = [{**each.entry, "SystemMetadata": _system_metadata(each)} for each in batch]
        try:
            with reaching("EventBridge", "PutEvents"):
                answer = self.events.put_events(EventBusArn=self.arn, Entries=entries)
        except (ClientError, Unavailable) as error:
            return _send_individually(self, batch, error)
        return _refusals(answer["Entries"])


def _system_metadata(outgoing: Outgoing) -> dict[str, str]:
    event = outgoing.dead_letter.event
    return {
        "EventGroupId": identifier(event.aggregate_id or ""),
        "DeduplicationId": identifier(event.event_id or ""),
    }


Sender = WorkQueueSender | BusSender | LogGroupSender | CustomBusSender


def _send_individually(
    sender: Sender, batch: Sequence[Outgoing], error: ClientError | Unavailable
) -> Sequence[str | None]:
    """Send a refused batch one by one: what is wrong with one dead letter must not hold the others.

    An error that is in no list may be one dead letter's too. Raises Unavailable for any other that
    says nothing against a dead letter.
    """
    if isinstance(error, Unavailable) and not error.is_unknown:
        raise error
    if len(batch) == 1 and isinstance(error, Unavailable):
        return [error.reason]
    if len(batch) == 1 and isinstance(error, ClientError):
        return [_reason(error_code(error), error_message(error))]
    return [answer for outgoing in batch for answer in sender.send([outgoing])]


def _refusals(results: Sequence[Mapping[str, Any]]) -> Sequence[str | None]:
    return [
        _reason(each["ErrorCode"], each.get("ErrorMessage")) if each.get("ErrorCode") else None
        for each in results
    ]


def _reason(code: str, message: str | None) -> str:
    return f"{code}: {message}" if message else code
