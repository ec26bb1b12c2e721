"""What /metrics shows: what the newest look found, and what the console itself has seen."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from console.live.hub import Hub
from console.live.observing import Observer
from console.live.watching import SystemWatch
from infra.graph import Graph
from runtime.outbox.stats import OutboxStats


class Gauges:
    """A collector: read at each scrape, from what is measured anyway."""

    def __init__(self, graph: Graph, watch: SystemWatch, observer: Observer, hub: Hub) -> None:
        self._graph, self._watch, self._observer, self._hub = graph, watch, observer, hub

    def collect(self) -> Iterator[Metric]:
        yield self._queues()
        yield self._outboxes()
        seen = CounterMetricFamily("console_events_seen", "Events that the taps brought.")
        seen.add_metric([], self._observer.seen)
        yield seen
        left = CounterMetricFamily(
            "console_events_left_out", "Events that were discarded: the console was too late."
        )
        left.add_metric([], self._observer.discarded)
        yield left
        unrecognized = CounterMetricFamily(
            "console_events_unrecognized", "Events on a bus that are not this system's."
        )
        unrecognized.add_metric([], self._observer.unrecognized)
        yield unrecognized
        tapping = self._watch.tapping
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
            "console_pages", "Pages that follow the live stream.", value=self._hub.pages
        )

    def _queues(self) -> Metric:
        found = GaugeMetricFamily(
            "sqs_queue_messages",
            "Messages in a queue of the system, by what it is for and who has them.",
            labels=("queue", "kind", "state"),
        )
        kinds = {"queue": "work", "dead-letter queue": "dead-letter"}
        for node in self._graph.nodes:
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
        for node in self._graph.nodes:
            reading = self._watch.reading.outboxes.get(node.domain)
            if node.kind == "outbox" and isinstance(reading, OutboxStats):
                found.add_metric([node.name], reading.depth)
        return found
