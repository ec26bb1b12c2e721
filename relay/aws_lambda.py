"""The DynamoDB relay as AWS Lambda: shards, leases and checkpoints are Lambda's business.

`publish` is the target of an event source mapping on the outbox table's stream (INSERT only,
partial batch responses, batches of 100). It dead-letters poison itself, with the reason, and
reports what fails for any other reason: the mapping tries that again, alone in the end, and when it
gives up it sends the position of the records to its on-failure destination, which is the same
queue. The row is in the outbox until its event was accepted by EventBridge.

`sweep` runs every few minutes, is over by the next, and publishes what stayed, whatever the reason.
The two share no memory: it leaves rows that `publish` may still be at (SWEEP_MIN_AGE_SECONDS).

An invocation must outlast the slowest answer that is waited for (runtime.congestion): what is not
answered when it ends may have been accepted, and would be sent again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from threading import Timer
from typing import Any, Protocol

from relay.batch import BatchPublisher, StreamBatchHandler
from relay.composition import adapters_of, aws_of, sweeping
from relay.ports import RelayAdapters
from relay.settings import DynamoDBSettings, SweepSettings
from runtime import logs
from runtime.congestion import LONGEST_TIMEOUT
from runtime.errors import Misconfigured
from runtime.metrics import RelayMetrics, new_registry
from runtime.process import tracing
from runtime.process.shutdown import Stop
from runtime.process.tracing import Tracer
from runtime.settings import load

SHUTDOWN_RESERVE = 5.0
"""Seconds at an invocation's end in which nothing is in flight any more."""

LEAST_TIMEOUT = 180
"""Seconds that an invocation must be given: some for work, and for the slowest answer to it."""


class Context(Protocol):
    """What is read of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int: ...


class NothingSwept(Exception):
    """Not one of the rows that were swept could be published; the log says why, call by call."""

    def __init__(self, count: int) -> None:
        super().__init__(f"none of {count} rows that were swept could be published")


def publish(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Publish the rows of a batch of stream records; returns the records that failed.

    Raises NotAStreamEvent and Misconfigured, or Unavailable while it could not yet check its bus
    and its queue.
    """
    _require_time(context)
    handler, tracer = _stream_batch_handler()
    with flushed(tracer):
        return handler.handle(event, lambda: _seconds_left(context))


def sweep(event: object, context: Context) -> None:  # noqa: ARG001 (a schedule has no input)
    """Publish what is older than SWEEP_MIN_AGE_SECONDS; what does not fit waits for the next one.

    Raises Unavailable, NothingSwept or Misconfigured: an outage fails the invocation, where an
    alarm sees it, and the rows stay where they are.
    """
    _require_time(context)
    settings, adapters, tracer = _composed("sweep-dynamodb")
    with flushed(tracer):
        sweep_within(_seconds_left(context) - LONGEST_TIMEOUT, adapters, settings)


def sweep_within(seconds: float, adapters: RelayAdapters, settings: SweepSettings) -> None:
    """Make one pass that starts nothing more when the time is over, and waits for its answers.

    Raises Unavailable or NothingSwept.
    """
    stop, registry = Stop(), new_registry()
    timer = Timer(seconds, stop.request)
    timer.start()
    try:
        metrics = RelayMetrics(registry)
        with sweeping(adapters, settings, stop, metrics, patience=LONGEST_TIMEOUT) as make_pass:
            swept = make_pass()
    finally:
        timer.cancel()
    left = ("relay_events_published_total", "relay_events_dead_lettered_total")
    if swept and not any(registry.get_sample_value(name) for name in left):
        raise NothingSwept(swept)


@contextmanager
def flushed(tracer: Tracer | None) -> Iterator[None]:
    """Send the block's spans at its end: an execution environment is frozen between two calls."""
    try:
        yield
    finally:
        if tracer is not None:
            tracer.flush()


def _require_time(context: Context) -> None:
    if _seconds_left(context) < LEAST_TIMEOUT - 2 * SHUTDOWN_RESERVE:
        raise Misconfigured(f"give the function a timeout of at least {LEAST_TIMEOUT} s")


def _seconds_left(context: Context) -> float:
    return context.get_remaining_time_in_millis() / 1000 - SHUTDOWN_RESERVE


# What is cached lives as long as the execution environment; a failure is not cached, and the next
# invocation tries again.


@cache
def _stream_batch_handler() -> tuple[StreamBatchHandler, Tracer | None]:
    settings, adapters, tracer = _composed("relay-dynamodb")
    publisher = BatchPublisher(adapters, RelayMetrics(new_registry()))
    return StreamBatchHandler(publisher, settings.outbox_table), tracer


@cache
def _composed(process: str) -> tuple[DynamoDBSettings, RelayAdapters, Tracer | None]:
    settings = load(DynamoDBSettings)
    logs.configure(level=settings.log_level, form=settings.log_format, process=process)
    aws = aws_of(settings)
    tracer = tracing.start(process)
    return settings, adapters_of(settings, aws, tracer), tracer
