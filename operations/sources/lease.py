"""A lease on a dead-letter queue's messages: hidden from other readers until it is released."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from operations.sources.dead_letters import DeadLetter, read
from operations.sources.origins import Origin
from runtime.aws import asking
from runtime.errors import Unavailable
from runtime.sqs.queue import MAX_BATCH

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LEASE_SECONDS = 120
"""Seconds until what a killed command leased is visible again, if no setting says otherwise."""

MAX_MESSAGES = 10_000
"""Messages leased at a time; SQS allows 120 000 in flight."""

MOST_LEASED_BYTES = 256 * 1024 * 1024
"""Of leased bodies: a message may have 1 MiB."""


class Lease:
    """Takes messages and keeps them hidden; leaving the block releases all that are left.

    Nothing is deleted but by `delete`. Only for dead-letter queues: what is received from a work
    queue counts against its maxReceiveCount.
    """

    def __init__(
        self,
        sqs: "SQSClient",
        url: str,
        origin: Origin,
        *,
        wait_seconds: int = 1,
        visibility_timeout: int = LEASE_SECONDS,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._sqs, self._url, self._origin = sqs, url, origin
        self._wait_seconds, self._visibility_timeout, self._now = (
            wait_seconds,
            visibility_timeout,
            now,
        )
        self._handles: dict[str, str] = {}
        self._renewed = now()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.release(list(self._handles))
        except Unavailable:
            if error is None:
                raise  # else the first error says more, and the queue's timeout does the same

    @property
    def fifo(self) -> bool:
        return self._origin.dlq.endswith(".fifo")

    def take(self, most: int = MAX_MESSAGES) -> list[DeadLetter]:
        """Receive until the queue gives no more, or `most` messages. Raises Unavailable.

        A FIFO queue gives out at most a batch of each group while any of that is in flight.
        """
        taken: dict[str, DeadLetter] = {}
        size = 0
        while len(taken) < most and size < MOST_LEASED_BYTES:
            self.renew()
            with asking("SQS"):
                messages = self._sqs.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=min(MAX_BATCH, most - len(taken)),
                    VisibilityTimeout=self._visibility_timeout,
                    WaitTimeSeconds=self._wait_seconds,
                    MessageSystemAttributeNames=["All"],
                    MessageAttributeNames=["All"],
                ).get("Messages", [])
            if not messages:
                break
            for message in messages:
                dead_letter = read(message, self._origin)
                taken[dead_letter.message_id] = dead_letter
                self._handles[dead_letter.message_id] = message["ReceiptHandle"]
                size += len(dead_letter.body)
        return list(taken.values())

    def renew(self) -> None:
        """Keep everything hidden, if half of the time is over. Raises Unavailable."""
        if self._now() - self._renewed < self._visibility_timeout / 2:
            return
        self._renewed = self._now()
        self._show_in(self._visibility_timeout, list(self._handles))

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
        for some in _calls(message_ids):
            with asking("SQS"):
                answer = self._sqs.delete_message_batch(QueueUrl=self._url, Entries=self._by(some))
            failed = {some[int(each["Id"])] for each in answer.get("Failed", [])}
            stay += [each for each in some if each in failed]
            for message_id in some:
                if message_id not in failed:
                    del self._handles[message_id]
        return stay

    def _show_in(self, seconds: int, message_ids: Sequence[str]) -> None:
        for some in _calls(message_ids):
            with asking("SQS"):
                self._sqs.change_message_visibility_batch(
                    QueueUrl=self._url, Entries=self._by(some, VisibilityTimeout=seconds)
                )

    def _by(self, message_ids: Sequence[str], **more: Any) -> Any:
        return [
            {"Id": str(index), "ReceiptHandle": self._handles[message_id], **more}
            for index, message_id in enumerate(message_ids)
        ]


def _calls(message_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(message_ids), MAX_BATCH):
        yield message_ids[start : start + MAX_BATCH]
