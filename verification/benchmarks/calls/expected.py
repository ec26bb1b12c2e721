"""The committed counts, and what has changed since: verification/benchmarks/calls/expected.toml."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from verification.benchmarks.calls.tally import Sections

EXPECTED_COUNTS = Path(__file__).with_name("expected.toml")

COMMAND = "python -m verification.benchmarks.calls --accept"

_HEAD = f"""\
# Calls to AWS of one subscription's full life at batch size 1, by phase, process and operation,
# what AWS bills of them, and the calls of a drain of 1000 events. Counted by
# `python -m verification.benchmarks.calls`; tests/integration/test_call_counts.py holds the code to
# it, and docs/costs.md is computed from it. Written by `{COMMAND}`: read
# the difference.
"""


def load(path: Path = EXPECTED_COUNTS) -> Sections:
    """Read what is committed."""
    return {
        f"{kind}.{phase}.{owner}": counts
        for kind, phases in tomllib.loads(path.read_text()).items()
        for phase, owners in phases.items()
        for owner, counts in owners.items()
    }


def dump(sections: Sections) -> str:
    """Write sections as TOML, in their order."""
    tables = (_table(name, counts) for name, counts in sections.items())
    return "\n\n".join([_HEAD.rstrip(), *tables]) + "\n"


def _table(name: str, counts: Mapping[str, int]) -> str:
    lines = (f'"{key}" = {count}' for key, count in counts.items())
    return "\n".join([f"[{name}]", *lines])


def changes(expected: Sections, found: Sections) -> list[str]:
    """Say, line by line, where two counts differ; empty if nowhere."""
    return [
        f"{section}: {name}: expected {before}, counted {now}"
        for section in sorted(expected.keys() | found.keys())
        for name in sorted(expected.get(section, {}).keys() | found.get(section, {}).keys())
        if (before := expected.get(section, {}).get(name, 0))
        != (now := found.get(section, {}).get(name, 0))
    ]


def complaint(lines: list[str]) -> str:
    """What a person reads when the gate is shut."""
    return "\n".join(
        [
            "The calls to AWS have changed, and what a subscription costs with them:",
            *(f"  {line}" for line in lines),
            f"If that is meant: run `{COMMAND}` and",
            "`python -m verification.benchmarks.costs --write`, read the difference in",
            "verification/benchmarks/calls/expected.toml and docs/costs.md, and commit both with",
            "the reason. If not, the code now calls AWS more often, or less, than it needs to.",
        ]
    )
