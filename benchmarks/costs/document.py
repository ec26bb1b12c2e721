"""docs/costs.md: `python -m benchmarks.costs --write` writes what stands between its marks."""

from collections.abc import Mapping

from benchmarks.calls.tally import Sections
from benchmarks.costs import tables
from benchmarks.costs.book import Book
from benchmarks.costs.model import costs
from local.settings import ROOT

PATH = ROOT / "docs" / "costs.md"
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
