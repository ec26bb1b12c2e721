"""The FIFO queue between a change stream and a bus: durable, and in order per aggregate."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog
from botocore.exceptions import ClientError

from contracts.outbox import OutboxRecord
from relay.ports import CallRefused, CannotBeDeadLettered, Failure
from relay.recent_keys import RecentKeys
from runtime.aws import asking, error_code, error_message, reaching
from runtime.batches import in_batches
from runtime.errors import Unavailable
from runtime.identifiers import digest, identifier
from runtime.sqs.queue import (
    MAX_BATCH,
    MAX_BATCH_BYTES,
    SEND_LIMITS,
    SourceQueue,
    attributes_of,
    dead_letter,
    delete_batch,
    find_url,
)

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

log = structlog.get_logger(__name__)

_REFUSED = re.compile("[\ufffe\uffff]")
"""What JSON text may hold as it is and a message may not; SQS takes XML's characters only."""


REMEMBERED_BODIES = 10_000
"""Bodies that are sent once: some 100 bytes each."""

CROWDED = 500
"""Messages that wait: what forwarders move in some tenths of a second. A new event has these before
it, a page of the sweep, and the sweep's half of the window."""


class FifoQueue:
    """A Target: messages in order per aggregate (group), one per event (deduplication id)."""

    limits = SEND_LIMITS

    def __init__(self, sqs: "SQSClient", name: str) -> None:
        self._sqs = sqs
        self._url = find_url(sqs, name)

    def is_crowded(self) -> bool:
        """Whether CROWDED messages wait to be forwarded. Raises Unavailable."""
        attributes = attributes_of(self._sqs, self._url, "ApproximateNumberOfMessages")
        return int(attributes["ApproximateNumberOfMessages"]) >= CROWDED

    def size_of(self, record: OutboxRecord) -> int:
        return record.size

    def publish(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None]:
        try:
            with reaching("SQS", "SendMessageBatch"):
                response = self._sqs.send_message_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {
                            "Id": str(index),
                            "MessageBody": _sendable(record.to_json()),
                            "MessageGroupId": identifier(record.aggregate_id),
                            "MessageDeduplicationId": identifier(record.event_id),
                        }
                        for index, record in enumerate(records)
                    ],
                )
        except ClientError as error:
            raise CallRefused(Failure(error_code(error), error_message(error))) from error
        failed = {
            int(entry["Id"]): Failure(entry["Code"], entry.get("Message", ""))
            for entry in response.get("Failed", [])
        }
        return [failed.get(index) for index in range(len(records))]


class FifoReceiver:
    """Receives messages in order per group; its batch calls take any number of messages."""

    def __init__(self, sqs: "SQSClient", queue: SourceQueue) -> None:
        self._sqs, self._queue = sqs, queue

    def receive(self, *, wait_seconds: int) -> "list[MessageTypeDef]":
        """Receive a batch, with its groups. Raises Unavailable."""
        with asking("SQS"):
            return self._sqs.receive_message(
                QueueUrl=self._queue.url,
                MaxNumberOfMessages=MAX_BATCH,
                WaitTimeSeconds=wait_seconds,
                MessageSystemAttributeNames=["MessageGroupId"],
            ).get("Messages", [])

    def delete(self, messages: "Sequence[MessageTypeDef]") -> "list[MessageTypeDef]":
        """Delete messages; returns those that are gone, or whose receipt has expired."""
        gone: list[MessageTypeDef] = []
        for batch in in_batches(messages, MAX_BATCH):
            try:
                handles = [message["ReceiptHandle"] for message in batch]
                failed = delete_batch(self._sqs, self._queue.url, handles)
            except Unavailable as error:
                log.warning("delete failed", reason=str(error), count=len(batch))
                return gone
            if failed:
                log.warning("delete failed", count=len(failed))
            gone += [message for index, message in enumerate(batch) if index not in failed]
        return gone

    def change_visibility(self, messages: "Sequence[MessageTypeDef]", seconds: float) -> None:
        """Have messages visible again after a time; where it fails, the queue's own time holds."""
        for batch in in_batches(messages, MAX_BATCH):
            try:
                with asking("SQS"):
                    self._sqs.change_message_visibility_batch(
                        QueueUrl=self._queue.url,
                        Entries=[
                            {
                                "Id": str(index),
                                "ReceiptHandle": message["ReceiptHandle"],
                                "VisibilityTimeout": round(seconds),
                            }
                            for index, message in enumerate(batch)
                        ],
                    )
            except Exception as error:  # noqa: BLE001 (the messages come again either way)
                log.warning("visibility not changed", reason=str(error))
                return


class DeadLetterQueue:
    """DeadLetters in an SQS queue, FIFO or not."""

    def __init__(self, sqs: "SQSClient", name: str) -> None:
        self._sqs = sqs
        self._url = find_url(sqs, name)
        self._is_fifo = name.endswith(".fifo")
        self._sent_once = RecentKeys(REMEMBERED_BODIES)

    def send(
        self,
        aggregate_id: str,
        body: str,
        error: Exception,
        *,
        encoding: str | None = None,
        once: bool = False,
    ) -> None:
        unique = digest(f"{aggregate_id} {body}")
        if once and unique in self._sent_once:
            return
        text = _sendable(body)
        size = len(text.encode())
        if size > MAX_BATCH_BYTES:
            kib = -(-size // 1024)
            raise CannotBeDeadLettered(f"it takes {kib} KiB, and SQS {MAX_BATCH_BYTES // 1024} KiB")
        fifo = {"MessageGroupId": identifier(aggregate_id), "MessageDeduplicationId": unique}
        dead_letter(
            self._sqs,
            self._url,
            text,
            error,
            encoding=encoding,
            fifo=fifo if self._is_fifo else None,
        )
        if once:
            self._sent_once.add([unique])


def _sendable(body: str) -> str:
    """Write what SQS refuses as JSON's escapes: the JSON means the same."""
    return _REFUSED.sub(lambda found: f"\\u{ord(found[0]):04x}", body)
