"""Messages of an SQS queue in hand: received, hidden for longer, deleted, by the batch."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import structlog

from runtime.aws import asking
from runtime.errors import Unavailable
from runtime.sqs.queue import MAX_BATCH, Queue, delete_batch

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

log = structlog.get_logger(__name__)


class Receipts:
    """Batch calls to one queue, for any number of messages, each of which may fail alone."""

    def __init__(self, sqs: "SQSClient", queue: Queue) -> None:
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
        """Delete messages; returns those that are gone, or out of our hands."""
        gone: list[MessageTypeDef] = []
        for some in _calls(messages):
            try:
                handles = [message["ReceiptHandle"] for message in some]
                stays = delete_batch(self._sqs, self._queue.url, handles)
            except Unavailable as error:
                log.warning("delete failed", reason=str(error), count=len(some))
                return gone
            if stays:
                log.warning("delete failed", count=len(stays))
            gone += [message for index, message in enumerate(some) if index not in stays]
        return gone

    def show_again_in(self, messages: "Sequence[MessageTypeDef]", seconds: float) -> None:
        """Set when messages are seen again; where that fails, the queue's own timeout holds."""
        for some in _calls(messages):
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
                            for index, message in enumerate(some)
                        ],
                    )
            except Exception as error:  # noqa: BLE001 (the messages come again either way)
                log.warning("visibility not changed", reason=str(error))
                return


def _calls(messages: "Sequence[MessageTypeDef]") -> "Iterator[Sequence[MessageTypeDef]]":
    """Cut messages into what one batch call takes."""
    for start in range(0, len(messages), MAX_BATCH):
        yield messages[start : start + MAX_BATCH]
