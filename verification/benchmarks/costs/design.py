"""A way from outbox to bus, as the bills it sends."""

from typing import Protocol

from verification.benchmarks.costs.bill import Bill
from verification.benchmarks.costs.book import Book
from verification.benchmarks.costs.usage import Usage


class Design(Protocol):
    @property
    def name(self) -> str: ...

    def phase(self, usage: Usage, phase: str, book: Book) -> Bill:
        """One phase of one subscription, at batch size 1: nothing else is going on."""
        ...

    def month(self, book: Book) -> Bill:
        """A month in which nothing happens."""
        ...
