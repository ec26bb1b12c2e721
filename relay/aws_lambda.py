"""The DynamoDB relay as AWS Lambda: shards, leases and checkpoints are Lambda's business, not ours.

`publish` stands behind an event source mapping on the outbox table's stream (INSERT only, partial
batch responses, batches of 100). Poison it sets aside itself, with the reason; what fails for any
other reason it reports: the mapping tries that again, alone in the end, and when it gives up it
tells of it in its on-failure destination, which is the same queue. The row is in the outbox as long
as its event is not in durable hands.

`sweep` runs every minute, is over by the next, and publishes what stayed, whatever the reason.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from threading import Timer
from typing import Any, Protocol

from relay.batch import Rounds
from relay.composition import Ends, aws_of, dynamodb_ends, sweeping
from relay.mapped import MappedStream
from relay.settings import DynamoDBSettings, SweepSettings
from runtime import logs
from runtime.errors import Misconfigured
from runtime.metrics import RelayMetrics, new_registry
from runtime.process import tracing
from runtime.process.shutdown import Stop
from runtime.process.tracing import Tracer
from runtime.settings import load

LEAVES_WITHIN = 12.0
"""Seconds at an invocation's end in which nothing new begins: a call to bus or table is answered or
given up within 7 s, and an engine stops within 9 s. Time out after 30 s or more."""


class Context(Protocol):
    """What is read of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int: ...


class NothingSwept(Exception):
    """Rows were left behind and not one of them could leave; the log says why, call by call."""

    def __init__(self, count: int) -> None:
        super().__init__(f"none of {count} rows that were left behind could be published")


def publish(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Publish the rows that a batch of stream records tells of; returns the records that failed.

    Raises NotAStreamEvent and Misconfigured, or Unavailable while it could not yet look for its
    bus and its queue.
    """
    stream, tracer = _mapped_stream()
    with flushed(tracer):
        return stream.publish(event, lambda: _seconds_left(context) > 0)


def sweep(event: object, context: Context) -> None:  # noqa: ARG001 (a schedule says nothing)
    """Publish what is older than SWEEP_MIN_AGE_SECONDS; what does not fit waits for the next one.

    Raises Unavailable, NothingSwept or Misconfigured: an outage fails the invocation, where an
    alarm sees it, and the rows stay where they are.
    """
    if _seconds_left(context) <= 0:
        raise Misconfigured("give the function a timeout of at least 30 s")
    settings, ends, tracer = _composed("sweep-dynamodb")
    with flushed(tracer):
        sweep_within(_seconds_left(context), ends, settings)


def sweep_within(seconds: float, ends: Ends, settings: SweepSettings) -> None:
    """Make one pass that takes up nothing more when the time is over.

    Raises Unavailable or NothingSwept.
    """
    stop, registry = Stop(), new_registry()
    timer = Timer(seconds, stop.request)
    timer.start()
    try:
        with sweeping(ends, settings, stop, RelayMetrics(registry)) as make_pass:
            taken_up = make_pass()
    finally:
        timer.cancel()
    left = ("relay_events_published_total", "relay_events_dead_lettered_total")
    if taken_up and not any(registry.get_sample_value(name) for name in left):
        raise NothingSwept(taken_up)


@contextmanager
def flushed(tracer: Tracer | None) -> Iterator[None]:
    """Send the block's spans at its end: an execution environment is frozen between two calls."""
    try:
        yield
    finally:
        if tracer is not None:
            tracer.flush()


def _seconds_left(context: Context) -> float:
    return context.get_remaining_time_in_millis() / 1000 - LEAVES_WITHIN


# What is cached lives as long as the execution environment; a failure is not, and is made up for
# by the next invocation.


@cache
def _mapped_stream() -> tuple[MappedStream, Tracer | None]:
    settings, ends, tracer = _composed("relay-dynamodb")
    metrics = RelayMetrics(new_registry())
    rounds = Rounds(ends.outbox, ends.target, ends.dead_letters, metrics)
    return MappedStream(rounds, settings.outbox_table), tracer


@cache
def _composed(process: str) -> tuple[DynamoDBSettings, Ends, Tracer | None]:
    settings = load(DynamoDBSettings)
    logs.configure(level=settings.log_level, form=settings.log_format, process=process)
    aws = aws_of(settings)
    tracer = tracing.start(process)
    return settings, dynamodb_ends(settings, aws, tracer), tracer
