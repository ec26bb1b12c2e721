"""Pages of docs/ with blocks that are made by code, each between two comments that name it."""

from collections.abc import Mapping


def block(page: str, name: str) -> str:
    """What is in a block; raises KeyError without it."""
    start, end = _bounds(page, name)
    return page[start:end].strip()


def written(page: str, blocks: Mapping[str, str]) -> str:
    """The page with these blocks in the place of what was there; raises KeyError."""
    for name, content in blocks.items():
        start, end = _bounds(page, name)
        page = f"{page[:start]}\n{content}\n{page[end:]}"
    return page


def _bounds(page: str, name: str) -> tuple[int, int]:
    opened, closed = f"<!-- {name} -->", f"<!-- /{name} -->"
    if opened not in page or closed not in page:
        raise KeyError(name)
    return page.index(opened) + len(opened), page.index(closed)
