"""`python -m relay …`: one process per stream. Composition root of every relay."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from relay.adapters.dynamodb import DynamoOutbox
from relay.adapters.dynamodb_stream import DynamoDBStream
from relay.adapters.mongodb import ChangeStream, MongoOutbox, find_outbox
from relay.adapters.sqs_fifo import DeadLetterQueue, FifoQueue
from relay.backlog_gauges import Dated
from relay.composition import (
    RelayAdapters,
    adapters_of,
    ages_of,
    aws_of,
    bus_of,
    pipeline_of,
    sweeper_of,
    sweeping,
)
from relay.feed_reader import PART, FeedReader
from relay.forwarder import Forwarder, run_together
from relay.ports import ChangeFeed
from relay.settings import (
    ChangeStreamRelaySettings,
    ChangeStreamSettings,
    DynamoDBRelaySettings,
    DynamoDBSettings,
    ForwardSettings,
    SweepSettings,
)
from relay.traced import Destination, traced
from runtime import logs
from runtime.aws import Aws
from runtime.ids import utc_now
from runtime.metrics import RelayMetrics, new_registry
from runtime.mongodb import Mongo
from runtime.process import tracing
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop, on_signal
from runtime.process.tracing import Tracer
from runtime.process.worker import main, run_worker, until_available
from runtime.settings import ProcessSettings, WorkerSettings, load
from runtime.sqs.queue import find_queue

_FORWARD = "relay-forward"

FORWARDERS = 4
"""Receives at a time: while one publishes a batch, others take other groups."""


@dataclass(frozen=True)
class DaemonAdapters(RelayAdapters):
    """And the change feed of a relay that runs on and on."""

    feed: ChangeFeed
    dated: Dated


def run_dynamodb() -> None:
    settings = load(DynamoDBRelaySettings)
    _run_relay(
        "relay-dynamodb",
        settings,
        settings,
        lambda stop, tracer: dynamodb_adapters(settings, stop, tracer),
    )


def run_change_stream() -> None:
    settings = load(ChangeStreamRelaySettings)
    _run_relay(
        "relay-change-stream",
        settings,
        settings,
        lambda _, tracer: change_stream_adapters(settings, tracer),
    )


def run_forward() -> None:
    settings = load(ForwardSettings)
    _configure_logs(_FORWARD, settings)
    with tracing.started(_FORWARD) as tracer:
        _run_forward(settings, tracer)


def _run_forward(settings: ForwardSettings, tracer: Tracer | None) -> None:
    registry, stop = new_registry(), Stop()
    metrics, readiness = RelayMetrics(registry), Readiness(settings.fifo_queue)

    def prepare() -> Mapping[str, Callable[[], None]]:
        aws = aws_of(settings)
        sqs = aws.client("sqs")
        bus = bus_of(settings.event_bus, aws, tracer)
        queue = find_queue(sqs, settings.fifo_queue)
        forwarders = [
            Forwarder(
                sqs,
                queue,
                bus,
                DeadLetterQueue(sqs, queue.dead_letter_queue),
                stop=stop,
                metrics=metrics,
                readiness=readiness,
                wait_seconds=settings.queue_wait_seconds,
            )
            for _ in range(FORWARDERS)
        ]
        return {"forwarders": lambda: run_together(forwarders, stop)}

    run_worker(settings, prepare=prepare, stop=stop, readiness=readiness, registry=registry)


def sweep_dynamodb() -> None:
    settings = load(DynamoDBSettings)
    _sweep_once(
        "sweep-dynamodb",
        settings,
        lambda _, tracer: _dynamodb_adapters(settings, aws_of(settings), tracer)[1],
    )


def sweep_change_stream() -> None:
    settings = load(ChangeStreamSettings)
    _sweep_once(
        "sweep-change-stream",
        settings,
        lambda _, tracer: change_stream_adapters(settings, tracer),
    )


def dynamodb_adapters(
    settings: DynamoDBRelaySettings, stop: Stop, tracer: Tracer | None = None
) -> DaemonAdapters:
    aws = aws_of(settings)
    outbox, adapters = _dynamodb_adapters(settings, aws, tracer)
    feed = DynamoDBStream(
        aws.client("dynamodbstreams"),
        outbox.stream_arn,
        poll_interval=settings.poll_interval,
        wait=stop.wait,
    )
    return DaemonAdapters(outbox, adapters.target, adapters.dead_letters, feed, outbox)


def _dynamodb_adapters(
    settings: DynamoDBSettings, aws: Aws, tracer: Tracer | None
) -> tuple[DynamoOutbox, RelayAdapters]:
    outbox = DynamoOutbox(aws.client("dynamodb"), settings.outbox_table)
    outbox.stream_arn()
    return outbox, adapters_of(settings, aws, outbox, tracer)


def change_stream_adapters(
    settings: ChangeStreamSettings, tracer: Tracer | None = None
) -> DaemonAdapters:
    sqs = aws_of(settings).client("sqs")
    mongo, name = Mongo.of(settings), settings.outbox_collection
    find_outbox(mongo, name)
    outbox, queue = MongoOutbox(mongo, name), FifoQueue(sqs, settings.fifo_queue)
    return DaemonAdapters(
        outbox,
        traced(queue, Destination("aws_sqs", settings.fifo_queue), tracer),
        DeadLetterQueue(sqs, settings.dead_letter_queue),
        ChangeStream(mongo, name),
        outbox,
        is_crowded=queue.is_crowded,
    )


def _run_relay(
    name: str,
    settings: WorkerSettings,
    sweep: SweepSettings,
    connect: Callable[[Stop, Tracer | None], DaemonAdapters],
) -> None:
    _configure_logs(name, settings)
    with tracing.started(name) as tracer:
        _run_relay_with(settings, sweep, lambda stop: connect(stop, tracer))


def _run_relay_with(
    settings: WorkerSettings, sweep: SweepSettings, connect: Callable[[Stop], DaemonAdapters]
) -> None:
    registry, stop = new_registry(), Stop()
    metrics, readiness = RelayMetrics(registry), Readiness(PART)

    def prepare() -> Mapping[str, Callable[[], None]]:
        adapters = connect(stop)
        pipeline = pipeline_of(adapters, stop, metrics, readiness)
        sweeper = sweeper_of(adapters, pipeline, stop, metrics, sweep)
        reader = FeedReader(
            adapters.feed,
            sweeper,
            pipeline.window,
            stop=stop,
            readiness=readiness,
            now=utc_now,
            observe_lag=metrics.stream_lag.set,
        )
        ages = ages_of(adapters.dated, pipeline, stop, metrics, sweep)
        return {
            "pipeline": pipeline.run,
            "sweeper": sweeper.run,
            "feed-reader": reader.run,
            "backlog-gauges": ages.run,
        }

    run_worker(settings, prepare=prepare, stop=stop, readiness=readiness, registry=registry)


def _sweep_once(
    name: str, settings: SweepSettings, connect: Callable[[Stop, Tracer | None], RelayAdapters]
) -> None:
    """Publish what is older than sweep_min_age_seconds now, and return once it has left."""
    _configure_logs(name, settings)
    stop, metrics = Stop(), RelayMetrics(new_registry())
    with tracing.started(name) as tracer, on_signal(stop):
        adapters = until_available(lambda: connect(stop, tracer), stop, starting=True)
        if adapters is None:
            return
        with sweeping(adapters, settings, stop, metrics) as make_pass:
            until_available(make_pass, stop)


def _configure_logs(name: str, settings: ProcessSettings) -> None:
    logs.configure(level=settings.log_level, form=settings.log_format, process=name)


if __name__ == "__main__":
    main(
        {
            "dynamodb": run_dynamodb,
            "change-stream": run_change_stream,
            "forward": run_forward,
            "sweep dynamodb": sweep_dynamodb,
            "sweep change-stream": sweep_change_stream,
        }
    )
