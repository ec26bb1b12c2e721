"""EventBridge Pipes in place of the Lambda relays."""

from verification.benchmarks.calls import metering
from verification.benchmarks.costs import deployment, payments
from verification.benchmarks.costs.bill import Bill, Charge
from verification.benchmarks.costs.book import Book
from verification.benchmarks.costs.shared import DAYS_A_MONTH, OUTBOX_ROWS_ITEM, rows, shared
from verification.benchmarks.costs.standing import standing
from verification.benchmarks.costs.usage import Usage

PIPES = "EventBridge: Pipes"


class Pipes:
    """A pipe takes each INSERT to the bus. Rows expire by themselves, and nothing sweeps them.

    DocumentDB is no source of a pipe: payments go as in this design.
    """

    name = "EventBridge Pipes"

    def phase(self, usage: Usage, phase: str, book: Book) -> Bill:
        kept = usage.unit(metering.OUTBOX_BYTES)
        return (
            *shared(usage, phase, book),
            Charge(PIPES, usage.relayed, "eventbridge-pipe"),
            *rows(kept, book.assumed("expiry-days") / DAYS_A_MONTH, OUTBOX_ROWS_ITEM),
            *payments.relayed(usage, book),
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
            *payments.idle(book),
        )
