"""`python3 -m tools.setup local|full`: .venv with what running needs, or with everything.

Exits with 2 and one sentence where it cannot. Any Python 3 can read this file, and say that it is
too old; the rest is imported after that.
"""

import shutil
import sys

OLDEST = (3, 11)
NEWER = ("python3.13", "python3.12", "python3.11")


def main() -> int:
    """The exit code: 0, or 2 after a sentence on stderr."""
    if sys.version_info[:2] < OLDEST:
        sys.stderr.write(too_old(sys.version_info[:2], next(filter(shutil.which, NEWER), None)))
        return 2
    from tools.setup.environment import run  # noqa: PLC0415

    return run(sys.argv[1:])


def too_old(version: "tuple[int, int]", newer: "str | None") -> str:
    """What to type: with a newer Python that is on PATH, or with one that must be installed."""
    repair = "make PYTHON=" + newer if newer else "install one, then make PYTHON=/path/to/it"
    this = ".".join(map(str, version))
    return "set-up: Python 3.11 or newer is needed, and this one is " + this + ": " + repair + "\n"


if __name__ == "__main__":
    sys.exit(main())
