"""What every relay is put together from, whether it is a daemon, one sweep or a Lambda."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread

from relay.adapters.custom_event_bus import CustomEventBus
from relay.adapters.eventbridge import EventBus
from relay.adapters.sqs_fifo import DeadLetterQueue
from relay.pipeline import DELETE_DEADLINE, PUBLISH_DEADLINE, Pipeline
from relay.ports import RelayAdapters, Target
from relay.settings import BusSettings, DynamoDBSettings, SweepSettings
from relay.sweeper import Backlog, Sweeper
from relay.traced import traced
from runtime.aws import Aws
from runtime.custom_event_bus import bus_name, require_custom_bus
from runtime.eventbridge import require_bus
from runtime.ids import utc_now
from runtime.metrics import RelayMetrics
from runtime.process.shutdown import Stop
from runtime.process.tracing import Tracer
from runtime.settings import AwsSettings


def aws_of(settings: AwsSettings) -> Aws:
    """Each call is tried once: a relay holds what failed, and counts each copy that it sends.

    What it sends are outbox records, checked when they were read. Raises as `Aws.of` does.
    """
    return Aws.of(settings, attempts=1, validates=False, patient=True)


def adapters_of(settings: DynamoDBSettings, aws: Aws, tracer: Tracer | None) -> RelayAdapters:
    """Raises Misconfigured for a bus or a queue that does not exist, or Unavailable."""
    from runtime.outbox.dynamodb import DynamoOutbox

    outbox = DynamoOutbox(aws.client("dynamodb"), settings.outbox_table)
    bus = bus_of(settings, aws, tracer)
    dead_letters = DeadLetterQueue(aws.client("sqs"), settings.dead_letter_queue)
    return RelayAdapters(outbox, bus, dead_letters)


def bus_of(settings: BusSettings, aws: Aws, tracer: Tracer | None) -> Target:
    """Raises Misconfigured for a bus that does not exist, or Unavailable."""
    name = settings.event_bus
    if settings.event_bus_kind == "custom":
        custom = aws.client("eventbridgev2")
        require_custom_bus(custom, name)
        return traced(CustomEventBus(custom, name), "aws_eventbridge", bus_name(name), tracer)
    events = aws.client("events")
    require_bus(events, name)
    return traced(EventBus(events, name), "aws_eventbridge", name, tracer)


def backlog_of(
    adapters: RelayAdapters,
    pipeline: Pipeline,
    stop: Stop,
    metrics: RelayMetrics,
    settings: SweepSettings,
) -> Backlog:
    return Backlog(
        adapters,
        pipeline.window,
        stop=stop,
        metrics=metrics,
        now=utc_now,
        min_age=timedelta(seconds=settings.sweep_min_age_seconds),
        interval=timedelta(seconds=settings.sweep_interval_seconds),
    )


@contextmanager
def sweeping(
    adapters: RelayAdapters,
    settings: SweepSettings,
    stop: Stop,
    metrics: RelayMetrics,
    *,
    patience: float = PUBLISH_DEADLINE,
) -> Iterator[Callable[[], int]]:
    """Run a pipeline until the block ends, and give what makes one pass with it.

    A pass publishes what is older than sweep_min_age_seconds now, returns once all it found has
    left or a stop was requested, and says how many rows were new to it. It raises Unavailable.
    From a stop on, answers are waited for `patience` seconds.
    """
    pipeline = Pipeline(
        adapters,
        stop=stop,
        metrics=metrics,
        publish_deadline=patience,
        delete_deadline=patience + DELETE_DEADLINE - PUBLISH_DEADLINE,
    )
    backlog = backlog_of(adapters, pipeline, stop, metrics, settings)
    sweeper = Sweeper(backlog)
    before = utc_now() - backlog.min_age

    def make_pass() -> int:
        try:
            return sweeper.sweep(before=before)
        finally:
            pipeline.window.wait_until_empty()  # what was found before an outage can leave

    running = Thread(target=pipeline.run, name="pipeline")
    running.start()
    try:
        yield make_pass
    finally:
        stop.request()
        running.join()
