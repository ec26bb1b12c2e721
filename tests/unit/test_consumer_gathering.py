"""A busy consumer receives by the batch, although its threads come free one by one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from runtime.sqs.consumer import Consumer
from runtime.sqs.queue import BATCH_LINGER_SECONDS, SourceQueue
from tests.consuming import messages_of
from tests.threads import beside

QUEUE = SourceQueue("work", "url", "work-dlq", "dlq-url", max_receives=5, visibility_timeout=30)
THREADS = 20


class EndlessSqs:
    """Has as many messages as anybody asks for; notes how many that were, call by call."""

    def __init__(self) -> None:
        self._ids = map(str, count())
        self.asked: list[int] = []
        self.was_asked = threading.Condition()

    def receive_message(self, *, MaxNumberOfMessages: int, **_: Any) -> dict[str, Any]:  # noqa: N803
        with self.was_asked:
            self.asked.append(MaxNumberOfMessages)
            self.was_asked.notify_all()
        ids = [next(self._ids) for _ in range(MaxNumberOfMessages)]
        return {"Messages": [{"MessageId": i, "ReceiptHandle": i, "Body": i} for i in ids]}

    def delete_message_batch(self, **_: Any) -> dict[str, Any]:
        return {}

    def wait_for_calls(self, calls: int) -> None:
        with self.was_asked:
            assert self.was_asked.wait_for(lambda: len(self.asked) >= calls, timeout=60)


class Slow:
    """Work that is done when the test says so, message by message."""

    def __init__(self) -> None:
        self.may_end = threading.Semaphore(0)

    def handle(self, _: str) -> None:
        self.may_end.acquire()

    def is_permanent(self, _: Exception) -> bool:
        return False


@contextmanager
def consuming(
    sqs: EndlessSqs, work: Slow, *, linger: float = BATCH_LINGER_SECONDS
) -> Iterator[None]:
    messages = messages_of(sqs, work, queue=QUEUE)
    consumer = Consumer(messages, concurrency=THREADS, linger=linger)
    with beside(consumer.run, messages.stop.request, lambda: work.may_end.release(1000)):
        yield


def test_threads_that_come_free_one_by_one_receive_together() -> None:
    """Ten of twenty end, each for itself, and the next receive is for ten."""
    sqs, work = EndlessSqs(), Slow()
    with consuming(sqs, work, linger=10):
        sqs.wait_for_calls(2)
        for _ in range(10):
            work.may_end.release()
        sqs.wait_for_calls(3)
        assert sqs.asked == [10, 10, 10]


def test_a_thread_does_not_wait_long_for_others() -> None:
    """Where the others hold their messages through an outage, one goes on alone."""
    sqs, work = EndlessSqs(), Slow()
    with consuming(sqs, work):
        sqs.wait_for_calls(2)
        work.may_end.release()
        sqs.wait_for_calls(3)
        assert sqs.asked == [10, 10, 1]
