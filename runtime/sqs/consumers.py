"""Runs a consumer process: one consumer per queue, side by side."""

from collections.abc import Callable, Mapping

from runtime import logs
from runtime.aws import Aws
from runtime.metrics import ConsumerMetrics, new_registry
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.process.tracing import Tracer
from runtime.process.worker import run_worker
from runtime.settings import ConsumerSettings
from runtime.sqs.consumer import Consumer
from runtime.sqs.effects import Effects
from runtime.sqs.inbox import Inbox
from runtime.sqs.queue import find_queue


def run_consumers(
    name: str,
    settings: ConsumerSettings,
    inboxes: Mapping[str, Inbox],
    tracer: Tracer | None = None,
) -> None:
    """Consume each named queue with its inbox until the process is told to stop.

    Raises Misconfigured if a queue does not exist; waits for SQS if it is away.
    """
    logs.configure(level=settings.log_level, form=settings.log_format, process=name)
    registry, stop, readiness = new_registry(), Stop(), Readiness(*inboxes)
    metrics = ConsumerMetrics(registry)

    def prepare() -> Mapping[str, Callable[[], None]]:
        sqs = Aws.of(settings).client("sqs")
        return {
            queue: Consumer(
                sqs,
                find_queue(sqs, queue),
                Effects(inbox, queue, metrics, tracer),
                stop=stop,
                metrics=metrics,
                readiness=readiness,
                wait_seconds=settings.queue_wait_seconds,
            ).run
            for queue, inbox in inboxes.items()
        }

    run_worker(settings, prepare=prepare, stop=stop, readiness=readiness, registry=registry)
