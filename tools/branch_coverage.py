"""Prints the branch coverage of the packages that carry promises; fails below the floor.

`python -m tools.branch_coverage`, after pytest has written .coverage. coverage's own total mixes
lines and branches; this counts branches alone.
"""

import json
import subprocess
import sys
from collections import defaultdict

from runtime.process.command import run_command

PACKAGES = ("relay", "runtime", "services")
FLOOR = 90.0
"""Percent of branches."""


def main() -> int:
    report = json.loads(
        subprocess.run(
            [sys.executable, "-m", "coverage", "json", "-q", "-o", "-"],
            check=True,
            capture_output=True,
        ).stdout
    )
    branches: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for path, file in report["files"].items():
        package = path.partition("/")[0]
        branches[package][0] += file["summary"]["covered_branches"]
        branches[package][1] += file["summary"]["num_branches"]
    percents = {name: 100 * branches[name][0] / branches[name][1] for name in PACKAGES}
    sys.stdout.write(
        "branches covered: "
        + ", ".join(f"{name} {percent:.1f} %" for name, percent in percents.items())
        + f" (at least {FLOOR:.0f} % each)\n"
    )
    return int(min(percents.values()) < FLOOR)


if __name__ == "__main__":
    run_command(main)
