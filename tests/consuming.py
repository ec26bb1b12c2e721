"""A consumer's messages, as its process puts them together, and queues in memory for them."""

from typing import Any

from prometheus_client import CollectorRegistry

from infra.resources import Queue, RedrivePolicy
from runtime.metrics import ConsumerMetrics
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.sqs.handler import Handler
from runtime.sqs.messages import Messages
from runtime.sqs.queue import SourceQueue, find_queue

QUEUES = (
    Queue("work", visibility_timeout=60, redrive=RedrivePolicy("work-dlq", 5)),
    Queue("work-dlq"),
)
"""For a client in memory, where `messages_of` finds the first."""


def messages_of(
    sqs: Any,
    handler: Handler,
    *,
    queue: SourceQueue | None = None,
    stop: Stop | None = None,
    metrics: ConsumerMetrics | None = None,
    wait_seconds: int = 1,
) -> Messages:
    queue = queue or find_queue(sqs, "work")
    return Messages(
        sqs,
        queue,
        handler,
        stop=stop or Stop(),
        metrics=metrics or ConsumerMetrics(CollectorRegistry()),
        readiness=Readiness(queue.name),
        wait_seconds=wait_seconds,
    )
