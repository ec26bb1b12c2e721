"""Three ways from outbox to bus, as the bills they send: this design, and two others."""

from collections.abc import Iterator
from typing import Protocol

from verification.benchmarks.calls import metering
from verification.benchmarks.costs import deployment
from verification.benchmarks.costs.bill import Bill, Charge
from verification.benchmarks.costs.book import Book
from verification.benchmarks.costs.charges import (
    DAYS_A_MONTH,
    OUTBOX_ROWS_ITEM,
    READS_ITEM,
    WRITES_ITEM,
    document_ios,
    logs,
    payments_idle,
    payments_relayed,
    rows,
    shared,
    standing,
    traffic,
)
from verification.benchmarks.costs.usage import Usage

FUNCTIONS_ITEM, PIPES_ITEM = "Lambda: relays", "EventBridge: Pipes"

MISSING_QUEUES = 4
"""subscriptions-dlq and stock-dlq, payment-events.fifo and its dead-letter queue."""


class Design(Protocol):
    @property
    def name(self) -> str: ...

    def phase(self, usage: Usage, phase: str, book: Book) -> Bill:
        """One phase of one subscription, at batch size 1: nothing else is going on."""
        ...

    def month(self, book: Book) -> Bill:
        """A month in which nothing happens."""
        ...


class Ours:
    """A Lambda function behind each outbox's stream, and one that sweeps it.

    A row leaves its outbox once its event is published; a sweep a minute brings what stayed.
    """

    name = "this design"

    def phase(self, usage: Usage, phase: str, book: Book) -> Bill:
        return (
            *shared(usage, phase, book),
            Charge(WRITES_ITEM, usage.unit(metering.DELETE_UNITS), "dynamodb-write"),
            *_invoked(usage.relayed, book.assumed("lambda-seconds-publish")),
            *logs(usage.relayed * book.assumed("lambda-log-bytes"), book),
            *payments_relayed(usage, book),
        )

    def month(self, book: Book) -> Bill:
        sweeps = (
            len(deployment.FUNCTION_NAMES)
            * deployment.SWEEPS_AN_HOUR
            * book.assumed("hours-a-month")
        )
        return (
            *standing(
                book,
                tasks=len(deployment.TASK_NAMES),
                alarms=deployment.alarm_metrics(),
                outboxes=deployment.OUTBOX_COUNT,
            ),
            *_invoked(sweeps, book.assumed("lambda-seconds-sweep")),
            Charge(READS_ITEM, sweeps, "dynamodb-read"),  # one Scan of an empty table each
            *payments_idle(book),
        )


class Naive:
    """The relay that one writes first, as a Fargate task for each outbox.

    It is verification/benchmarks/floors/naive_relay.py, and one like it for the change stream.
    It polls, sends five records a PutEvents and looks at no answer. It deletes nothing, sweeps
    nothing, has no dead letters, and sends payments to the bus with no FIFO queue between.
    """

    name = "naive relay"

    def phase(self, usage: Usage, phase: str, book: Book) -> Bill:
        outbox = usage.unit(metering.OUTBOX_BYTES)
        calls = usage.calls_through_nat(without_relays=False) - usage.unit(metering.SQS_FIFO)
        return (
            *shared(usage, phase, book),
            *rows(outbox, book.assumed("row-months"), OUTBOX_ROWS_ITEM),
            Charge(READS_ITEM, usage.relayed, "dynamodb-stream-read"),
            *document_ios(usage, book, deletes=False),
            traffic((calls + usage.relayed) * book.assumed("call-bytes")),
        )

    def month(self, book: Book) -> Bill:
        relays = len(deployment.FUNCTION_NAMES) + 1
        tasks = 2 * deployment.API_COUNT + relays
        alarms = deployment.QUEUE_COUNT - MISSING_QUEUES + tasks + 2 * deployment.API_COUNT
        looks = len(deployment.FUNCTION_NAMES) * book.assumed("stream-polls-a-second") * 3600
        polled = looks * book.assumed("hours-a-month")
        return (
            *standing(book, tasks=tasks, alarms=alarms, outboxes=0),
            Charge(READS_ITEM, polled, "dynamodb-stream-read"),
            traffic(polled * book.assumed("poll-bytes")),
        )


class Pipes:
    """EventBridge Pipes in place of the Lambda relays.

    A pipe takes each INSERT to the bus. Rows expire by themselves, and nothing sweeps them.

    DocumentDB is no source of a pipe: payments go as in this design.
    """

    name = "EventBridge Pipes"

    def phase(self, usage: Usage, phase: str, book: Book) -> Bill:
        kept = usage.unit(metering.OUTBOX_BYTES)
        return (
            *shared(usage, phase, book),
            Charge(PIPES_ITEM, usage.relayed, "eventbridge-pipe"),
            *rows(kept, book.assumed("expiry-days") / DAYS_A_MONTH, OUTBOX_ROWS_ITEM),
            *payments_relayed(usage, book),
        )

    def month(self, book: Book) -> Bill:
        pipes = len(deployment.FUNCTION_NAMES)
        of_functions = pipes * (deployment.ALARMS_OF_A_FUNCTION + 1)  # and the oldest row's
        of_pipes = 2 * pipes  # a pipe that fails, one that is behind
        return (
            *standing(
                book,
                tasks=len(deployment.TASK_NAMES),
                alarms=deployment.alarm_metrics() - of_functions + of_pipes,
                outboxes=deployment.OUTBOX_COUNT - pipes,
            ),
            *payments_idle(book),
        )


DESIGNS: tuple[Design, ...] = (Ours(), Naive(), Pipes())


def _invoked(times: float, seconds: float) -> Iterator[Charge]:
    yield Charge(FUNCTIONS_ITEM, times, "lambda-request")
    gigabyte_seconds = times * seconds * deployment.FUNCTION_GIGABYTES
    yield Charge(FUNCTIONS_ITEM, gigabyte_seconds, "lambda-duration")
