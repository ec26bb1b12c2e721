"""Writes every block: `python -m tools.diagrams`; `--check` only says which files differ."""

import sys
from pathlib import Path

from infra.local_system.settings import ROOT
from tools import generated
from tools.diagrams.blocks import BadBlock, written


def rendered(root: Path = ROOT) -> dict[Path, str]:
    """Every page with its blocks written again. Raises BadBlock."""
    found: dict[Path, str] = {}
    for file in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        try:
            found[file] = written(file.read_text(encoding="utf-8"))
        except BadBlock as error:
            raise BadBlock(f"{file.relative_to(root)}: {error}") from None
    return found


if __name__ == "__main__":
    try:
        raise SystemExit(generated.main(sys.argv[1:], rendered(), "make diagrams"))
    except BadBlock as bad:
        sys.exit(str(bad))
