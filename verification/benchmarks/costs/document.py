"""docs/costs.md: `python -m verification.benchmarks.costs --write` writes between its marks."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.local_system.settings import ROOT
from verification.benchmarks.calls.tally import Sections
from verification.benchmarks.costs import tables
from verification.benchmarks.costs.book import Book
from verification.benchmarks.costs.model import Cost, costs
from verification.benchmarks.drawing import drawn, write_numbers_out

COSTS_PAGE = ROOT / "docs" / "costs.md"
PLOT = ROOT / "docs" / "images" / "costs.svg"

POINTS = 61
LEAST, DECADES = 1_000, 5
"""From a thousand subscriptions a month to a hundred million."""

STYLES = ("-", "--", ":")


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


def draw(found: Sequence[Cost], path: Path = PLOT) -> None:
    """Draw dollars a month over new subscriptions a month, the same byte for byte each time."""
    volumes = [LEAST * 10 ** (DECADES * n / (POINTS - 1)) for n in range(POINTS)]
    with drawn(path) as axes:
        for cost, style in zip(found, STYLES, strict=True):
            axes.plot(
                volumes, [cost.monthly(volume) for volume in volumes], style, label=cost.design
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(100, 10_000)
        write_numbers_out(axes)
        share = found[0].book.assumed("cancelled-share")
        axes.set_xlabel(f"new subscriptions a month, {share:.0%} of them cancelled in the end")
        axes.set_ylabel("US dollars a month")
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend(frameon=False)
