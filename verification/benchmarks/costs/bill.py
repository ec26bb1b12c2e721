"""A bill: quantities, each with the name of its price."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from verification.benchmarks.costs.book import Price


@dataclass(frozen=True)
class Charge:
    """Units of a price; `what` is the line of the table that it belongs to."""

    what: str
    quantity: float
    price: str


Bill = tuple[Charge, ...]


def dollars(bill: Iterable[Charge], prices: Mapping[str, Price]) -> float:
    return sum(charge.quantity * prices[charge.price].each for charge in bill)


def lines(bill: Iterable[Charge], prices: Mapping[str, Price]) -> dict[str, float]:
    """US dollars by line, in the order in which lines first appear."""
    found: dict[str, float] = {}
    for charge in bill:
        found[charge.what] = found.get(charge.what, 0.0) + dollars([charge], prices)
    return found


def times(bill: Iterable[Charge], factor: float) -> Bill:
    """The bill of that many times as much."""
    return tuple(replace(charge, quantity=charge.quantity * factor) for charge in bill)
