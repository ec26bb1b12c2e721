"""Dollars per million subscriptions, and per idle month, of each design."""

from dataclasses import dataclass, replace

from verification.benchmarks.calls.lifecycle import CANCELLED, CREATED
from verification.benchmarks.calls.tally import Sections
from verification.benchmarks.costs.book import Bill, Book
from verification.benchmarks.costs.designs import DESIGNS, Design
from verification.benchmarks.costs.usage import Usage

MILLION = 1_000_000


@dataclass(frozen=True)
class Cost:
    """One design's bills: of a million subscriptions by phase, and of an idle month."""

    design: str
    created: Bill
    cancelled: Bill
    month: Bill
    book: Book

    @property
    def created_only(self) -> float:
        """US dollars a million subscriptions that are never cancelled."""
        return self.book.dollars(self.created)

    @property
    def full(self) -> float:
        """US dollars a million subscriptions that are all cancelled in the end."""
        return self.created_only + self.book.dollars(self.cancelled)

    @property
    def mixed(self) -> float:
        """US dollars a million subscriptions of which the assumed share is cancelled."""
        share = self.book.assumed("cancelled-share")
        return self.created_only + share * (self.full - self.created_only)

    @property
    def idle(self) -> float:
        """US dollars a month in which nothing happens."""
        return self.book.dollars(self.month)

    def monthly(self, subscriptions: float) -> float:
        """US dollars a month with that many new subscriptions, and cancellations in proportion."""
        return self.idle + self.mixed * subscriptions / MILLION


def costs(sections: Sections, book: Book) -> list[Cost]:
    """Reckon every design from what was counted."""
    return [_cost(design, sections, book) for design in DESIGNS]


def _cost(design: Design, sections: Sections, book: Book) -> Cost:
    created = _million(design, sections, CREATED, book)
    cancelled = _million(design, sections, CANCELLED, book)
    return Cost(design.name, created, cancelled, tuple(design.month(book)), book)


def _million(design: Design, sections: Sections, phase: str, book: Book) -> Bill:
    """The bill of a phase of a million subscriptions."""
    bill = design.phase(Usage.of(sections, phase), phase, book)
    return tuple(replace(charge, quantity=charge.quantity * MILLION) for charge in bill)
