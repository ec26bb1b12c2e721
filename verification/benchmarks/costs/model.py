"""Dollars per million subscriptions, and per idle month, of each design."""

from dataclasses import dataclass, replace
from pathlib import Path

from verification.benchmarks.calls import expected
from verification.benchmarks.calls.lifecycle import CANCELLED, CREATED
from verification.benchmarks.calls.tally import Sections
from verification.benchmarks.costs.book import Bill, Book
from verification.benchmarks.costs.designs import DESIGNS, Design
from verification.benchmarks.costs.usage import Usage

MILLION = 1_000_000


@dataclass(frozen=True)
class Cost:
    """One design's bills: of a million subscriptions by phase, and of idle months.

    `month` is of a stage like dev without `lowCost`, `dev` of one with it. `batch` events are in
    each call, message batch and invocation.
    """

    design: str
    created: Bill
    cancelled: Bill
    month: Bill
    dev: Bill
    book: Book
    batch: int = 1

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

    @property
    def idle_dev(self) -> float:
        """US dollars a month in which nothing happens, of stage dev: with `lowCost`."""
        return self.book.dollars(self.dev)

    @property
    def million_in_a_month(self) -> float:
        """US dollars a month in which a million subscriptions are created, and cancelled."""
        return self.idle + self.full

    def monthly(self, subscriptions: float) -> float:
        """US dollars a month with that many new subscriptions, and cancellations in proportion."""
        return self.idle + self.mixed * subscriptions / MILLION


def costs(sections: Sections, book: Book, batch: int = 1) -> list[Cost]:
    """Reckon every design from what was counted."""
    return [_cost(design, sections, book, batch) for design in DESIGNS]


def lifecycle_of_071a447() -> Sections:
    """Read the lifecycle that commit 071a447 counted."""
    return expected.load(Path(__file__).with_name("lifecycle_071a447.toml"))


def _cost(design: Design, sections: Sections, book: Book, batch: int) -> Cost:
    created, cancelled = (
        _million(design, Usage.of(sections, phase, batch), phase, book)
        for phase in (CREATED, CANCELLED)
    )
    standard, low = _month(design, book, low_cost=False), _month(design, book, low_cost=True)
    return Cost(design.name, created, cancelled, standard, low, book, batch)


def _million(design: Design, usage: Usage, phase: str, book: Book) -> Bill:
    """The bill of a phase of a million subscriptions."""
    bill = design.phase(usage, phase, book)
    return tuple(replace(charge, quantity=charge.quantity * MILLION) for charge in bill)


def _month(design: Design, book: Book, *, low_cost: bool) -> Bill:
    """The bill of an idle month; what passes a NAT instance is free."""
    bill = design.month(book, low_cost=low_cost)
    return tuple(each for each in bill if not (low_cost and each.price == "nat-traffic"))
