"""A lease on a dead-letter queue's messages: hidden from other readers until it is released."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from operations.sources.dead_letters import DeadLetter, read
from operations.sources.depths import Depth, depth_of
from operations.sources.origins import Origin
from runtime.aws import asking
from runtime.batches import in_batches
from runtime.errors import Unavailable
from runtime.sqs.queue import MAX_BATCH

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_MESSAGES = 10_000
"""Messages leased at a time; SQS allows 120 000 in flight."""

MOST_LEASED_BYTES = 256 * 1024 * 1024
"""Of leased bodies: a message may have 1 MiB."""


@dataclass(frozen=True)
class Opened:
    """A dead-letter queue, found."""

    origin: Origin
    sqs: "SQSClient"
    url: str
    wait_seconds: int
    visibility_timeout: int

    def lease(self) -> "Lease":
        return Lease(self)

    def depth(self) -> Depth:
        return depth_of(self.sqs, self.url)


class Lease:
    """Takes messages and keeps them hidden; leaving the block releases all that are left.

    Nothing is deleted but by `delete`. Only for dead-letter queues: what is received from a work
    queue counts against its maxReceiveCount.
    """

    def __init__(self, queue: Opened) -> None:
        self._queue = queue
        self._handles: dict[str, str] = {}
        self._renewed = monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self.release(list(self._handles))
        except Unavailable:
            if error is None:
                raise  # else the first error says more, and the queue's timeout does the same

    @property
    def fifo(self) -> bool:
        return self._queue.origin.dlq.endswith(".fifo")

    @property
    def half_time(self) -> float:
        """Seconds for which everything is hidden, at least, after a `renew`."""
        return self._queue.visibility_timeout / 2

    def take(self, most: int) -> list[DeadLetter]:
        """Receive until the queue gives no more, or `most` messages. Raises Unavailable.

        A FIFO queue gives out at most a batch of each group while any of that is in flight.
        """
        taken: dict[str, DeadLetter] = {}
        size = 0
        while len(taken) < most and size < MOST_LEASED_BYTES:
            self.renew()
            with asking("SQS"):
                messages = self._queue.sqs.receive_message(
                    QueueUrl=self._queue.url,
                    MaxNumberOfMessages=min(MAX_BATCH, most - len(taken)),
                    VisibilityTimeout=self._queue.visibility_timeout,
                    WaitTimeSeconds=self._queue.wait_seconds,
                    MessageSystemAttributeNames=["All"],
                    MessageAttributeNames=["All"],
                ).get("Messages", [])
            if not messages:
                break
            for message in messages:
                dead_letter = read(message, self._queue.origin)
                taken[dead_letter.message_id] = dead_letter
                self._handles[dead_letter.message_id] = message["ReceiptHandle"]
                size += len(dead_letter.body)
        return list(taken.values())

    def renew(self) -> None:
        """Keep everything hidden, if half of the time is over. Raises Unavailable."""
        if monotonic() - self._renewed < self.half_time:
            return
        self._renewed = monotonic()
        self._show_in(self._queue.visibility_timeout, list(self._handles))

    def release(self, message_ids: Iterable[str]) -> None:
        """Make messages visible again at once. Raises Unavailable."""
        mine = [each for each in message_ids if each in self._handles]
        self._show_in(0, mine)
        for message_id in mine:
            del self._handles[message_id]

    def delete(self, message_ids: Sequence[str]) -> list[str]:
        """Delete leased messages; returns those that are still there. Raises Unavailable.

        A receipt handle that has expired deletes nothing: that message comes again.
        """
        stay: list[str] = []
        for some in in_batches(message_ids, MAX_BATCH):
            with asking("SQS"):
                answer = self._queue.sqs.delete_message_batch(
                    QueueUrl=self._queue.url, Entries=self._by(some)
                )
            failed = {some[int(each["Id"])] for each in answer.get("Failed", [])}
            stay += [each for each in some if each in failed]
            for message_id in some:
                if message_id not in failed:
                    del self._handles[message_id]
        return stay

    def _show_in(self, seconds: int, message_ids: Sequence[str]) -> None:
        for some in in_batches(message_ids, MAX_BATCH):
            with asking("SQS"):
                self._queue.sqs.change_message_visibility_batch(
                    QueueUrl=self._queue.url, Entries=self._by(some, VisibilityTimeout=seconds)
                )

    def _by(self, message_ids: Sequence[str], **more: Any) -> Any:
        return [
            {"Id": str(index), "ReceiptHandle": self._handles[message_id], **more}
            for index, message_id in enumerate(message_ids)
        ]
