"""Pages of docs/ as a reader takes them: the files they give, the changes, the commands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"`([^`\n]+)`:\s*\Z")
_HUNK = re.compile(r"^@@ .*\n", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block. `file` is the path that stands before it, as in "`services/a.py`:"."""

    language: str
    text: str
    file: str | None


def blocks(page: Path) -> list[Block]:
    """Every block of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            fence[1],
            fence[2],
            named[1] if (named := _NAMED.search(text[: fence.start()])) else None,
        )
        for fence in _FENCE.finditer(text)
    ]


def write_file(block: Block, folder: Path) -> Path:
    """Write a block that is a whole file to where its page says."""
    assert block.file is not None, f"no path stands before: {block.text[:200]}"
    path = folder / block.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")
    return path


def apply_diff(block: Block, folder: Path) -> Path:
    """Apply a unified diff of one file; returns the file.

    Raises AssertionError for a hunk whose old lines are not in the file exactly once: then the file
    has changed since the page was written, or a reader could not tell where the change belongs.
    """
    header, *hunks = _HUNK.split(block.text)
    (name,) = re.findall(r"^\+\+\+ b/(\S+)$", header, re.MULTILINE)
    path = folder / str(name)
    text = path.read_text(encoding="utf-8")
    for hunk in hunks:
        old, new = _sides(hunk)
        assert text.count(old) == 1, f"{name}: {text.count(old)} places for the hunk\n{hunk}"
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


def _sides(hunk: str) -> tuple[str, str]:
    """What a hunk finds, and what it leaves; an editor may have cut the space of an empty line."""
    lines = [
        line if line.strip() else f" {line.strip(' ')}" for line in hunk.splitlines(keepends=True)
    ]
    old = "".join(line[1:] for line in lines if line[0] in " -")
    new = "".join(line[1:] for line in lines if line[0] in " +")
    return old, new


def shown_lines(block: Block) -> Iterator[str]:
    """What a page shows of an output, line by line and `masked`; a line of … alone says nothing."""
    for line in masked(block.text).splitlines():
        for part in line.split("…"):
            if part.strip():
                yield part.strip()


def masked(output: str) -> str:
    """Put a letter for what is another each time: times, event ids; and one space for many."""
    output = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "T", output)
    output = re.sub(
        r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b", "E", output
    )
    return re.sub(r"[ \t]+", " ", output)
