"""Queues of which each message is given out once, and held until it is deleted."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from hashlib import md5
from itertools import count
from time import monotonic
from typing import Any

from pydantic_core import to_json

from infra.local_system.ports import LOOPBACK

_ACCOUNT = "111122223333"

Message = dict[str, Any]


class StubQueue:
    """Messages that wait, by their handles those that were received, and who waits for one."""

    def __init__(self) -> None:
        self.waiting: deque[Message] = deque()
        self.received: dict[str, Message] = {}
        self._receivers: deque[tuple[asyncio.Future[bytes], int]] = deque()
        self._numbers = count(1)

    def put(self, entry: Mapping[str, Any]) -> dict[str, str]:
        """Take a message; returns what SQS says of it."""
        body, number = entry["MessageBody"], next(self._numbers)
        digest = md5(body.encode(), usedforsecurity=False).hexdigest()
        message_id = f"{number:08x}-0000-4000-8000-000000000000"
        attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": "1764594600000"}
        if "MessageGroupId" in entry:
            attributes["MessageGroupId"] = entry["MessageGroupId"]
        self.waiting.append(
            {
                "MessageId": message_id,
                "ReceiptHandle": f"handle-{number}",
                "MD5OfBody": digest,
                "Body": body,
                "Attributes": attributes,
            }
        )
        return {"MessageId": message_id, "MD5OfMessageBody": digest}

    def receive(self, most: int, seconds: float) -> "bytes | asyncio.Future[bytes]":
        """Give at most that many messages at once, or wait for the first of them."""
        if self.waiting or not seconds:
            return self._given(most)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        self._receivers.append((answer, most))
        loop.call_later(seconds, _settle, answer, b"{}")
        return answer

    def wake(self) -> None:
        """Give what waits to those who wait for it."""
        while self.waiting and self._receivers:
            answer, most = self._receivers.popleft()
            if not answer.done():
                answer.set_result(self._given(most))

    def delete(self, handles: Iterable[str]) -> None:
        for handle in handles:
            self.received.pop(handle, None)

    def _given(self, most: int) -> bytes:
        messages = [self.waiting.popleft() for _ in range(min(most, len(self.waiting)))]
        self.received.update({each["ReceiptHandle"]: each for each in messages})
        return to_json({"Messages": messages} if messages else {})


class StubQueues:
    """By their names; each is there, and none hides a message for a time or redrives it.

    A FIFO queue gives the messages of one group to several receivers at a time: what is measured
    on it has each in a group of its own.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._queues: defaultdict[str, StubQueue] = defaultdict(StubQueue)
        self._deleted_at = 0.0
        self.operations = {
            "GetQueueUrl": self._get_queue_url,
            "GetQueueAttributes": self._get_queue_attributes,
            "SendMessage": self._send_message,
            "SendMessageBatch": self._send_message_batch,
            "ReceiveMessage": self._receive_message,
            "DeleteMessage": self._delete_message,
            "DeleteMessageBatch": self._delete_message_batch,
            "ChangeMessageVisibilityBatch": _succeeded,
        }

    def state(self) -> Mapping[str, Any]:
        depths = {name: len(q.waiting) + len(q.received) for name, q in self._queues.items()}
        return {"queues": depths, "receivedAndDeletedAt": self._deleted_at}

    def _of(self, request: Mapping[str, str]) -> StubQueue:
        return self._queues[request["QueueUrl"].rpartition("/")[2]]

    def _get_queue_url(self, request: Mapping[str, str]) -> bytes:
        url = f"http://{LOOPBACK}:{self._port}/{_ACCOUNT}/{request['QueueName']}"
        return to_json({"QueueUrl": url})

    def _get_queue_attributes(self, request: Mapping[str, str]) -> bytes:
        name = f"arn:aws:sqs:eu-west-1:{_ACCOUNT}:{request['QueueUrl'].rpartition('/')[2]}"
        policy = {"deadLetterTargetArn": f"{name}-dlq", "maxReceiveCount": 5}
        return to_json(
            {
                "Attributes": {
                    "ApproximateNumberOfMessages": str(len(self._of(request).waiting)),
                    "RedrivePolicy": to_json(policy).decode(),
                    "VisibilityTimeout": "30",
                }
            }
        )

    def _send_message(self, request: Mapping[str, Any]) -> bytes:
        queue = self._of(request)
        sent = queue.put(request)
        queue.wake()
        return to_json(sent)

    def _send_message_batch(self, request: Mapping[str, Any]) -> bytes:
        queue = self._of(request)
        sent = [{"Id": each["Id"], **queue.put(each)} for each in request["Entries"]]
        queue.wake()
        return to_json({"Successful": sent, "Failed": []})

    def _receive_message(self, request: Mapping[str, Any]) -> "bytes | asyncio.Future[bytes]":
        most = int(request.get("MaxNumberOfMessages", 1))
        return self._of(request).receive(most, float(request.get("WaitTimeSeconds", 0)))

    def _delete_message(self, request: Mapping[str, Any]) -> bytes:
        self._of(request).delete([request["ReceiptHandle"]])
        self._deleted_at = monotonic()
        return b"{}"

    def _delete_message_batch(self, request: Mapping[str, Any]) -> bytes:
        self._of(request).delete(each["ReceiptHandle"] for each in request["Entries"])
        self._deleted_at = monotonic()
        return _succeeded(request)


def _succeeded(request: Mapping[str, Any]) -> bytes:
    found = [{"Id": each["Id"]} for each in request["Entries"]]
    return to_json({"Successful": found, "Failed": []})


def _settle(answer: "asyncio.Future[bytes]", body: bytes) -> None:
    if not answer.done():
        answer.set_result(body)
