"""From the FIFO queue to the bus: in order per group, a group whose head fails waits alone."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import structlog

from contracts.outbox import EventTooLarge, MalformedRecord, OutboxRecord
from relay.rows import DeadLetters, Failure, NeverAccepted, Target
from runtime.aws import reaching
from runtime.errors import Unavailable
from runtime.health import Readiness
from runtime.metrics import RelayMetrics
from runtime.queues import MAX_BATCH, Queue
from runtime.retry import backoff
from runtime.stopping import Stop

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

log = structlog.get_logger(__name__)


class Forwarder:
    """Receives a batch, publishes it head by head of each group, deletes what was accepted.

    While a group has messages in flight SQS gives out no more of it, so several forwarders, in one
    process or many, keep each group's order.
    """

    def __init__(
        self,
        sqs: "SQSClient",
        queue: Queue,
        target: Target,
        dead_letters: DeadLetters,
        *,
        stop: Stop,
        metrics: RelayMetrics,
        readiness: Readiness,
        wait_seconds: int,
    ) -> None:
        self._sqs, self._queue, self._target = sqs, queue, target
        self._dead_letters, self._stop, self._metrics = dead_letters, stop, metrics
        self._readiness, self._wait_seconds = readiness, wait_seconds

    def run(self) -> None:
        """Forward until a stop is requested; what is in flight then is finished or put back."""
        failures = 0
        self._readiness.up(self._queue.name)
        while not self._stop.requested:
            try:
                self._forward(self._receive())
                failures = 0
            except Unavailable as error:
                failures += 1
                log.warning("receive failed", queue=self._queue.name, reason=str(error))
                self._readiness.down(self._queue.name, str(error))
                self._stop.wait(backoff(failures, first=0.5, longest=15))

    def _receive(self) -> "list[MessageTypeDef]":
        with reaching("SQS"):
            messages = self._sqs.receive_message(
                QueueUrl=self._queue.url,
                MaxNumberOfMessages=MAX_BATCH,
                WaitTimeSeconds=self._wait_seconds,
                MessageSystemAttributeNames=["MessageGroupId"],
            ).get("Messages", [])
        self._readiness.up(self._queue.name)
        return messages

    def _forward(self, messages: "Sequence[MessageTypeDef]") -> None:
        """Publish round by round: each round holds the first unpublished message of each group."""
        groups: dict[str, list[MessageTypeDef]] = {}
        for message in messages:
            groups.setdefault(message["Attributes"]["MessageGroupId"], []).append(message)
        failed_rounds = 0
        while groups:
            heads = [group[0] for group in groups.values()]
            done = self._publish(heads)
            self._delete(done)
            for message in done:
                group_id = message["Attributes"]["MessageGroupId"]
                groups[group_id].pop(0)
                if not groups[group_id]:
                    del groups[group_id]
            if len(done) < len(heads):
                failed_rounds += 1
                left = [message for group in groups.values() for message in group]
                delay = backoff(failed_rounds, first=0.1, longest=15)
                # Held, not put back: the queue counts receives, and an outage is no poison.
                self._show_again_in(left, delay + self._queue.visibility_timeout)
                if self._stop.wait(delay):
                    self._show_again_in(left, 0)
                    return

    def _publish(self, heads: "Sequence[MessageTypeDef]") -> "list[MessageTypeDef]":
        """Publish what fits in calls to the target; returns the messages that are dealt with."""
        readable: list[tuple[MessageTypeDef, OutboxRecord]] = []
        done: list[MessageTypeDef] = []
        for message in heads:
            try:
                readable.append((message, OutboxRecord.from_json(message["Body"])))
            except (MalformedRecord, EventTooLarge) as error:
                if self._set_aside(message, error):
                    done.append(message)
        for batch in _batches(readable, self._target):
            failures = self._try([record for _, record in batch])
            accepted: list[OutboxRecord] = []
            for (message, record), failure in zip(batch, failures, strict=True):
                if failure is None:
                    accepted.append(record)
                    done.append(message)
                    continue
                self._metrics.failed.labels(failure.code).inc()
                if failure.permanent and self._set_aside(message, NeverAccepted(failure)):
                    done.append(message)
            self._count(accepted)
        return done

    def _try(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None]:
        """Publish one batch; an outage is a failure of each entry that may pass."""
        try:
            return self._target.publish(records)
        except Unavailable as error:
            log.warning("publish failed", reason=str(error), count=len(records))
            return [Failure(error.reason, str(error), permanent=False)] * len(records)

    def _set_aside(self, message: "MessageTypeDef", error: Exception) -> bool:
        """Dead-letter a message; False if that could not be done, and it has to wait."""
        try:
            self._dead_letters.send(message["Attributes"]["MessageGroupId"], message["Body"], error)
        except Unavailable as unavailable:
            log.warning("dead-lettering failed", reason=str(unavailable))
            return False
        self._metrics.dead_lettered.inc()
        log.error("dead-lettered", errorType=type(error).__name__, errorMessage=str(error))
        return True

    def _count(self, accepted: Sequence[OutboxRecord]) -> None:
        self._metrics.accepted([record.occurred_at for record in accepted])
        if accepted:
            log.info(
                "forwarded",
                eventIds=[record.event_id for record in accepted],
                correlationIds=[record.correlation_id for record in accepted],
            )

    def _delete(self, messages: "Sequence[MessageTypeDef]") -> None:
        """Delete what is published; what cannot be deleted is published again in a minute."""
        if not messages:
            return
        try:
            with reaching("SQS"):
                response = self._sqs.delete_message_batch(
                    QueueUrl=self._queue.url,
                    Entries=[
                        {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                        for index, message in enumerate(messages)
                    ],
                )
        except Unavailable as error:
            log.warning("delete failed", reason=str(error), count=len(messages))
            return
        if response.get("Failed"):
            log.warning("delete failed", count=len(response["Failed"]))

    def _show_again_in(self, messages: "Sequence[MessageTypeDef]", seconds: float) -> None:
        """Set when messages are seen again; where that fails, the queue's own timeout holds."""
        try:
            with reaching("SQS"):
                self._sqs.change_message_visibility_batch(
                    QueueUrl=self._queue.url,
                    Entries=[
                        {
                            "Id": str(index),
                            "ReceiptHandle": message["ReceiptHandle"],
                            "VisibilityTimeout": round(seconds),
                        }
                        for index, message in enumerate(messages)
                    ],
                )
        except Unavailable as error:
            log.warning("visibility not changed", reason=str(error))


def _batches(
    readable: "Sequence[tuple[MessageTypeDef, OutboxRecord]]", target: Target
) -> "Iterator[list[tuple[MessageTypeDef, OutboxRecord]]]":
    """Cut messages, in their order, into batches within the target's limits."""
    batch: list[tuple[MessageTypeDef, OutboxRecord]] = []
    total = 0
    for message, record in readable:
        size = target.size_of(record)
        if batch and not target.limits.admit(len(batch), total, size):
            yield batch
            batch, total = [], 0
        batch.append((message, record))
        total += size
    if batch:
        yield batch
