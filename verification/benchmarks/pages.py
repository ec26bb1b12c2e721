"""Pages of docs/ with blocks that are made by code, each between two comments that name it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path


def write(page: Path, blocks: Mapping[str, str]) -> None:
    page.write_text(written(page.read_text(encoding="utf-8"), blocks), encoding="utf-8")


def written(page: str, blocks: Mapping[str, str]) -> str:
    """The page with these blocks in the place of what was there; raises KeyError."""
    for name, content in blocks.items():
        opened, closed = f"<!-- {name} -->", f"<!-- /{name} -->"
        if opened not in page or closed not in page:
            raise KeyError(name)
        start, end = page.index(opened) + len(opened), page.index(closed)
        page = f"{page[:start]}\n{content}\n{page[end:]}"
    return page


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table of markdown."""
    marks = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, marks, *rows))
