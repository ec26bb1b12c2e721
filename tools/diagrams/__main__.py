"""Writes every block: `python -m tools.diagrams`; `--check` only says which files differ."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.local_system.settings import ROOT
from tools.diagrams.blocks import BadBlock, written


def changed(root: Path) -> Mapping[Path, str]:
    """Files whose blocks are not what would be written, and what would. Raises BadBlock."""
    found: dict[Path, str] = {}
    for file in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        text = file.read_text(encoding="utf-8")
        try:
            new = written(text)
        except BadBlock as error:
            raise BadBlock(f"{file.relative_to(root)}: {error}") from None
        if new != text:
            found[file] = new
    return found


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    try:
        found = changed(root)
    except BadBlock as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if arguments == ["--check"]:
        names = ", ".join(str(file.relative_to(root)) for file in found)
        if names:
            sys.stderr.write(f"run `make diagrams`: {names}\n")
        return 1 if names else 0
    for file, text in found.items():
        file.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
