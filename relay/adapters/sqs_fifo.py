"""A FIFO queue between a change stream and a bus: the durable hands, and order per aggregate."""

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from contracts.outbox import OutboxRecord
from relay.ports import CannotBeSetAside, Failure
from relay.recent import Recent
from relay.refusals import find_culprit, is_the_entrys_fault
from runtime.aws import asking, reaching
from runtime.errors import Unavailable
from runtime.sqs.queue import MAX_BATCH_BYTES, SEND_LIMITS, dead_letter, find_url

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_NO_GROUP = re.compile("[^!-~]|.{129}", re.DOTALL)
"""What a group or deduplication id may not be: 128 letters, digits and punctuation, says SQS."""

_REFUSED = re.compile("[\ufffe\uffff]")
"""What JSON text may hold as it is and a message may not; SQS takes XML's characters only."""


REMEMBERED = 10_000
"""Bodies that were to be sent once: some 100 bytes each."""

CROWDED = 500
"""Messages that wait: what forwarders move in some tenths of a second. A new event has these before
it, a page of the sweep, and its half of the window."""


class FifoQueue:
    """A Target: messages in order per aggregate (group), one per event (deduplication id)."""

    limits = SEND_LIMITS

    def __init__(self, sqs: "SQSClient", name: str) -> None:
        self._sqs = sqs
        self._url = find_url(sqs, name)

    def is_crowded(self) -> bool:
        """Whether CROWDED messages wait to be forwarded. Raises Unavailable."""
        with asking("SQS"):
            attributes = self._sqs.get_queue_attributes(
                QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"]
            )["Attributes"]
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
                            "MessageGroupId": _id(record.aggregate_id),
                            "MessageDeduplicationId": _id(record.event_id),
                        }
                        for index, record in enumerate(records)
                    ],
                )
        except (ClientError, Unavailable) as error:
            return find_culprit(records, self.publish, error)
        failed = {
            int(entry["Id"]): Failure(
                entry["Code"],
                entry.get("Message", ""),
                permanent=is_the_entrys_fault(entry["Code"]),
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
        self._sent_once = Recent(REMEMBERED)

    def send(
        self,
        aggregate_id: str,
        body: str,
        error: Exception,
        *,
        encoding: str | None = None,
        once: bool = False,
    ) -> None:
        unique = _digest(f"{aggregate_id} {body}")
        if once and unique in self._sent_once:
            return
        text = _sendable(body)
        size = len(text.encode())
        if size > MAX_BATCH_BYTES:
            kib = -(-size // 1024)
            raise CannotBeSetAside(f"it takes {kib} KiB, and SQS {MAX_BATCH_BYTES // 1024} KiB")
        fifo = {"MessageGroupId": _id(aggregate_id), "MessageDeduplicationId": unique}
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


def _id(text: str) -> str:
    """Name a group or a message; what SQS would not take as a name is named by its digest."""
    return _digest(text) if _NO_GROUP.search(text) or not text else text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _sendable(body: str) -> str:
    """Write what SQS refuses as JSON's escapes: to whoever reads the JSON it is the same."""
    return _REFUSED.sub(lambda found: f"\\u{ord(found[0]):04x}", body)
