"""Ties the pages of docs/ into a book: `python -m tools.book`.

docs/README.md lists every page in its order. Each page ends with a line that leads to the page
before it, the contents and the page after it; this writes those lines, and `--check` writes nothing
and fails if one is not what would be written.
"""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

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
    before = order[place - 1] if place else None
    after = order[place + 1] if place + 1 < len(order) else None
    here = Path(path).parent
    links = [
        *([f"← {_link(before, here)}"] if before else []),
        _link(BookPage("Contents", "README.md"), here),
        *([f"{_link(after, here)} →"] if after else []),
    ]
    turn = " · ".join(links)
    if len(turn) > PAGE_WIDTH:
        turn = " ·\n".join(links)
    return f"{bare(text)}\n---\n\n{turn}\n"


def drift() -> list[str]:
    """Pages whose last line is not what would be written, by path."""
    return [path for path, now, wanted in _rendered() if now != wanted]


def main(arguments: Sequence[str]) -> int:
    if arguments == ["--check"]:
        drifted = drift()
        if drifted:
            sys.stderr.write(f"run `make docs`: {', '.join(drifted)}\n")
        return 1 if drifted else 0
    for path, now, wanted in _rendered():
        if now != wanted:
            (DOCS / path).write_text(wanted, encoding="utf-8")
    return 0


def _rendered() -> Iterator[tuple[str, str, str]]:
    for page in pages():
        now = page.file.read_text(encoding="utf-8")
        yield page.path, now, bound(page.path, now)


def _link(page: BookPage, folder: Path) -> str:
    return f"[{page.title}]({os.path.relpath(page.path, folder)})"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
