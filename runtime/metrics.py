"""What a process counts, in its own registry, in Prometheus's names and base units."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

LATENCIES = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)
"""Bucket bounds in seconds, from a local write to an outage."""


MOST_REASONS = 50
"""Error codes that are counted apart; EventBridge and SQS document some thirty between them."""


def new_registry() -> CollectorRegistry:
    """Make a registry that already holds the process's memory, CPU and platform."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


class HttpMetrics:
    """Requests of one API, by method, route template and status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        gauge = partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry, buckets=LATENCIES)
        self.active = gauge(
            "http_server_active_requests",
            "Requests that have no whole answer yet; the scrape that asks is one.",
        )
        self._duration = histogram(
            "http_server_request_duration_seconds",
            "Time from a request's first byte to its response's last.",
            ("method", "route", "status"),
        )
        self._series: dict[tuple[str, str, int], Histogram] = {}  # `labels` takes as long again

    def done(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; each `method` and `route` takes memory for ever."""
        key = method, route, status
        if (series := self._series.get(key)) is None:
            series = self._series[key] = self._duration.labels(*map(str, key))
        series.observe(seconds)


class ConsumerMetrics:
    """Messages of one consumer process, by queue and outcome."""

    def __init__(self, registry: CollectorRegistry) -> None:
        gauge = partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry, buckets=LATENCIES)
        self._in_flight = gauge(
            "consumer_messages_in_flight",
            "Messages received and not yet at their end, held ones too.",
            ("queue",),
        )
        self._effect = histogram(
            "consumer_commit_to_effect_seconds",
            "Time from an event's occurredAt to the end of its handling, where it was handled.",
            ("queue", "event_type"),
        )
        self._duration = histogram(
            "consumer_message_duration_seconds",
            "Time from a message's receipt to its end, by what that end was.",
            ("queue", "outcome"),
        )

    def begun(self, queue: str) -> None:
        self._in_flight.labels(queue).inc()

    def done(self, queue: str, outcome: str, seconds: float) -> None:
        """Count the end of a message that has `begun`."""
        self._in_flight.labels(queue).dec()
        self._duration.labels(queue, outcome).observe(seconds)

    def effect(self, queue: str, event_type: str, seconds: float) -> None:
        """Count an event that was handled so long after it occurred, by whichever clocks."""
        self._effect.labels(queue, event_type).observe(max(0.0, seconds))


class RelayMetrics:
    """What one relay has published, and how long events waited for it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter, gauge = partial(Counter, registry=registry), partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry, buckets=LATENCIES)
        self.published = counter("relay_events_published_total", "Events accepted by the target.")
        self._reasons: set[str] = set()
        self._failed = counter(
            "relay_publish_failures_total",
            "Failed tries to publish an event, by error code.",
            ("reason",),
        )
        self.dead_lettered = counter(
            "relay_events_dead_lettered_total", "Records that can never be published."
        )
        self.swept = counter(
            "relay_events_swept_total", "Records that a sweep found still in the outbox."
        )
        self.in_flight = gauge("relay_events_in_flight", "Records read and not yet deleted.")
        self.depth = gauge(
            "outbox_depth_records",
            "Records left behind at the last look, and those in flight that are younger than what"
            " it looked for; NaN until known.",
        )
        self.stuck = gauge(
            "outbox_stuck_records",
            "Records that can neither be published nor dead-lettered, and so stay in the outbox,"
            " as of the last sweep.",
        )
        self.oldest = gauge(
            "outbox_oldest_age_seconds",
            "Age of the oldest record left behind or in flight; 0 without any, NaN until known."
            " One whose time cannot be read is as old as the look that found it first.",
        )
        self.stream_lag = gauge(
            "relay_stream_lag_seconds",
            "How long after it occurred the last row was read from the stream; while nothing is"
            " read it stays what it was, and it is 0 before the first read.",
        )
        self.latency = histogram(
            "relay_commit_to_publish_seconds",
            "Time from an event's occurredAt to its acceptance by the target.",
        )

    def refused(self, reason: str, count: int = 1) -> None:
        """Count failed tries; each reason takes memory for ever, and a target may make some up."""
        if reason not in self._reasons and len(self._reasons) >= MOST_REASONS:
            reason = "other"
        self._reasons.add(reason)
        self._failed.labels(reason).inc(count)

    def accepted(self, occurred: Sequence[datetime]) -> None:
        """Count events that the target has accepted, by when they occurred."""
        now = datetime.now(UTC)
        self.published.inc(len(occurred))
        for moment in occurred:
            self.latency.observe(max(0.0, (now - moment).total_seconds()))
