"""`python -m relay …`: one process per stream. Composition root of every relay."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from relay.adapters.change_stream import ChangeStream, find_outbox
from relay.adapters.dynamodb_stream import ShardedStream, find_stream
from relay.adapters.sqs_fifo import DeadLetterQueue, FifoQueue
from relay.composition import (
    Ends,
    aws_of,
    backlog_gauges_of,
    bus_of,
    dynamodb_ends,
    engine_of,
    sweeper_of,
    sweeping,
)
from relay.feed_reader import PART, Tail
from relay.forwarder import Forwarder, run_together
from relay.ports import Stream
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
from runtime.ids import utc_now
from runtime.metrics import RelayMetrics, new_registry
from runtime.mongodb import Mongo
from runtime.outbox.mongodb import MongoOutbox
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
class TailedEnds(Ends):
    """What a relay stands between that is told of new rows."""

    stream: Stream


def run_dynamodb() -> None:
    settings = load(DynamoDBRelaySettings)
    _run_relay(
        "relay-dynamodb",
        settings,
        settings,
        lambda stop, tracer: _dynamodb(settings, stop, tracer),
    )


def run_change_stream() -> None:
    settings = load(ChangeStreamRelaySettings)
    _run_relay(
        "relay-change-stream",
        settings,
        settings,
        lambda _, tracer: _change_stream(settings, tracer),
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
        lambda _, tracer: _swept_dynamodb(settings, tracer),
    )


def sweep_change_stream() -> None:
    settings = load(ChangeStreamSettings)
    _sweep_once("sweep-change-stream", settings, lambda _, tracer: _change_stream(settings, tracer))


def _dynamodb(
    settings: DynamoDBRelaySettings, stop: Stop, tracer: Tracer | None = None
) -> TailedEnds:
    aws = aws_of(settings)
    find = partial(find_stream, aws.client("dynamodb"), settings.outbox_table)
    find()
    ends = dynamodb_ends(settings, aws, tracer)
    stream = ShardedStream(aws.client("dynamodbstreams"), find, pace=settings.pace, wait=stop.wait)
    return TailedEnds(ends.outbox, ends.target, ends.dead_letters, stream)


def _swept_dynamodb(settings: DynamoDBSettings, tracer: Tracer | None) -> Ends:
    aws = aws_of(settings)
    find_stream(aws.client("dynamodb"), settings.outbox_table)
    return dynamodb_ends(settings, aws, tracer)


def _change_stream(settings: ChangeStreamSettings, tracer: Tracer | None = None) -> TailedEnds:
    sqs = aws_of(settings).client("sqs")
    mongo, name = Mongo.of(settings), settings.outbox_collection
    find_outbox(mongo, name)
    outbox, queue = MongoOutbox(mongo, name), FifoQueue(sqs, settings.fifo_queue)
    return TailedEnds(
        outbox,
        traced(queue, Destination("aws_sqs", settings.fifo_queue), tracer),
        DeadLetterQueue(sqs, settings.dead_letter_queue),
        ChangeStream(mongo, name),
        is_crowded=queue.is_crowded,
    )


def _run_relay(
    name: str,
    settings: WorkerSettings,
    sweep: SweepSettings,
    connect: Callable[[Stop, Tracer | None], TailedEnds],
) -> None:
    _configure_logs(name, settings)
    with tracing.started(name) as tracer:
        _run_relay_with(settings, sweep, lambda stop: connect(stop, tracer))


def _run_relay_with(
    settings: WorkerSettings, sweep: SweepSettings, connect: Callable[[Stop], TailedEnds]
) -> None:
    registry, stop = new_registry(), Stop()
    metrics, readiness = RelayMetrics(registry), Readiness(PART)

    def prepare() -> Mapping[str, Callable[[], None]]:
        ends = connect(stop)
        engine = engine_of(ends, stop, metrics, readiness)
        sweeper = sweeper_of(ends, engine, stop, metrics, sweep)
        tail = Tail(
            ends.stream,
            sweeper,
            engine.window,
            stop=stop,
            readiness=readiness,
            now=utc_now,
            lag=metrics.stream_lag.set,
        )
        gauges = backlog_gauges_of(ends, engine, stop, metrics, sweep)
        return {
            "engine": engine.run,
            "sweeper": sweeper.run,
            "tail": tail.run,
            "backlog gauges": gauges.run,
        }

    run_worker(settings, prepare=prepare, stop=stop, readiness=readiness, registry=registry)


def _sweep_once(
    name: str, settings: SweepSettings, connect: Callable[[Stop, Tracer | None], Ends]
) -> None:
    """Publish what is older than sweep_min_age_seconds now, and return once it has left."""
    _configure_logs(name, settings)
    stop, metrics = Stop(), RelayMetrics(new_registry())
    with tracing.started(name) as tracer, on_signal(stop):
        ends = until_available(lambda: connect(stop, tracer), stop, starting=True)
        if ends is None:
            return
        with sweeping(ends, settings, stop, metrics) as make_pass:
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
