"""Payments' way from outbox to bus: ours, and Pipes' too, which cannot read DocumentDB."""

from collections.abc import Iterator

from verification.benchmarks.calls import metering
from verification.benchmarks.costs import deployment
from verification.benchmarks.costs.bill import Charge
from verification.benchmarks.costs.book import Book
from verification.benchmarks.costs.shared import DOCUMENTS_ITEM, QUEUES_ITEM, traffic
from verification.benchmarks.costs.standing import polls
from verification.benchmarks.costs.usage import Usage


def relayed(usage: Usage, book: Book) -> Iterator[Charge]:
    """Through the FIFO queue, and the documents deleted after it; calls go through NAT."""
    yield Charge(QUEUES_ITEM, usage.unit(metering.SQS_FIFO), "sqs-fifo")
    yield from documents(usage, book, deletes=True)
    yield traffic(usage.calls_through_nat(without_relays=True) * book.assumed("call-bytes"))


def documents(usage: Usage, book: Book, *, deletes: bool) -> Iterator[Charge]:
    """DocumentDB's I/O."""
    ios = usage.commands("commitTransaction") * book.assumed("documentdb-ios-commit")
    if deletes:
        ios += usage.commands("delete") * book.assumed("documentdb-ios-delete")
    yield Charge(DOCUMENTS_ITEM, ios, "documentdb-io")


def idle(book: Book) -> Iterator[Charge]:
    """Forwarders poll, and the change-stream relay asks how much waits in the queue."""
    yield from polls("sqs-fifo", deployment.FIFO_POLLERS, book)
    looks = deployment.OUTBOX_LOOKS_AN_HOUR * book.assumed("hours-a-month")
    yield Charge(QUEUES_ITEM, looks, "sqs-fifo")
    yield traffic(looks * book.assumed("poll-bytes"))
