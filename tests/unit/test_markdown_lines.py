"""Every line of a Markdown file fits: a longer one hides its end in an editor and in a diff."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages import ROOT
from tools.book import PAGE_WIDTH

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

UNBREAKABLE = {
    "docs/reference/topology.md": re.compile(r"^  class [\w,]+ dead$"),  # of tools/diagrams
}
"""Lines that are generated, or shown as they are printed, by page."""


def too_long(text: str) -> Iterator[tuple[int, str]]:
    """Lines outside tables that are too long, with their numbers."""
    in_code = False
    for number, line in enumerate(text.splitlines(), start=1):
        in_code ^= line.lstrip().startswith("```")
        if len(line) > PAGE_WIDTH and (in_code or not line.lstrip().startswith("|")):
            yield number, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_line_is_longer_than_an_editor_is_wide(page: Path) -> None:
    """At most 120 columns, in code too; the rows of tables cannot be broken."""
    name = page.relative_to(ROOT).as_posix()
    unbreakable = UNBREAKABLE.get(name)
    long = [
        f"{name}:{number}: {len(line)} columns: {line[:60]}…"
        for number, line in too_long(page.read_text(encoding="utf-8"))
        if not (unbreakable and unbreakable.match(line))
    ]
    assert long == []


def test_a_table_is_exempt_and_code_is_not() -> None:
    """A row starts with a bar; in a block of code a bar is no row."""
    row = f"| {'x' * PAGE_WIDTH} |"
    assert list(too_long(f"{row}\n```\n{row}\n```\n{'y' * PAGE_WIDTH}\n")) == [(3, row)]
