"""`python -m relay …`: one process per stream. Composition root of every relay.

What one relay needs and another does not is imported where it is put together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from relay.adapters.sqs_fifo import DeadLetterQueue, FifoQueue
from relay.backlog_gauges import BacklogGauges
from relay.composition import adapters_of, aws_of, backlog_of, bus_of, sweeping
from relay.feed_reader import PART, FeedReader
from relay.pipeline import Pipeline
from relay.ports import ChangeFeed, RelayAdapters
from relay.settings import (
    ChangeStreamRelaySettings,
    ChangeStreamSettings,
    DaemonSettings,
    DynamoDBRelaySettings,
    DynamoDBSettings,
    ForwardSettings,
    SweepSettings,
)
from relay.sweeper import Sweeper
from relay.traced import traced
from runtime.congestion import CongestionControl
from runtime.ids import utc_now
from runtime.metrics import RelayMetrics, new_registry
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop, on_signal
from runtime.process.startup import startup
from runtime.process.tracing import Tracer
from runtime.process.worker import main, run_worker, until_available
from runtime.sqs.queue import FIRST_ANSWER_WITHIN, find_queue

FORWARDERS = 4
"""Receives at a time: while one publishes a batch, others take other groups."""


@dataclass(frozen=True)
class DaemonAdapters(RelayAdapters):
    """And the change feed of a relay that runs on and on."""

    feed: ChangeFeed


def run_dynamodb() -> None:
    with startup("relay-dynamodb", DynamoDBRelaySettings) as (settings, tracer):
        _run_daemon(settings, lambda stop: dynamodb_adapters(settings, stop, tracer))


def run_change_stream() -> None:
    with startup("relay-change-stream", ChangeStreamRelaySettings) as (settings, tracer):
        _run_daemon(settings, lambda _: change_stream_adapters(settings, tracer))


def run_forward() -> None:
    with startup("relay-forward", ForwardSettings) as (settings, tracer):
        _run_forwarders(settings, tracer)


def sweep_dynamodb() -> None:
    with startup("sweep-dynamodb", DynamoDBSettings) as (settings, tracer):
        _sweep_once(settings, lambda: _swept_adapters(settings, tracer))


def sweep_change_stream() -> None:
    with startup("sweep-change-stream", ChangeStreamSettings) as (settings, tracer):
        _sweep_once(settings, lambda: change_stream_adapters(settings, tracer))


def dynamodb_adapters(
    settings: DynamoDBRelaySettings, stop: Stop, tracer: Tracer | None = None
) -> DaemonAdapters:
    """Raises Misconfigured for what does not exist, or Unavailable."""
    from relay.adapters.dynamodb_stream import DynamoDBStream, find_stream

    aws = aws_of(settings)
    find = partial(find_stream, aws.client("dynamodb"), settings.outbox_table)
    find()
    feed = DynamoDBStream(
        aws.client("dynamodbstreams"), find, poll_interval=settings.poll_interval, wait=stop.wait
    )
    adapters = adapters_of(settings, aws, tracer)
    return DaemonAdapters(adapters.outbox, adapters.target, adapters.dead_letters, feed)


def change_stream_adapters(
    settings: ChangeStreamSettings, tracer: Tracer | None = None
) -> DaemonAdapters:
    """Raises Misconfigured for what does not exist, or Unavailable."""
    from relay.adapters.change_stream import ChangeStream, find_outbox
    from runtime.mongodb import Mongo
    from runtime.outbox.mongodb import MongoOutbox

    sqs = aws_of(settings).client("sqs")
    mongo, name = Mongo.of(settings), settings.outbox_collection
    find_outbox(mongo, name)
    outbox, queue = MongoOutbox(mongo, name), FifoQueue(sqs, settings.fifo_queue)
    return DaemonAdapters(
        outbox,
        traced(queue, "aws_sqs", settings.fifo_queue, tracer),
        DeadLetterQueue(sqs, settings.dead_letter_queue),
        ChangeStream(mongo, name),
        is_crowded=queue.is_crowded,
    )


def _swept_adapters(settings: DynamoDBSettings, tracer: Tracer | None) -> RelayAdapters:
    from relay.adapters.dynamodb_stream import find_stream

    aws = aws_of(settings)
    find_stream(aws.client("dynamodb"), settings.outbox_table)
    return adapters_of(settings, aws, tracer)


def _run_daemon(settings: DaemonSettings, connect: Callable[[Stop], DaemonAdapters]) -> None:
    registry, stop = new_registry(), Stop()
    metrics, readiness = RelayMetrics(registry), Readiness(PART)

    def prepare() -> Mapping[str, Callable[[], None]]:
        adapters = connect(stop)
        pipeline = Pipeline(adapters, stop=stop, metrics=metrics, readiness=readiness)
        backlog = backlog_of(adapters, pipeline, stop, metrics, settings)
        sweeper = Sweeper(backlog)
        reader = FeedReader(
            adapters.feed,
            sweeper,
            pipeline.window,
            stop=stop,
            readiness=readiness,
            now=utc_now,
        )
        metrics.stream_lag.set_function(lambda: reader.lag)
        return {
            "pipeline": pipeline.run,
            "sweeper": sweeper.run,
            "feed-reader": reader.run,
            "backlog-gauges": BacklogGauges(backlog).run,
        }

    run_worker(settings, prepare=prepare, stop=stop, readiness=readiness, registry=registry)


def _run_forwarders(settings: ForwardSettings, tracer: Tracer | None) -> None:
    from relay.forwarder import LONGEST_GROUP_WAIT, Forwarder, run_together

    registry, stop = new_registry(), Stop()
    metrics, readiness = RelayMetrics(registry), Readiness(settings.fifo_queue)

    def prepare() -> Mapping[str, Callable[[], None]]:
        aws = aws_of(settings)
        sqs = aws.client("sqs")
        bus = bus_of(settings, aws, tracer)
        queue = find_queue(sqs, settings.fifo_queue)
        congestion = CongestionControl(
            FORWARDERS,
            bus.limits.entries,
            longest_pause=LONGEST_GROUP_WAIT,
            first_timeout=FIRST_ANSWER_WITHIN,
        )
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
                congestion=congestion,
            )
            for _ in range(FORWARDERS)
        ]
        return {"forwarders": lambda: run_together(forwarders, stop)}

    run_worker(settings, prepare=prepare, stop=stop, readiness=readiness, registry=registry)


def _sweep_once(settings: SweepSettings, connect: Callable[[], RelayAdapters]) -> None:
    """Publish what is older than sweep_min_age_seconds now, and return once it has left."""
    stop, metrics = Stop(), RelayMetrics(new_registry())
    with on_signal(stop):
        adapters = until_available(connect, stop, starting=True)
        if adapters is None:
            return
        with sweeping(adapters, settings, stop, metrics) as make_pass:
            until_available(make_pass, stop)


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
