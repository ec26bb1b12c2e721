"""A FIFO queue between a change stream and a bus: the durable hands, and order per aggregate."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from contracts.outbox import OutboxRecord
from relay.refusals import find_culprit
from relay.rows import Failure, Limits
from runtime.aws import reaching
from runtime.queues import MAX_BATCH, MAX_BATCH_BYTES, dead_letter, find_url

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LIMITS = Limits(entries=MAX_BATCH, total_bytes=MAX_BATCH_BYTES)


class FifoQueue:
    """A Target: messages in order per aggregate (group), one per event (deduplication id)."""

    limits = LIMITS

    def __init__(self, sqs: "SQSClient", name: str) -> None:
        self._sqs = sqs
        self._url = find_url(sqs, name)

    def size_of(self, record: OutboxRecord) -> int:
        return record.size

    def publish(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None]:
        try:
            with reaching("SQS"):
                response = self._sqs.send_message_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {
                            "Id": str(index),
                            "MessageBody": record.to_json(),
                            "MessageGroupId": record.aggregate_id,
                            "MessageDeduplicationId": record.event_id,
                        }
                        for index, record in enumerate(records)
                    ],
                )
        except ClientError as error:
            return find_culprit(records, self.publish, error, permanent=True)
        failed = {
            int(entry["Id"]): Failure(
                entry["Code"], entry.get("Message", ""), permanent=entry["SenderFault"]
            )
            for entry in response.get("Failed", [])
        }
        return [failed.get(index) for index in range(len(records))]


class DeadLetterQueue:
    """DeadLetters in an SQS queue, FIFO or not."""

    def __init__(self, sqs: "SQSClient", name: str) -> None:
        self._sqs = sqs
        self._url = find_url(sqs, name)
        self._is_fifo = name.endswith(".fifo")

    def send(self, aggregate_id: str, body: str, error: Exception) -> None:
        fifo = {
            "MessageGroupId": aggregate_id,
            "MessageDeduplicationId": hashlib.sha256(body.encode()).hexdigest(),
        }
        dead_letter(self._sqs, self._url, body, error, fifo if self._is_fifo else None)
