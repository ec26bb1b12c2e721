"""The relay's calls for each event of a drain: stepped, with its own threads, and as a Lambda."""

import threading
from collections.abc import Iterator
from itertools import islice
from typing import Any

from prometheus_client import CollectorRegistry

from relay.__main__ import DaemonAdapters, dynamodb_adapters
from relay.aws_lambda import LEAST_TIMEOUT
from relay.batch import BatchPublisher, StreamBatchHandler
from relay.pipeline import Pipeline
from relay.settings import DynamoDBRelaySettings
from runtime.metrics import RelayMetrics
from runtime.process.shutdown import Stop
from verification.benchmarks.calls.counting import counted
from verification.benchmarks.calls.metering import Meter
from verification.benchmarks.calls.stepped import SteppedRelay
from verification.benchmarks.calls.tally import CallTally
from verification.benchmarks.contenders import fill
from verification.benchmarks.floors.aws import cut, stream_end
from verification.load.outboxes import LoadedTable
from verification.testkit.engines import Engines

DRAINED_EVENTS = 1000
"""Rows of a drain, each of an aggregate of its own."""

DRAINED_RELAY = "subscriptions-relay"
LAMBDA_BATCH_SIZE = 100
"""Records that Lambda hands over, as infra/aws/relays.py says; importing that would start CDK."""

STEPPED_DRAIN, THREADED_DRAIN, LAMBDA_DRAIN = "stepped", "threaded", "lambda"


def count_stepped(engines: Engines) -> CallTally:
    """One reads all, publishes all, deletes all: the fewest calls that the code makes."""
    tally = CallTally()
    relay = SteppedRelay(_adapters(engines, tally))
    fill(LoadedTable(engines), DRAINED_EVENTS)
    tally.phase = STEPPED_DRAIN
    relay.relay(DRAINED_EVENTS)
    return tally


def count_threaded(engines: Engines) -> CallTally:
    """With the pipeline's own threads, as the daemon runs: it varies with timing."""
    tally = CallTally()
    adapters = _adapters(engines, tally)
    stop = Stop()
    pipeline = Pipeline(adapters, stop=stop, metrics=RelayMetrics(CollectorRegistry()))
    adapters.feed.open()
    fill(LoadedTable(engines), DRAINED_EVENTS)
    tally.phase = THREADED_DRAIN
    running = threading.Thread(target=pipeline.run)
    running.start()
    offered = 0
    try:
        while offered < DRAINED_EVENTS:
            offered += pipeline.window.offer(adapters.feed.read())
        pipeline.window.wait_until_empty()
    finally:
        stop.request()
        running.join()
    return tally


def count_lambda(engines: Engines) -> CallTally:
    """As on AWS: Lambda reads the stream, at no charge, and hands batches of 100 over."""
    tally = CallTally()
    adapters = _adapters(engines, tally)
    outbox, streams = LoadedTable(engines), engines.aws.client("dynamodbstreams")
    iterator = stream_end(outbox.table, engines.aws.client("dynamodb"), streams)
    fill(outbox, DRAINED_EVENTS)
    tally.phase = LAMBDA_DRAIN
    publisher = BatchPublisher(adapters, RelayMetrics(CollectorRegistry()))
    handler = StreamBatchHandler(publisher, outbox.table)
    inserts = islice(_inserts(streams, iterator), DRAINED_EVENTS)
    records = [{**each, "eventSourceARN": f"arn/{outbox.table}"} for each in inserts]
    for some in cut(records, LAMBDA_BATCH_SIZE):
        answer = handler.handle({"Records": some}, lambda: LEAST_TIMEOUT)
        if answer["batchItemFailures"]:
            raise NotPublished(answer)
    return tally


class NotPublished(Exception):
    """The function reported records as failed."""


def _inserts(streams: Any, iterator: str) -> Iterator[dict[str, Any]]:
    """Read a shard on and on: its records of new rows, one by one."""
    while True:
        answer = streams.get_records(ShardIterator=iterator)
        iterator = answer["NextShardIterator"]
        yield from (each for each in answer["Records"] if each["eventName"] == "INSERT")


def _adapters(engines: Engines, tally: CallTally) -> DaemonAdapters:
    settings = engines.settings(DynamoDBRelaySettings, DRAINED_RELAY)
    with counted(DRAINED_RELAY, tally, Meter(tally)):
        return dynamodb_adapters(settings, Stop())
