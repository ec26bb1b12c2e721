"""The relay that one writes first, as a Fargate task for each outbox."""

from verification.benchmarks.calls import metering
from verification.benchmarks.costs import deployment, payments
from verification.benchmarks.costs.bill import Bill, Charge
from verification.benchmarks.costs.book import Book
from verification.benchmarks.costs.shared import OUTBOX_ROWS_ITEM, READS_ITEM, rows, shared, traffic
from verification.benchmarks.costs.standing import standing
from verification.benchmarks.costs.usage import Usage

MISSING_QUEUES = 4
"""subscriptions-dlq and stock-dlq, payment-events.fifo and its dead-letter queue."""


class Naive:
    """verification/benchmarks/floors/naive_relay.py, and one like it for the change stream.

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
            *payments.documents(usage, book, deletes=False),
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
