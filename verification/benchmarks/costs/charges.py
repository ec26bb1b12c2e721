"""What designs pay for: a subscription's data and events, an idle month, payments' way to a bus."""

from collections.abc import Iterator

from contracts.names import EventType
from verification.benchmarks.calls import metering
from verification.benchmarks.costs import deployment
from verification.benchmarks.costs.book import Book, Charge
from verification.benchmarks.costs.usage import Usage, archives, buses, route_of

GIGABYTE = 1_000_000_000
DAYS_A_MONTH = 365 / 12

EVENTS_ITEM, ARCHIVES_ITEM = "EventBridge: events", "EventBridge: archives"
WRITES_ITEM, READS_ITEM, ROWS_ITEM = "DynamoDB: writes", "DynamoDB: reads", "DynamoDB: rows kept"
OUTBOX_ROWS_ITEM = "DynamoDB: outbox rows kept"
QUEUES_ITEM, REQUESTS_ITEM = "SQS", "API Gateway"
LOGS_ITEM, WATCHING_ITEM = "CloudWatch: logs", "CloudWatch: alarms and metrics"
DOCUMENTS_ITEM, NAT_ITEM, TASKS_ITEM = "DocumentDB", "NAT", "Fargate"
OTHER_ITEM = "keys, secrets, DNS zone"


def shared(usage: Usage, phase: str, book: Book) -> Iterator[Charge]:
    """One phase of one subscription, without what brings its events from outbox to bus."""
    for event, size in usage.published.items():
        yield from _event(event, size, book)
    yield Charge(WRITES_ITEM, usage.unit(metering.WRITE_UNITS), "dynamodb-write")
    yield Charge(READS_ITEM, usage.unit(metering.READ_UNITS), "dynamodb-read")
    yield from rows(usage.unit(metering.STORED_BYTES), book.assumed("row-months"))
    yield Charge(QUEUES_ITEM, usage.requests(metering.SQS_STANDARD), "sqs-standard")
    yield Charge(REQUESTS_ITEM, 1, "http-api")  # the POST, or the PATCH
    if phase == "created":
        yield Charge(OTHER_ITEM, book.assumed("data-key-requests"), "key-request")
    said = book.assumed(f"log-bytes-{phase}") + book.assumed("access-log-bytes")
    yield from logs(said, book)
    yield traffic(book.assumed(f"log-bytes-{phase}"))


def rows(size: float, months: float, what: str = ROWS_ITEM) -> Iterator[Charge]:
    """Bytes in tables for some months, with their point-in-time recovery."""
    for price in ("dynamodb-kept", "dynamodb-recovery"):
        yield Charge(what, size * months / GIGABYTE, price)


def logs(size: float, book: Book) -> Iterator[Charge]:
    """Bytes that are written to a log group and kept for its retention."""
    yield Charge(LOGS_ITEM, size / GIGABYTE, "logs-in")
    yield Charge(LOGS_ITEM, size * book.assumed("log-months") / GIGABYTE, "logs-kept")


def traffic(size: float) -> Charge:
    """Bytes through the NAT gateway."""
    return Charge(NAT_ITEM, size / GIGABYTE, "nat-traffic")


def _event(event: EventType, entry_size: int, book: Book) -> Iterator[Charge]:
    """Put on its bus, sent on to others, archived and logged on each, delivered to queues."""
    route = route_of(event)
    reached, archived = buses(route), archives(route)
    size = entry_size + book.assumed("envelope-bytes")
    yield Charge(EVENTS_ITEM, 1, "eventbridge-event")
    yield Charge(EVENTS_ITEM, len(reached) - 1, "eventbridge-hop")
    yield Charge(ARCHIVES_ITEM, size * len(archived) / GIGABYTE, "archive-in")
    days = sum(each.retention_days for each in archived)
    yield Charge(ARCHIVES_ITEM, size * days / DAYS_A_MONTH / GIGABYTE, "archive-kept")
    line = size + book.assumed("log-line-overhead-bytes")
    yield from logs(line * len(reached), book)
    yield Charge(QUEUES_ITEM, len(route.deliveries), "sqs-standard")


