"""Writes what docs/reference/ has of the code itself: `python -m tools.reference`.

Settings from the settings classes, commands from `streamed`'s own grammar and the Makefile, routes
from the OpenAPI documents, verdicts on failures from their tables. `--check` writes nothing and
fails if a page is not what would be written.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.local_system.environment import avoid_aws
from tools.book import DOCS, bound
from tools.reference import commands, failures, routes, variables

MAKEFILE = DOCS.parent / "Makefile"


def rendered() -> Mapping[Path, str]:
    """Every page and its text, the same each time it is made."""
    texts = {
        "reference/settings.md": variables.page(),
        "reference/cli.md": commands.page(MAKEFILE.read_text(encoding="utf-8")),
        "reference/http.md": routes.page(),
        "reference/failures.md": failures.page(),
    }
    return {DOCS / path: bound(path, text) for path, text in texts.items()}


def drift() -> list[str]:
    """Pages that are missing or differ, by name."""
    return [
        path.name
        for path, text in rendered().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main(arguments: Sequence[str]) -> int:
    avoid_aws(os.environ)  # the APIs are made for their routes, and call nothing
    if arguments == ["--check"]:
        drifted = drift()
        if drifted:
            sys.stderr.write(f"run `make docs`: {', '.join(drifted)}\n")
        return 1 if drifted else 0
    for path, text in rendered().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
