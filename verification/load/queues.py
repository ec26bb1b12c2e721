"""Work queues as a load run fills and watches them."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from verification.testkit.engines import Engines

LARGE = 100_000
"""Bytes past which a message is sent alone: a batch may take 1 MiB."""


def send_all(engines: Engines, queue: str, bodies: Sequence[str]) -> None:
    """Send bodies in batches, in a shuffled order that is the same each time."""
    sqs: Any = engines.aws.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]

    def send(some: Sequence[str]) -> None:
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(some)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)

    large = [[body] for body in bodies if len(body) > LARGE]
    small = [body for body in bodies if len(body) <= LARGE]
    batches = [small[start : start + 10] for start in range(0, len(small), 10)]
    together = [*batches, *large]
    random.Random(2).shuffle(together)  # noqa: S311 (the same each time)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, together))


def depth(engines: Engines, queue: str) -> int:
    """Count the messages that wait or are in flight."""
    sqs: Any = engines.aws.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return sum(
        int(attributes[name])
        for name in ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    )
