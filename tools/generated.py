"""Files that are written from the code, and whether they are what would be written now."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def main(arguments: Sequence[str], files: Mapping[Path, str], command: str) -> int:
    """Write the files; with `--check`, only say which differ. `command` is what writes them."""
    differing = outdated(files)
    if arguments == ["--check"]:
        if differing:
            sys.stderr.write(f"run `{command}`: {', '.join(map(os.path.relpath, differing))}\n")
        return 1 if differing else 0
    for path in differing:
        path.parent.mkdir(exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    return 0


def json_text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def outdated(files: Mapping[Path, str]) -> list[Path]:
    """Those that are missing, or whose text is another."""
    return [
        path
        for path, text in files.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
