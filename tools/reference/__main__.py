"""Writes what docs/reference/ has of the code itself: `python -m tools.reference`.

Settings from the settings classes, commands from `streamed`'s own grammar and the Makefile, routes
from the OpenAPI documents, verdicts on failures and what emulators fake from their tables.
`--check` writes nothing and fails if a page is not what would be written.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.local_system.environment import avoid_aws
from tools import generated
from tools.book import DOCS, bound
from tools.reference import commands, emulators, failures, routes, variables

MAKEFILE = DOCS.parent / "Makefile"


def rendered() -> Mapping[Path, str]:
    """Every page and its text, the same each time it is made."""
    texts = {
        "reference/settings.md": variables.page(),
        "reference/cli.md": commands.page(MAKEFILE.read_text(encoding="utf-8")),
        "reference/http.md": routes.page(),
        "reference/failures.md": failures.page(),
        "reference/emulators.md": emulators.page(),
    }
    return {DOCS / path: bound(path, text) for path, text in texts.items()}


if __name__ == "__main__":
    avoid_aws(os.environ)  # the APIs are made for their routes, and call nothing
    raise SystemExit(generated.main(sys.argv[1:], rendered(), "make docs"))
