"""An SQS queue as a consumer needs it: its address, its dead-letter queue, its limits."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runtime.aws import asking, reaching
from runtime.batches import Limits
from runtime.errors import Misconfigured
from runtime.masking import mask

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import MessageTypeDef

MAX_BATCH = 10
"""Entries in one SQS batch call, and messages in one receive: an SQS quota."""

MAX_BATCH_BYTES = 1024 * 1024
"""Bytes of one message and of all messages in one batch: an SQS quota (1 MiB since 2025)."""

SEND_LIMITS = Limits(entries=MAX_BATCH, total_bytes=MAX_BATCH_BYTES)

FIRST_ANSWER_WITHIN = 20.0
"""Seconds that one who holds messages waits for the first answer to a call: less than they are
hidden for, and they stay hidden from the others for as long if it is killed."""

BATCH_LINGER_SECONDS = 0.05
"""How long a batch call waits for more entries: one takes as long as ten, and costs as much."""

MAX_ERROR_MESSAGE = 1024
"""Characters of an errorMessage attribute: attributes count toward the message's 1 MiB."""

MAX_ATTRIBUTE_BYTES = 4 * MAX_ERROR_MESSAGE + 512
"""Bytes that a dead letter's attributes take at most, their names and types included."""

_REFUSED_BY_SQS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What a message or an attribute may not hold: all but XML's characters, says SendMessage."""


@dataclass(frozen=True)
class SourceQueue:
    """A queue with a redrive policy. `visibility_timeout` is in seconds."""

    name: str
    url: str
    dead_letter_queue: str
    dead_letter_url: str
    max_receives: int
    visibility_timeout: int


def find_url(sqs: "SQSClient", name: str) -> str:
    """Look a queue's URL up; raises Misconfigured if there is no such queue, or Unavailable."""
    with asking("SQS"):
        try:
            return sqs.get_queue_url(QueueName=name)["QueueUrl"]
        except sqs.exceptions.QueueDoesNotExist:
            raise Misconfigured(f"the queue {name} does not exist: provision it first") from None


def attributes_of(
    sqs: "SQSClient", url: str, *names: "QueueAttributeNameType"
) -> "Mapping[QueueAttributeNameType, str]":
    """Read attributes of a queue; what was never set is left out. Raises Unavailable."""
    with asking("SQS"):
        return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]


def find_queue(sqs: "SQSClient", name: str) -> SourceQueue:
    """Read a queue's settings; raises Misconfigured if it or its redrive policy is missing."""
    url = find_url(sqs, name)
    attributes = attributes_of(sqs, url, "RedrivePolicy", "VisibilityTimeout")
    if "RedrivePolicy" not in attributes:
        raise Misconfigured(f"the queue {name} has no redrive policy: give it a dead-letter queue")
    policy = json.loads(attributes["RedrivePolicy"])
    dead_letter_queue = policy["deadLetterTargetArn"].rpartition(":")[2]
    return SourceQueue(
        name=name,
        url=url,
        dead_letter_queue=dead_letter_queue,
        dead_letter_url=find_url(sqs, dead_letter_queue),
        max_receives=int(policy["maxReceiveCount"]),
        visibility_timeout=int(attributes["VisibilityTimeout"]),
    )


def dead_letter(
    sqs: "SQSClient",
    url: str,
    body: str,
    error: Exception,
    *,
    receives: int | None = None,
    encoding: str | None = None,
    fifo: Mapping[str, Any] | None = None,
) -> None:
    """Send a body, byte for byte, to a dead-letter queue with errorType and errorMessage.

    `receives` is how often the queue that it comes from has given it out: receiveCount. `encoding`
    says how a body is written that is not what was stored: bodyEncoding. `fifo` carries
    MessageGroupId and MessageDeduplicationId where the queue is a FIFO one. A message that leaves
    no room for them beside it goes without attributes: the log has its reason.
    Raises Unavailable; the message must stay where it was until this has returned.
    """
    attributes: dict[str, Any] = {
        "errorType": {"DataType": "String", "StringValue": type(error).__name__},
        "errorMessage": {"DataType": "String", "StringValue": _message(error)},
    }
    if encoding is not None:
        attributes["bodyEncoding"] = {"DataType": "String", "StringValue": encoding}
    if receives is not None:
        attributes["receiveCount"] = {"DataType": "Number", "StringValue": str(receives)}
    if len(body.encode()) > MAX_BATCH_BYTES - MAX_ATTRIBUTE_BYTES:
        attributes = {}
    with reaching("SQS", "SendMessage"):
        sqs.send_message(
            QueueUrl=url, MessageBody=body, MessageAttributes=attributes, **(fifo or {})
        )


def _message(error: Exception) -> str:
    """Say what went wrong in characters that SQS takes, without bank details."""
    text = _REFUSED_BY_SQS.sub("\N{REPLACEMENT CHARACTER}", str(error) or type(error).__name__)
    return mask(text)[:MAX_ERROR_MESSAGE]


def delete_batch(sqs: "SQSClient", url: str, handles: Sequence[str]) -> list[int]:
    """Delete up to MAX_BATCH messages; returns the positions of those to try again.

    A handle that has expired (SenderFault behind HTTP 200) is not among them: it will never be
    taken, and its message comes again. Raises Unavailable.
    """
    with asking("SQS"):
        response = sqs.delete_message_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(index), "ReceiptHandle": handle} for index, handle in enumerate(handles)
            ],
        )
    return [int(each["Id"]) for each in response.get("Failed", []) if not each["SenderFault"]]


def receive_count(message: "MessageTypeDef") -> int:
    return int(message.get("Attributes", {}).get("ApproximateReceiveCount", "1"))
