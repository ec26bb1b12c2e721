"""Prints the branch coverage of the packages that carry promises; fails below the floor.

`python -m tools.branch_coverage`, after pytest has written .coverage. coverage's own total mixes
lines and branches; this counts branches alone.
"""

import json
import subprocess
import sys
from typing import Any

from runtime.process.command import run_command

PACKAGES = ("relay", "runtime", "services")
FLOOR = 90.0
"""Percent of branches."""


def main() -> int:
    command = [sys.executable, "-m", "coverage", "json", "-q", "-o", "-"]
    files = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["files"]
    percents = {name: percent_of(name, files) for name in PACKAGES}
    sys.stdout.write(
        "branches covered: "
        + ", ".join(f"{name} {percent:.1f} %" for name, percent in percents.items())
        + f" (at least {FLOOR:.0f} % each)\n"
    )
    return int(min(percents.values()) < FLOOR)


def percent_of(package: str, files: dict[str, Any]) -> float:
    """Percent of a package's branches that are covered; `files` is from coverage's JSON."""
    ours = [each["summary"] for path, each in files.items() if path.startswith(f"{package}/")]
    covered: int = sum(each["covered_branches"] for each in ours)
    total: int = sum(each["num_branches"] for each in ours)
    return 100 * covered / total


if __name__ == "__main__":
    run_command(main)
