"""docs/costs.md: `python -m verification.benchmarks.costs --write` writes between its marks."""

from collections.abc import Mapping

from infra.local_system.settings import ROOT
from verification.benchmarks.calls.tally import Sections
from verification.benchmarks.costs import tables
from verification.benchmarks.costs.book import Book
from verification.benchmarks.costs.model import costs

COSTS_PAGE = ROOT / "docs" / "costs.md"
PLOT = ROOT / "docs" / "images" / "costs.svg"


def parts(sections: Sections, book: Book) -> Mapping[str, str]:
    """Every generated part of the page, by the name of its marks."""
    found = costs(sections, book)
    return {
        "summary": tables.summary(found),
        "calls": tables.calls(sections),
        "variable": tables.variable(found),
        "fixed": tables.fixed(found),
        "assumptions": tables.assumptions(book),
        "prices": tables.prices(book),
    }
