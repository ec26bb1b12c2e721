"""The table of goals: what was asked for, what was found, and whether each holds."""

from collections.abc import Mapping, Sequence

from verification.benchmarks.baseline import BASELINE
from verification.benchmarks.lines import BenchmarkLine, Results
from verification.benchmarks.pages import table
from verification.benchmarks.table import interval_of, marked, number, shown

_HEAD = (
    "measure",
    "when it was set",
    f"{BASELINE} in this run",
    "this commit",
    "95 % interval",
    "goal",
    "",
)

HEADINGS: Mapping[bool, str] = {
    False: "AUTH=off, version 1 of the events, no inventory",
    True: "the same with the defaults: tokens, version 2 of the events, an inventory",
}
"""By whether it was measured with the defaults."""

BY_HAND = (
    "`make test` (at most 6 min) and `make demo` from nothing (at most 45 s) are timed by hand:"
    " docs/performance.md has both."
)


NONE = "The run has none of the goals above: it is of other rows, or of a commit before them."


def goals(results: Results) -> str:
    """Write a table for each of HEADINGS of which something was played."""
    tables = [
        f"**Goals: {heading}**\n\n{table(_HEAD, map(_row, lines))}"
        for has_defaults, heading in HEADINGS.items()
        if (lines := _with_goals(results, has_defaults=has_defaults))
    ]
    return "\n\n".join([*tables, BY_HAND] if tables else [NONE])


def _with_goals(results: Results, *, has_defaults: bool) -> Sequence[BenchmarkLine]:
    return [
        line
        for line in results.lines
        if line.goal and line.goal.measure and line.with_defaults == has_defaults
    ]


def _row(line: BenchmarkLine) -> Sequence[str]:
    goal = line.goal
    assert goal is not None  # noqa: S101 (only lines that have one)
    found = shown(line.ours, "") if line.ratio is None else f"{line.ratio:.2f}"
    before = "" if line.baseline is None else number(line.baseline)
    return goal.measure, goal.before, before, found, interval_of(line), str(goal), marked(line)
