"""Ties the pages of docs/ into a book: `python -m tools.book`.

docs/README.md lists every page in its order. Each page ends with a line that leads to the page
before it, the contents and the page after it; this writes those lines, and `--check` writes nothing
and fails if one is not what would be written.
"""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from tools import generated

DOCS = Path(__file__).parent.parent / "docs"
CONTENTS = DOCS / "README.md"

_LISTED = re.compile(r"^- \[(.+?)\]\(([^)#]+\.md)\)", re.MULTILINE)
_TURN = re.compile(r"\n---\n\n(?:[^\n]+\n)?[^\n]*\[Contents\]\([^)]*\)[^\n]*\n(?:[^\n]+\n)?\Z")

PAGE_WIDTH = 120
"""Columns of a line of a page: a longer one hides its end in an editor and in a diff."""


@dataclass(frozen=True)
class BookPage:
    """A page as the contents name it; `path` is relative to docs/."""

    title: str
    path: str

    @property
    def file(self) -> Path:
        return DOCS / self.path


def pages() -> list[BookPage]:
    """Every page that the contents list, in order."""
    listed = _LISTED.findall(CONTENTS.read_text(encoding="utf-8"))
    return [BookPage(title, path) for title, path in listed]


def bare(text: str) -> str:
    """A page without the line that ties it in."""
    return _TURN.sub("", text)


def bound(path: str, text: str) -> str:
    """A page, docs/`path`, with that line."""
    order = pages()
    place = next(number for number, page in enumerate(order) if page.path == path)
    here = Path(path).parent
    links = [_link(BookPage("Contents", "README.md"), here)]
    if place > 0:
        links.insert(0, f"← {_link(order[place - 1], here)}")
    if place + 1 < len(order):
        links.append(f"{_link(order[place + 1], here)} →")
    turn = " · ".join(links)
    if len(turn) > PAGE_WIDTH:
        turn = " ·\n".join(links)
    return f"{bare(text)}\n---\n\n{turn}\n"


def rendered() -> dict[Path, str]:
    """Every page with that line."""
    return {page.file: bound(page.path, page.file.read_text(encoding="utf-8")) for page in pages()}


def _link(page: BookPage, folder: Path) -> str:
    return f"[{page.title}]({os.path.relpath(page.path, folder)})"


if __name__ == "__main__":
    raise SystemExit(generated.main(sys.argv[1:], rendered(), "make docs"))
