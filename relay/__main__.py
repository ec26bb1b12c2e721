"""`python -m relay …`: one process per stream. Composition root of every relay."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from threading import Thread

from relay.dynamodb import DynamoOutbox
from relay.engine import Engine
from relay.eventbridge import EventBus
from relay.fifo import DeadLetterQueue, FifoQueue
from relay.forward import Forwarder, run_together
from relay.mongodb import ChangeStream, MongoOutbox, outbox_collection
from relay.rows import Outbox, Stream
from relay.settings import (
    ChangeStreamRelaySettings,
    ChangeStreamSettings,
    DynamoDBRelaySettings,
    DynamoDBSettings,
    ForwardSettings,
    SweepSettings,
)
from relay.shards import ShardedStream
from relay.sweep import Sweeper
from relay.tail import PART, Tail
from runtime import logs
from runtime.aws import Aws
from runtime.health import Readiness
from runtime.ids import utc_now
from runtime.metrics import RelayMetrics, new_registry
from runtime.mongodb import connect
from runtime.queues import find_queue
from runtime.settings import AwsSettings, ProcessSettings, WorkerSettings, load
from runtime.stopping import Stop, on_signal
from runtime.worker import main, run_worker, until_available

FORWARDERS = 4
"""Receives at a time: while one publishes a batch, others take other groups."""


@dataclass(frozen=True)
class Ends:
    """What a relay stands between."""

    outbox: Outbox
    stream: Stream
    target: EventBus | FifoQueue
    dead_letters: DeadLetterQueue


def run_dynamodb() -> None:
    settings = load(DynamoDBRelaySettings)
    _run_relay(
        "relay-dynamodb",
        settings,
        settings,
        lambda stop: _dynamodb(settings, stop, settings.poll_seconds),
    )


def run_change_stream() -> None:
    settings = load(ChangeStreamRelaySettings)
    _run_relay("relay-change-stream", settings, settings, lambda _: _change_stream(settings))


def run_forward() -> None:
    settings = load(ForwardSettings)
    _configure_logs("relay-forward", settings)
    registry, stop = new_registry(), Stop()
    metrics, readiness = RelayMetrics(registry), Readiness(settings.fifo_queue)

    def prepare() -> Mapping[str, Callable[[], None]]:
        aws = _aws(settings)
        sqs = aws.client("sqs")
        bus = EventBus(aws.client("events"), settings.event_bus)
        bus.check()
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
    _sweep_once("sweep-dynamodb", settings, lambda stop: _dynamodb(settings, stop))


def sweep_change_stream() -> None:
    settings = load(ChangeStreamSettings)
    _sweep_once("sweep-change-stream", settings, lambda _: _change_stream(settings))


def _dynamodb(settings: DynamoDBSettings, stop: Stop, poll_seconds: float = 1) -> Ends:
    aws = _aws(settings)
    outbox = DynamoOutbox(aws.client("dynamodb"), settings.outbox_table)
    outbox.stream_arn()
    stream = ShardedStream(
        aws.client("dynamodbstreams"),
        outbox.stream_arn,
        poll_seconds=poll_seconds,
        wait=stop.wait,
    )
    bus = EventBus(aws.client("events"), settings.event_bus)
    bus.check()
    return Ends(outbox, stream, bus, DeadLetterQueue(aws.client("sqs"), settings.dead_letter_queue))


def _change_stream(settings: ChangeStreamSettings) -> Ends:
    sqs = _aws(settings).client("sqs")
    database = connect(settings.mongodb_uri)[settings.mongodb_database]
    collection = outbox_collection(database, settings.outbox_collection)
    return Ends(
        MongoOutbox(collection),
        ChangeStream(collection),
        FifoQueue(sqs, settings.fifo_queue),
        DeadLetterQueue(sqs, settings.dead_letter_queue),
    )


def _run_relay(
    name: str, settings: WorkerSettings, sweep: SweepSettings, connect: Callable[[Stop], Ends]
) -> None:
    _configure_logs(name, settings)
    registry, stop = new_registry(), Stop()
    metrics, readiness = RelayMetrics(registry), Readiness(PART)

    def prepare() -> Mapping[str, Callable[[], None]]:
        ends = connect(stop)
        engine = _engine(ends, stop, metrics)
        sweeper = _sweeper(ends, engine, stop, metrics, sweep)
        tail = Tail(
            ends.stream, sweeper, engine.window, stop=stop, readiness=readiness, now=utc_now
        )
        return {"engine": engine.run, "sweeper": sweeper.run, "tail": tail.run}

    run_worker(settings, prepare=prepare, stop=stop, readiness=readiness, registry=registry)


def _sweep_once(name: str, settings: SweepSettings, connect: Callable[[Stop], Ends]) -> None:
    """Publish what is older than sweep_min_age_seconds now, and return once it has left."""
    _configure_logs(name, settings)
    stop, metrics = Stop(), RelayMetrics(new_registry())
    with on_signal(stop):
        ends = until_available(lambda: connect(stop), stop)
        if ends is None:
            return
        engine = _engine(ends, stop, metrics)
        sweeper = _sweeper(ends, engine, stop, metrics, settings)
        running = Thread(target=engine.run, name="engine")
        running.start()
        before = utc_now() - timedelta(seconds=settings.sweep_min_age_seconds)
        try:
            until_available(lambda: sweeper.sweep(before=before), stop)
            engine.window.wait_until_empty()
        finally:
            stop.request()
            running.join()


def _engine(ends: Ends, stop: Stop, metrics: RelayMetrics) -> Engine:
    return Engine(
        outbox=ends.outbox,
        target=ends.target,
        dead_letters=ends.dead_letters,
        stop=stop,
        metrics=metrics,
    )


def _sweeper(
    ends: Ends, engine: Engine, stop: Stop, metrics: RelayMetrics, settings: SweepSettings
) -> Sweeper:
    return Sweeper(
        ends.outbox,
        engine.window,
        stop=stop,
        metrics=metrics,
        now=utc_now,
        min_age=timedelta(seconds=settings.sweep_min_age_seconds),
        interval=timedelta(seconds=settings.sweep_interval_seconds),
    )


def _aws(settings: AwsSettings) -> Aws:
    """Each call is tried once: a relay holds what failed, and a stop must not wait for retries."""
    return Aws(region=settings.aws_region, endpoint_url=settings.aws_endpoint_url, attempts=1)


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
