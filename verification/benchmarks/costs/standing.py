"""What every design pays for a month in which nothing happens."""

from collections.abc import Iterator

from verification.benchmarks.costs import deployment
from verification.benchmarks.costs.bill import Charge
from verification.benchmarks.costs.book import Book
from verification.benchmarks.costs.shared import (
    DOCUMENTS_ITEM,
    LOGS_ITEM,
    NAT_ITEM,
    QUEUES_ITEM,
    traffic,
)

TASKS_ITEM, WATCHING_ITEM, OTHER_ITEM = (
    "Fargate",
    "CloudWatch: alarms and metrics",
    "keys, secret, DNS zone",
)


def standing(book: Book, *, tasks: int, alarms: int, outboxes: int) -> Iterator[Charge]:
    """With these numbers of tasks, metrics under alarm, and outboxes whose age is measured."""
    hours = book.assumed("hours-a-month")
    yield Charge(TASKS_ITEM, tasks * deployment.TASK_PROCESSORS * hours, "fargate-processor")
    yield Charge(TASKS_ITEM, tasks * deployment.TASK_GIGABYTES * hours, "fargate-memory")
    yield Charge(DOCUMENTS_ITEM, hours, "documentdb-instance")
    yield Charge(NAT_ITEM, hours, "nat-hour")
    yield Charge(NAT_ITEM, hours, "public-address")
    yield from polls("sqs-standard", deployment.POLLERS, book)
    yield Charge(WATCHING_ITEM, alarms, "alarm")
    insights = (
        book.assumed("insights-metrics-cluster")
        + book.assumed("insights-metrics-task") * tasks
        + book.assumed("insights-metrics-service") * tasks
    )
    yield Charge(WATCHING_ITEM, insights + outboxes, "metric")
    yield Charge(WATCHING_ITEM, 1, "dashboard")
    yield Charge(LOGS_ITEM, book.assumed("idle-log-gigabytes"), "logs-in")
    months = book.assumed("log-months")
    yield Charge(LOGS_ITEM, book.assumed("idle-log-gigabytes") * months, "logs-kept")
    yield Charge(OTHER_ITEM, deployment.KEY_COUNT, "key")
    yield Charge(OTHER_ITEM, book.assumed("key-requests"), "key-request")
    yield Charge(OTHER_ITEM, 1, "secret")
    yield Charge(OTHER_ITEM, 1, "hosted-zone")


def polls(price: str, pollers: int, book: Book) -> Iterator[Charge]:
    """Receives that come back empty, one after the other, through the NAT_ITEM gateway."""
    count = pollers * book.assumed("hours-a-month") * 3600 / deployment.WAIT_SECONDS
    yield Charge(QUEUES_ITEM, count, price)
    yield traffic(count * book.assumed("poll-bytes"))
