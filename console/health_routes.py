"""/healthz, /readyz and /metrics, as every process has them.

The console's own metrics are what the newest look found, and what the console itself has seen.
"""

from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from console.live.watching import SystemWatch
from runtime.http.problem_kinds import UNAVAILABLE
from runtime.http.problems import respond
from runtime.outbox.stats import OutboxStats


def router(watch: SystemWatch, registry: CollectorRegistry) -> APIRouter:
    registry.register(Gauges(watch))
    routes = APIRouter()

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @routes.get("/readyz")
    async def readyz() -> Response:
        why_not = watch.why_not_ready
        return respond(UNAVAILABLE, why_not) if why_not else Response('{"status":"ready"}')

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes


class Gauges:
    """A collector: read at each scrape, from what is measured anyway."""

    def __init__(self, watch: SystemWatch) -> None:
        self._watch = watch

    def collect(self) -> Iterator[Metric]:
        yield self._queues()
        yield self._outboxes()
        observer, tapping = self._watch.observer, self._watch.tapping
        yield CounterMetricFamily(
            "console_events_seen", "Events that the taps brought.", value=observer.seen
        )
        yield CounterMetricFamily(
            "console_events_left_out",
            "Events that were discarded: the console was too late.",
            value=observer.discarded,
        )
        yield CounterMetricFamily(
            "console_events_unrecognized",
            "Events on a bus that are not this system's.",
            value=observer.unrecognized,
        )
        yield GaugeMetricFamily(
            "console_sampling_every_nth",
            "Of how many aggregates the events of one are read.",
            value=tapping.sampler.every_nth,
        )
        yield GaugeMetricFamily(
            "console_behind_seconds",
            "How long the last event waited for the console.",
            value=tapping.behind,
        )
        yield GaugeMetricFamily(
            "console_pages", "Pages that follow the live stream.", value=self._watch.hub.pages
        )

    def _queues(self) -> Metric:
        found = GaugeMetricFamily(
            "sqs_queue_messages",
            "Messages in a queue of the system, by what it is for and who has them.",
            labels=("queue", "kind", "state"),
        )
        kinds = {"queue": "work", "dead-letter queue": "dead-letter"}
        for node in self._watch.graph.nodes:
            depth = self._watch.reading.depths.get(node.name)
            if node.kind in kinds and depth is not None:
                found.add_metric([node.name, kinds[node.kind], "visible"], depth.visible)
                found.add_metric([node.name, kinds[node.kind], "in_flight"], depth.in_flight)
        return found

    def _outboxes(self) -> Metric:
        found = GaugeMetricFamily(
            "console_outbox_records",
            "Events that are committed and not yet published, counted up to 500.",
            labels=("outbox",),
        )
        for node in self._watch.graph.nodes:
            reading = self._watch.reading.outboxes.get(node.domain)
            if node.kind == "outbox" and isinstance(reading, OutboxStats):
                found.add_metric([node.name], reading.depth)
        return found
