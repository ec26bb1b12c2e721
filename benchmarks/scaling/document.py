"""docs/scaling.md has blocks that are made here, each between two comments that name it."""

from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "scaling.md"
PLOT = ROOT / "docs" / "images" / "scaling.svg"


def block(text: str, name: str) -> str:
    """What stands in a block; raises KeyError without it."""
    start, end = _bounds(text, name)
    return text[start:end].strip()


def written(text: str, blocks: Mapping[str, str]) -> str:
    """The text with these blocks in the place of what was there; raises KeyError."""
    for name, content in blocks.items():
        start, end = _bounds(text, name)
        text = f"{text[:start]}\n{content}\n{text[end:]}"
    return text


def _bounds(text: str, name: str) -> tuple[int, int]:
    opened, closed = f"<!-- {name} -->", f"<!-- /{name} -->"
    if opened not in text or closed not in text:
        raise KeyError(name)
    return text.index(opened) + len(opened), text.index(closed)
