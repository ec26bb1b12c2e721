"""Ways from outbox to bus, as the bills they send: this design, and others."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from verification.benchmarks.calls import metering
from verification.benchmarks.costs import deployment
from verification.benchmarks.costs.book import Book, Charge
from verification.benchmarks.costs.charges import (
    DAYS_A_MONTH,
    OUTBOX_ROWS_ITEM,
    READS_ITEM,
    WRITES_ITEM,
    calls_traffic,
    document_ios,
    payments_idle,
    payments_relayed,
    rows,
    shared,
    standing,
    traffic,
)
from verification.benchmarks.costs.usage import Usage

FUNCTIONS_ITEM, PIPES_ITEM = "Lambda: relays", "EventBridge: Pipes"

FUNCTIONS = len(deployment.FUNCTION_NAMES)
"""Relays of DynamoDB outboxes."""

MISSING_QUEUES = 4
"""subscriptions-dlq and stock-dlq, payment-events.fifo and its dead-letter queue."""


class Month(Protocol):
    def __call__(self, book: Book, *, low_cost: bool) -> Iterator[Charge]: ...


@dataclass(frozen=True)
class Design:
    """`phase` charges for one phase of one subscription.

    `month` does for one in which nothing happens, of a stage with or without `lowCost`.
    """

    name: str
    phase: Callable[[Usage, str, Book], Iterator[Charge]]
    month: Month


# A Lambda function behind each outbox's stream, and one that sweeps it. A row leaves its outbox
# once its event is published; a sweep a minute brings what stayed.


def _our_phase(usage: Usage, phase: str, book: Book) -> Iterator[Charge]:
    yield from shared(usage, phase, book)
    yield Charge(WRITES_ITEM, usage.unit(metering.DELETE_UNITS), "dynamodb-write")
    yield from _invoked(usage.batches_relayed, book.assumed("lambda-seconds-publish"))
    yield from payments_relayed(usage, book)


def _our_month(book: Book, *, low_cost: bool) -> Iterator[Charge]:
    sweeps = FUNCTIONS * deployment.SWEEPS_AN_HOUR * book.assumed("hours-a-month")
    yield from standing(
        book,
        tasks=len(deployment.TASK_NAMES),
        alarms=deployment.alarm_metrics(),
        outboxes=deployment.OUTBOX_COUNT,
        low_cost=low_cost,
    )
    yield from _invoked(sweeps, book.assumed("lambda-seconds-sweep"))
    yield Charge(READS_ITEM, sweeps, "dynamodb-read")  # one Scan of an empty table each
    yield from payments_idle(book)


def _invoked(
    times: float, seconds: float, gigabytes: float = deployment.FUNCTION_GIGABYTES
) -> Iterator[Charge]:
    yield Charge(FUNCTIONS_ITEM, times, "lambda-request")
    yield Charge(FUNCTIONS_ITEM, times * seconds * gigabytes, "lambda-duration")


# The relay that one writes first, as a Fargate task for each outbox: it is
# verification/benchmarks/floors/naive_relay.py, and one like it for the change stream. It polls,
# sends five records a PutEvents and looks at no answer. It deletes nothing, sweeps nothing, has no
# dead letters, and sends payments to the bus with no FIFO queue between.


def _naive_phase(usage: Usage, phase: str, book: Book) -> Iterator[Charge]:
    outbox = usage.unit(metering.OUTBOX_BYTES)
    calls = usage.calls_to_queues_and_buses - usage.unit(metering.SQS_FIFO)
    yield from shared(usage, phase, book)
    yield from rows(outbox, book.assumed("row-months"), OUTBOX_ROWS_ITEM)
    yield from document_ios(usage, book, deletes=False)
    yield calls_traffic(usage, calls + usage.relayed, book)


def _naive_month(book: Book, *, low_cost: bool) -> Iterator[Charge]:
    tasks = 2 * deployment.API_COUNT + FUNCTIONS + 1
    alarms = deployment.QUEUE_COUNT - MISSING_QUEUES + tasks + 2 * deployment.API_COUNT
    polled = _polls_of_streams("stream-polls-a-second", book)
    yield from standing(book, tasks=tasks, alarms=alarms, outboxes=0, low_cost=low_cost)
    yield Charge(READS_ITEM, polled, "dynamodb-stream-read")
    yield traffic(polled * book.assumed("poll-bytes"))


def _polls_of_streams(pace: str, book: Book) -> float:
    """GetRecords in a month, whether or not they bring anything; a stream has one shard."""
    return FUNCTIONS * book.assumed(pace) * 3600 * book.assumed("hours-a-month")


# EventBridge Pipes in place of the Lambda relays: a pipe takes each INSERT to the bus. Rows expire
# by themselves, and nothing sweeps them. DocumentDB is no source of a pipe: payments go as in this
# design.


def _pipes_phase(usage: Usage, phase: str, book: Book) -> Iterator[Charge]:
    kept = usage.unit(metering.OUTBOX_BYTES)
    yield from _piped(usage, phase, book)
    yield from rows(kept, book.assumed("expiry-days") / DAYS_A_MONTH, OUTBOX_ROWS_ITEM)


def _piped(usage: Usage, phase: str, book: Book) -> Iterator[Charge]:
    """A pipe takes rows on as they are: none of them is packed. Each event is a request."""
    yield from shared(usage, phase, book)
    yield Charge(WRITES_ITEM, usage.unit(metering.PACKED_WRITE_UNITS), "dynamodb-write")
    yield Charge(PIPES_ITEM, usage.relayed, "eventbridge-pipe")
    yield from payments_relayed(usage, book)


def _pipes_month(book: Book, *, low_cost: bool) -> Iterator[Charge]:
    of_functions = FUNCTIONS * (deployment.ALARMS_OF_A_FUNCTION + 1)  # and the oldest row's
    of_pipes = 2 * FUNCTIONS  # a pipe that fails, one that is behind
    yield from standing(
        book,
        tasks=len(deployment.TASK_NAMES),
        alarms=deployment.alarm_metrics() - of_functions + of_pipes,
        outboxes=deployment.OUTBOX_COUNT - FUNCTIONS,
        low_cost=low_cost,
    )
    yield Charge(READS_ITEM, _polls_of_streams("pipe-polls-a-second", book), "dynamodb-stream-read")
    yield from payments_idle(book)


# The same, and each row is deleted once its event is on its bus, as in this design: a rule there
# calls a small function for each event.


def _deleting_phase(usage: Usage, phase: str, book: Book) -> Iterator[Charge]:
    yield from _piped(usage, phase, book)
    deletes = usage.unit(metering.DELETE_UNITS) + usage.unit(metering.PACKED_DELETE_UNITS)
    yield Charge(WRITES_ITEM, deletes, "dynamodb-write")
    yield from _invoked(
        usage.relayed,
        book.assumed("lambda-seconds-delete"),
        book.assumed("delete-function-gigabytes"),
    )


THIS_DESIGN = Design("this design", _our_phase, _our_month)
NAIVE_RELAY = Design("naive relay", _naive_phase, _naive_month)
PIPES = Design("EventBridge Pipes", _pipes_phase, _pipes_month)

PIPES_DELETING = Design("Pipes, rows deleted", _deleting_phase, _pipes_month)

DESIGNS = (THIS_DESIGN, NAIVE_RELAY, PIPES, PIPES_DELETING)
