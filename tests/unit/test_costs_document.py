"""docs/costs.md and its plot say what the code reckons."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from verification.benchmarks.calls import expected
from verification.benchmarks.costs import document
from verification.benchmarks.costs.book import Price, load
from verification.benchmarks.costs.document import draw
from verification.benchmarks.costs.model import costs
from verification.benchmarks.pages import written

HOW = "run `python -m verification.benchmarks.costs --write` and read the difference"


def test_the_page_holds_the_tables_that_the_command_prints() -> None:
    """Whoever changes a count, a price or an assumption writes the page anew."""
    page, generated = document.COSTS_PAGE.read_text(), document.parts(expected.load(), load())
    assert written(page, generated) == page, HOW
    assert set(re.findall(r"<!-- (\w+) -->", page)) == set(generated)


def test_the_plot_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    """It holds no date and no random ids."""
    drawn = tmp_path / "costs.svg"
    draw(costs(expected.load(), load(), document.BATCHES[-1]), drawn)
    assert drawn.read_bytes() == document.PLOT.read_bytes(), HOW


def test_every_price_and_assumption_is_used() -> None:
    """A number that nothing multiplies would only pretend to be in the sum."""
    book = load()
    used = {
        charge.price
        for cost in costs(expected.load(), book)
        for charge in (*cost.created, *cost.cancelled, *cost.month, *cost.dev)
    }
    assert used == set(book.prices)
    code = "".join(path.read_text() for path in Path(document.__file__).parent.glob("*.py"))
    phased = {f"log-bytes-{phase}" for phase in ("created", "cancelled")}
    assert {name for name in book.assumptions if f'"{name}"' not in code} == phased


def test_a_price_needs_the_page_that_it_is_from() -> None:
    """What nobody can look up is refused, as is a price of nothing."""
    good = {"dollars": 1, "per": 1, "unit": "u", "source": "https://example.com", "edition": "e"}
    assert Price.model_validate(good).each == 1
    for wrong in ({"source": "a friend"}, {"dollars": 0}, {"edition": ""}, {"more": 1}):
        with pytest.raises(ValidationError):
            Price.model_validate(good | wrong)
