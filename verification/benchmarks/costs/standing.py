"""What every design pays for a month in which nothing happens."""

from collections.abc import Iterator

from verification.benchmarks.costs import deployment
from verification.benchmarks.costs.bill import Charge
from verification.benchmarks.costs.book import Book
from verification.benchmarks.costs.shared import DOCUMENTS, LOGS, NAT, QUEUES, traffic

TASKS, WATCHING, OTHER = "Fargate", "CloudWatch: alarms and metrics", "keys, secret, DNS zone"


def standing(book: Book, *, tasks: int, alarms: int, outboxes: int) -> Iterator[Charge]:
    """With so many tasks, metrics under alarm, and outboxes whose age is measured."""
    hours = book.assumed("hours-a-month")
    yield Charge(TASKS, tasks * deployment.PROCESSOR * hours, "fargate-processor")
    yield Charge(TASKS, tasks * deployment.MEMORY * hours, "fargate-memory")
    yield Charge(DOCUMENTS, hours, "documentdb-instance")
    yield Charge(NAT, hours, "nat-hour")
    yield Charge(NAT, hours, "public-address")
    yield from polls("sqs-standard", deployment.POLLERS, book)
    yield Charge(WATCHING, alarms, "alarm")
    insights = (
        book.assumed("insights-metrics-cluster")
        + book.assumed("insights-metrics-task") * tasks
        + book.assumed("insights-metrics-service") * tasks
    )
    yield Charge(WATCHING, insights + outboxes, "metric")
    yield Charge(WATCHING, 1, "dashboard")
    yield Charge(LOGS, book.assumed("idle-log-gigabytes"), "logs-in")
    months = book.assumed("log-months")
    yield Charge(LOGS, book.assumed("idle-log-gigabytes") * months, "logs-kept")
    yield Charge(OTHER, deployment.KEYS, "key")
    yield Charge(OTHER, book.assumed("key-requests"), "key-request")
    yield Charge(OTHER, 1, "secret")
    yield Charge(OTHER, 1, "hosted-zone")


def polls(price: str, pollers: int, book: Book) -> Iterator[Charge]:
    """Receives that come back empty, one after the other, through the NAT gateway."""
    count = pollers * book.assumed("hours-a-month") * 3600 / deployment.WAIT_SECONDS
    yield Charge(QUEUES, count, price)
    yield traffic(count * book.assumed("poll-bytes"))
