"""The relays' processes without their threads: each does its next work when it is asked to."""

import time

from prometheus_client import CollectorRegistry

from relay.__main__ import DaemonAdapters
from relay.adapters.sqs_fifo import DeadLetterQueue
from relay.composition import aws_of, bus_of
from relay.forwarder import Forwarder
from relay.pipeline import Pipeline
from relay.settings import ForwardSettings
from runtime.metrics import RelayMetrics
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.sqs.queue import find_queue
from verification.testkit.waiting import NotInTime, eventually

FORWARDED_WITHIN = 20.0
"""Seconds; it takes milliseconds."""


class Relaying:
    """A relay from an outbox: it reads, then publishes, then deletes."""

    def __init__(self, adapters: DaemonAdapters) -> None:
        self._registry = CollectorRegistry()
        self._feed = adapters.feed
        self._pipeline = Pipeline(adapters, stop=Stop(), metrics=RelayMetrics(self._registry))
        self._feed.open()

    def relay(self, rows: int = 1) -> None:
        """Bring rows to their target, each of another aggregate; raises NotInTime."""
        window, before = self._pipeline.window, _published(self._registry)
        offered = 0
        while offered < rows:
            offered += eventually(lambda: window.offer(self._feed.read()), what="the stream")
        while _published(self._registry) < before + rows:
            self._pipeline.publish_next()
        while len(window):
            self._pipeline.delete_next()


class Forwarding:
    """One of `relay forward`'s forwarders."""

    def __init__(self, settings: ForwardSettings) -> None:
        sqs = aws_of(settings).client("sqs")
        bus = bus_of(settings.event_bus, aws_of(settings), None)
        queue = find_queue(sqs, settings.fifo_queue)
        self._registry = CollectorRegistry()
        self._stop = _StopWhenPublished(self._registry)
        self._forwarder = Forwarder(
            sqs,
            queue,
            bus,
            DeadLetterQueue(sqs, queue.dead_letter_queue),
            stop=self._stop,
            metrics=RelayMetrics(self._registry),
            readiness=Readiness(queue.name),
            wait_seconds=settings.queue_wait_seconds,
        )

    def forward(self) -> None:
        """Forward one message; raises NotInTime."""
        self._stop.aim(at=_published(self._registry) + 1)
        self._forwarder.run()


class _StopWhenPublished(Stop):
    """A stop that a forwarder finds requested once that many events are published."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._registry = registry

    def aim(self, *, at: float) -> None:
        self._goal, self._deadline = at, time.monotonic() + FORWARDED_WITHIN

    @property
    def requested(self) -> bool:
        if time.monotonic() > self._deadline:
            raise NotInTime("the FIFO queue")
        return _published(self._registry) >= self._goal


def _published(registry: CollectorRegistry) -> float:
    return registry.get_sample_value("relay_events_published_total") or 0.0