def standing(
    book: Book, *, tasks: int, alarms: int, outboxes: int, low_cost: bool
) -> Iterator[Charge]:
    """With these numbers of tasks, metrics under alarm, and outboxes whose age is measured.

    Of a stage with or without `lowCost`; what its traffic through NAT costs is `month`'s.
    """
    hours = book.assumed("hours-a-month")
    kind = "fargate-spot" if low_cost else "fargate"
    yield Charge(TASKS_ITEM, tasks * deployment.TASK_PROCESSORS * hours, f"{kind}-processor")
    yield Charge(TASKS_ITEM, tasks * deployment.TASK_GIGABYTES * hours, f"{kind}-memory")
    yield Charge(DOCUMENTS_ITEM, hours, "documentdb-instance")
    yield Charge(NAT_ITEM, hours, "nat-instance" if low_cost else "nat-hour")
    if low_cost:
        yield Charge(NAT_ITEM, deployment.NAT_DISK_GIGABYTES, "disk")
    yield Charge(NAT_ITEM, hours, "public-address")
    yield from polls("sqs-standard", deployment.POLLERS, book)
    yield Charge(WATCHING_ITEM, alarms, "alarm")
    yield Charge(WATCHING_ITEM, outboxes, "metric")
    yield Charge(WATCHING_ITEM, 1, "dashboard")
    yield from logs(book.assumed("idle-log-gigabytes") * GIGABYTE, book)
    yield Charge(OTHER_ITEM, deployment.KEY_COUNT, "key")
    yield Charge(OTHER_ITEM, book.assumed("key-requests"), "key-request")
    yield Charge(OTHER_ITEM, deployment.SECRET_COUNT, "secret")
    yield Charge(OTHER_ITEM, 1, "hosted-zone")


def polls(price: str, pollers: int, book: Book) -> Iterator[Charge]:
    """Receives that come back empty, one after the other, through the NAT gateway."""
    count = pollers * book.assumed("hours-a-month") * 3600 / deployment.WAIT_SECONDS
    yield Charge(QUEUES_ITEM, count, price)
    yield traffic(count * book.assumed("poll-bytes"))


def payments_relayed(usage: Usage, book: Book) -> Iterator[Charge]:
    """Payments' way to the bus: the FIFO queue, and the documents deleted after it, through NAT."""
    yield Charge(QUEUES_ITEM, usage.requests(metering.SQS_FIFO), "sqs-fifo")
    yield from document_ios(usage, book, deletes=True)
    yield calls_traffic(usage, usage.calls_through_nat, book)


def calls_traffic(usage: Usage, calls: float, book: Book) -> Charge:
    """So many calls at batch size 1, through the NAT gateway; fuller ones are fewer and larger."""
    more = (usage.batch - 1) * book.assumed("more-event-bytes")
    return traffic(calls / usage.batch * (book.assumed("call-bytes") + more))


def document_ios(usage: Usage, book: Book, *, deletes: bool) -> Iterator[Charge]:
    """DocumentDB's I/O."""
    ios = usage.commands("commitTransaction") * book.assumed("documentdb-ios-commit")
    if deletes:
        ios += usage.commands("delete") * book.assumed("documentdb-ios-delete")
    yield Charge(DOCUMENTS_ITEM, ios, "documentdb-io")


def payments_idle(book: Book) -> Iterator[Charge]:
    """Forwarders poll, and the change-stream relay asks how much waits in the queue."""
    yield from polls("sqs-fifo", deployment.FIFO_POLLERS, book)
    looks = deployment.OUTBOX_LOOKS_AN_HOUR * book.assumed("hours-a-month")
    yield Charge(QUEUES_ITEM, looks, "sqs-fifo")
    yield traffic(looks * book.assumed("poll-bytes"))
