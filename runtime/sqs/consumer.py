"""Consumes one SQS queue: long polls, many messages at a time, each to its own end."""

import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TYPE_CHECKING

from runtime.metrics import ConsumerMetrics
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.sqs.deletions import Deletions
from runtime.sqs.messages import Messages, Work
from runtime.sqs.queue import MAX_BATCH, Queue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef


GATHERS = 0.05
"""Seconds that free threads may wait for others: a receive for one message takes as long as one
for ten, and busy threads come free one by one."""

MADE_ROOM = 80
"""Messages that may be held beside `concurrency` others: each met an error that is in no list, and
may be the only one to meet it. When so many are held at a time it is an outage, and all wait."""


class Consumer:
    """Receives, handles and deletes until a stop is requested, then finishes what is in flight.

    At most `concurrency` messages are being handled, and each has a thread: one that waits for a
    database to come back renews its own visibility, and no other message waits unseen behind it.
    Up to MADE_ROOM more are held that have made room for others.
    """

    def __init__(
        self,
        sqs: "SQSClient",
        queue: Queue,
        work: Work,
        *,
        stop: Stop,
        metrics: ConsumerMetrics,
        readiness: Readiness,
        wait_seconds: int,
        concurrency: int = 20,
    ) -> None:
        self._sqs, self._queue, self._stop, self._readiness = sqs, queue, stop, readiness
        self._messages = Messages(
            sqs,
            queue,
            work,
            stop=stop,
            metrics=metrics,
            readiness=readiness,
            wait_seconds=wait_seconds,
        )
        self._concurrency = concurrency
        self._free = threading.Semaphore(concurrency)
        self._rooms = threading.Semaphore(MADE_ROOM)

    def run(self) -> None:
        self._readiness.up(self._queue.name)
        with (
            Deletions(self._sqs, self._queue.url) as deletions,
            ThreadPoolExecutor(
                self._concurrency + MADE_ROOM, thread_name_prefix=self._queue.name
            ) as pool,
        ):
            try:
                while not self._stop.requested:
                    for message in self._receive():
                        pool.submit(self._settle, message, deletions)
            finally:
                self._stop.request()  # also after a failure: what is held lets go of its message

    def _receive(self) -> "list[MessageTypeDef]":
        """Claim free threads, a batch of them if they come soon, and receive as many messages."""
        if not self._free.acquire(timeout=0.5):
            return []
        claimed, deadline = 1, monotonic() + GATHERS
        while claimed < MAX_BATCH and self._free.acquire(timeout=max(0, deadline - monotonic())):
            claimed += 1
        messages: list[MessageTypeDef] = []
        try:
            messages = self._messages.receive(claimed)
        finally:
            unused = claimed - len(messages)
            if unused:
                self._free.release(unused)
        return messages

    def _settle(self, message: "MessageTypeDef", deletions: Deletions) -> None:
        slot = Slot(self._free, self._rooms)
        try:
            if self._messages.settle(message, slot.make_room):
                deletions.add(message["ReceiptHandle"])
        finally:
            slot.leave()


class Slot:
    """A message's slot among the `free` ones, which it can give up for one of the `rooms`."""

    def __init__(self, free: threading.Semaphore, rooms: threading.Semaphore) -> None:
        self._taken, self._free, self._rooms = free, free, rooms

    def make_room(self) -> None:
        """Let another message have the slot, if there is room for this one beside it."""
        if self._taken is self._free and self._rooms.acquire(blocking=False):
            self._taken = self._rooms
            self._free.release()

    def leave(self) -> None:
        self._taken.release()
