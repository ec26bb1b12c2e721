"""Work queues as a load run fills and watches them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from runtime.sqs.queue import SEND_LIMITS, find_url
from verification.testkit.engines import Engines


def send_all(engines: Engines, queue: str, bodies: Sequence[str]) -> None:
    """Send bodies in batches, some at a time."""
    sqs: Any = engines.aws.client("sqs")
    url = find_url(sqs, queue)

    def send(some: Sequence[str]) -> None:
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(some)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, SEND_LIMITS.cut(bodies, lambda body: len(body.encode()))))


def depth(engines: Engines, queue: str) -> int:
    """Count the messages that wait or are in flight."""
    sqs: Any = engines.aws.client("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=find_url(sqs, queue), AttributeNames=["All"])
    return sum(
        int(attributes["Attributes"][name])
        for name in ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    )
