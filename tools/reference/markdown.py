"""Tables and paragraphs of a Markdown page."""

import textwrap
from collections.abc import Iterable, Sequence

from tools.book import PAGE_WIDTH


def paragraph(text: str) -> str:
    """A text in lines of at most WIDTH columns; a link is broken between words of its text."""
    return textwrap.fill(text, PAGE_WIDTH, break_long_words=False, break_on_hyphens=False)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines)


def cell(text: str) -> str:
    """A text that cannot end its cell."""
    return text.replace("|", "\\|").replace("\n", " ")


def code(text: str) -> str:
    return f"`{text}`"
