"""SQS in memory, as its client shows it: standard and FIFO queues made from the topology's values.

Time is an argument, in seconds. The conformance suite holds it to a real client on an emulator.
"""

# ruff: noqa: N803 (the names are boto3's)

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

from botocore.exceptions import ClientError

from infra.resources import Queue

DEDUPLICATED_FOR = 300.0
"""Seconds in which a FIFO queue takes a deduplication id once."""

What = Literal["sent", "received", "deleted", "dead-lettered", "shown"]


@dataclass(eq=False, slots=True)
class Message:
    """`shown_at` is when it can be received; `receives` how often it was."""

    message_id: str
    body: str
    attributes: Mapping[str, Any]
    group: str | None = None
    receives: int = 0
    shown_at: float = 0.0
    handle: str = ""

    @property
    def error_type(self) -> str | None:
        """Why a consumer or a relay put it here; None if neither did."""
        found = self.attributes.get("errorType")
        return found and str(found["StringValue"])


@dataclass(eq=False, slots=True)
class Held:
    """A queue and what is in it. `taken` is when each deduplication id was."""

    resource: Queue
    messages: list[Message] = field(default_factory=list)
    taken: dict[str, float] = field(default_factory=dict)

    def receivable(self, now: float, most: int) -> list[Message]:
        """What may be received: in a FIFO queue, nothing of a group that is partly hidden."""
        if not self.resource.fifo:
            return [each for each in self.messages if each.shown_at <= now][:most]
        busy = {each.group for each in self.messages if each.shown_at > now}
        return [each for each in self.messages if each.group not in busy][:most]


def _nobody(_what: What, _queue: str, _message: Message) -> None:
    """Take no notice."""


class MemorySqs:
    """An SQS client. A queue's URL is its name. `journal` is called with all that happens."""

    class exceptions:  # noqa: N801 (as boto3 has it)
        class QueueDoesNotExist(ClientError):
            pass

    def __init__(
        self,
        queues: Iterable[Queue],
        *,
        now: Callable[[], float],
        journal: Callable[[What, str, Message], object] = _nobody,
    ) -> None:
        self._now, self._journal = now, journal
        self.queues = {queue.name: Held(queue) for queue in queues}
        self._ids = count(1)

    def has_receivable(self, name: str) -> bool:
        """Whether a receive would now find something."""
        return bool(self.queues[name].receivable(self._now(), 1))

    def next_shown_at(self, name: str) -> float | None:
        """When the next of the messages that are hidden now is shown; None if none is hidden."""
        now = self._now()
        hidden = (each.shown_at for each in self.queues[name].messages if each.shown_at > now)
        return min(hidden, default=None)

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:
        if QueueName not in self.queues:
            error: Any = {"Error": {"Code": "AWS.SimpleQueueService.NonExistentQueue"}}
            raise self.exceptions.QueueDoesNotExist(error, "GetQueueUrl")
        return {"QueueUrl": QueueName}

    def get_queue_attributes(self, *, QueueUrl: str, **_: Any) -> dict[str, dict[str, str]]:
        held = self.queues[QueueUrl]
        hidden = sum(each.shown_at > self._now() for each in held.messages)
        attributes = {
            "VisibilityTimeout": str(held.resource.visibility_timeout),
            "ApproximateNumberOfMessages": str(len(held.messages) - hidden),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
        }
        if redrive := held.resource.redrive:
            policy = {
                "deadLetterTargetArn": f"arn:aws:sqs:::{redrive.dlq}",
                "maxReceiveCount": redrive.max_receive_count,
            }
            attributes["RedrivePolicy"] = json.dumps(policy)
        return {"Attributes": attributes}

    def send_message(
        self,
        *,
        QueueUrl: str,
        MessageBody: str,
        MessageAttributes: Mapping[str, Any] | None = None,
        MessageGroupId: str | None = None,
        MessageDeduplicationId: str | None = None,
    ) -> dict[str, str]:
        held, now = self.queues[QueueUrl], self._now()
        message = Message(f"m{next(self._ids)}", MessageBody, MessageAttributes or {})
        if held.resource.fifo:
            message.group = MessageGroupId
            last = held.taken.get(str(MessageDeduplicationId))
            if last is not None and now - last < DEDUPLICATED_FOR:
                return {"MessageId": message.message_id}
            held.taken[str(MessageDeduplicationId)] = now
        held.messages.append(message)
        self._journal("sent", QueueUrl, message)
        return {"MessageId": message.message_id}

    def send_message_batch(
        self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        done = []
        for entry in Entries:
            fields = {name: value for name, value in entry.items() if name != "Id"}
            sent = self.send_message(QueueUrl=QueueUrl, **fields)
            done.append({"Id": entry["Id"], **sent})
        return {"Successful": done}

    def receive_message(
        self, *, QueueUrl: str, MaxNumberOfMessages: int = 1, **_: Any
    ) -> dict[str, list[dict[str, Any]]]:
        """Receive what there is. It does not wait: whoever runs the clock does that."""
        held, now = self.queues[QueueUrl], self._now()
        redrive = held.resource.redrive
        received = []
        for message in held.receivable(now, MaxNumberOfMessages):
            if redrive and message.receives >= redrive.max_receive_count:
                self._dead_letter(held, message, redrive.dlq)
                continue
            message.receives += 1
            message.handle = f"{message.message_id}#{message.receives}"
            message.shown_at = now + held.resource.visibility_timeout
            self._journal("received", QueueUrl, message)
            received.append(_as_received(message))
        return {"Messages": received} if received else {}

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> dict[str, Any]:
        """Delete the message of a receipt that is its latest; any other succeeds and does not."""
        message = self._of(QueueUrl, ReceiptHandle)
        if message is not None:
            self.queues[QueueUrl].messages.remove(message)
            self._journal("deleted", QueueUrl, message)
        return {}

    def delete_message_batch(
        self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        for entry in Entries:
            self.delete_message(QueueUrl=QueueUrl, ReceiptHandle=entry["ReceiptHandle"])
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def change_message_visibility(
        self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int
    ) -> dict[str, Any]:
        message = self._of(QueueUrl, ReceiptHandle)
        if message is not None:
            message.shown_at = self._now() + VisibilityTimeout
            self._journal("shown", QueueUrl, message)
        return {}

    def change_message_visibility_batch(
        self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        for entry in Entries:
            self.change_message_visibility(
                QueueUrl=QueueUrl,
                ReceiptHandle=entry["ReceiptHandle"],
                VisibilityTimeout=entry["VisibilityTimeout"],
            )
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def _of(self, name: str, handle: str) -> Message | None:
        for message in self.queues[name].messages:
            if message.handle == handle:
                return message
        return None

    def _dead_letter(self, held: Held, message: Message, dlq: str) -> None:
        """Move it as SQS does: with its attributes, and without a word about why."""
        held.messages.remove(message)
        message.receives, message.shown_at, message.handle = 0, 0.0, ""
        self.queues[dlq].messages.append(message)
        self._journal("dead-lettered", dlq, message)


def _as_received(message: Message) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(message.receives)}
    if message.group is not None:
        attributes["MessageGroupId"] = message.group
    return {
        "MessageId": message.message_id,
        "ReceiptHandle": message.handle,
        "Body": message.body,
        "Attributes": attributes,
        "MessageAttributes": message.attributes,
    }
