"""Writes contracts/asyncapi.json: `python -m tools.asyncapi`; `--check` only says if it differs."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.asyncapi.document import document

FILE = Path(__file__).parent.parent.parent / "contracts" / "asyncapi.json"


def rendered() -> str:
    """The file's text, the same each time it is made."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str], file: Path = FILE) -> int:
    if arguments == ["--check"]:
        if not file.exists() or file.read_text(encoding="utf-8") != rendered():
            sys.stderr.write(f"run `make schemas`: {file.name} is not what the code says\n")
            return 1
        return 0
    file.write_text(rendered(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
