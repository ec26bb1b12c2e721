"""What every design pays for a subscription: the same data, the same events, the same consumers."""

from collections.abc import Iterator

from infra.topology import TOPOLOGY
from verification.benchmarks.calls import metering
from verification.benchmarks.costs.bill import Charge
from verification.benchmarks.costs.book import Book
from verification.benchmarks.costs.routes import buses, queues
from verification.benchmarks.costs.usage import Published, Usage

GIGABYTE = 1_000_000_000
DAYS_A_MONTH = 365 / 12

EVENTS_ITEM, ARCHIVES_ITEM = "EventBridge: events", "EventBridge: archives"
WRITES_ITEM, READS_ITEM, ROWS_ITEM = "DynamoDB: writes", "DynamoDB: reads", "DynamoDB: rows kept"
OUTBOX_ROWS_ITEM = "DynamoDB: outbox rows kept"
QUEUES_ITEM, REQUESTS_ITEM = "SQS", "API Gateway"
LOGS_ITEM, DOCUMENTS_ITEM, NAT_ITEM = "CloudWatch: logs", "DocumentDB", "NAT gateway"

ARCHIVE_DAYS = {each.bus: each.retention_days for each in TOPOLOGY.archives}
"""Days that a bus's archive keeps an event."""


def shared(usage: Usage, phase: str, book: Book) -> Iterator[Charge]:
    """One phase of one subscription, without what brings its events from outbox to bus."""
    for event in usage.published:
        yield from _event(event, book)
    yield Charge(WRITES_ITEM, usage.unit(metering.WRITE_UNITS), "dynamodb-write")
    yield Charge(READS_ITEM, usage.unit(metering.READ_UNITS), "dynamodb-read")
    yield from rows(usage.unit(metering.STORED_BYTES), book.assumed("row-months"))
    yield Charge(QUEUES_ITEM, usage.unit(metering.SQS_STANDARD), "sqs-standard")
    yield Charge(REQUESTS_ITEM, 1, "http-api")  # the POST, or the PATCH
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
    """Bytes through the NAT_ITEM gateway."""
    return Charge(NAT_ITEM, size / GIGABYTE, "nat-traffic")


def _event(event: Published, book: Book) -> Iterator[Charge]:
    """Put on its bus, sent on to others, archived and logged on each, delivered to queues."""
    reached = buses(event.bus, event.event_type)
    size = event.size + book.assumed("envelope-bytes")
    yield Charge(EVENTS_ITEM, 1, "eventbridge-event")
    yield Charge(EVENTS_ITEM, len(reached) - 1, "eventbridge-hop")
    yield Charge(ARCHIVES_ITEM, size * len(reached) / GIGABYTE, "archive-in")
    days = sum(ARCHIVE_DAYS[bus] for bus in reached)
    yield Charge(ARCHIVES_ITEM, size * days / DAYS_A_MONTH / GIGABYTE, "archive-kept")
    line = size + book.assumed("log-line-overhead-bytes")
    yield from logs(line * len(reached), book)
    yield Charge(QUEUES_ITEM, len(queues(event.bus, event.event_type)), "sqs-standard")
