"""This design: a Lambda function behind each outbox's stream, and one that sweeps it."""

from collections.abc import Iterator

from verification.benchmarks.calls import metering
from verification.benchmarks.costs import deployment, payments
from verification.benchmarks.costs.bill import Bill, Charge
from verification.benchmarks.costs.book import Book
from verification.benchmarks.costs.shared import READS_ITEM, WRITES_ITEM, logs, shared
from verification.benchmarks.costs.standing import standing
from verification.benchmarks.costs.usage import Usage

FUNCTIONS_ITEM = "Lambda: relays"


class Ours:
    """A row leaves its outbox once its event is published; a sweep a minute brings what stayed."""

    name = "this design"

    def phase(self, usage: Usage, phase: str, book: Book) -> Bill:
        return (
            *shared(usage, phase, book),
            Charge(WRITES_ITEM, usage.unit(metering.DELETE_UNITS), "dynamodb-write"),
            *_invoked(usage.relayed, book.assumed("lambda-seconds-publish")),
            *logs(usage.relayed * book.assumed("lambda-log-bytes"), book),
            *payments.relayed(usage, book),
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
            *payments.idle(book),
        )


def _invoked(times: float, seconds: float) -> Iterator[Charge]:
    yield Charge(FUNCTIONS_ITEM, times, "lambda-request")
    gigabyte_seconds = times * seconds * deployment.FUNCTION_GIGABYTES
    yield Charge(FUNCTIONS_ITEM, gigabyte_seconds, "lambda-duration")
