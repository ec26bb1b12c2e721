"""Results as the table that a person reads: in the terminal and in docs/performance.md."""

from textwrap import fill
from typing import get_args

from verification.benchmarks.lines import BenchmarkLine, GoalVerdict, Results, Series

_HEAD = (
    "| what | ours | beside | ratio | 95 % interval | goal | |",
    "|---|---|---|---|---|---|---|",
)


def markdown(results: Results) -> str:
    """One table per row of the benchmark, medians with the least and the most in brackets."""
    rows = dict.fromkeys(line.row for line in results.lines)
    return "\n\n".join([*(_table(results, row) for row in rows), _provenance(results)])


def _table(results: Results, row: str) -> str:
    lines = [_line(line) for line in results.lines if line.row == row]
    return "\n".join([f"**{row}**", "", *_HEAD, *lines])


def _provenance(results: Results) -> str:
    """When, where and with what a run was made."""
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    where = f"{results.date}, commit {results.commit}, {results.machine}"
    return fill(f"`{results.command}`: {where}; {versions}.", width=120)


def verdicts(results: Results) -> str:
    """How many goals were met, and a line for each that was not, or that was not decided."""
    found = {verdict: results.with_verdict(verdict) for verdict in get_args(GoalVerdict)}
    counts = ", ".join(f"{len(lines)} {verdict}" for verdict, lines in found.items())
    others = [
        f"{verdict}: {line.row}, {line.what}: {_found(line)}, goal {line.goal}"
        for verdict, lines in found.items()
        for line in lines
        if verdict != "met"
    ]
    return "\n".join([f"goals: {counts}", *others])


def _found(line: BenchmarkLine) -> str:
    if line.ratio is None or line.peer is None:
        return shown(line.ours, line.unit)
    return f"{line.ratio:.2f} times {line.peer.name} ({interval_of(line)})"


def _line(line: BenchmarkLine) -> str:
    peer = f"{line.peer.name}: {shown(line.peer, '')}" if line.peer else ""
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
    goal = "" if line.goal is None else str(line.goal)
    note = f" ({line.note})" if line.note else ""
    ours = shown(line.ours, line.unit)
    cells = (f"{line.what}{note}", ours, peer, ratio, interval_of(line), goal, marked(line))
    return f"| {' | '.join(cells)} |"


def marked(line: BenchmarkLine) -> str:
    """The verdict; one that is missed stands out."""
    return f"**{line.verdict}**" if line.verdict == "missed" else line.verdict or ""


def interval_of(line: BenchmarkLine) -> str:
    """The interval, or why there is none; nothing for what was counted."""
    if line.peer is None and not line.is_timed:
        return ""
    if line.interval is None:
        rounds = len(line.ours.values)
        return f"none from {rounds} round{'s' * (rounds > 1)}"
    write = number if line.peer is None else "{:.2f}".format
    return f"{write(line.interval.low)} to {write(line.interval.high)}"


def shown(series: Series, unit: str) -> str:
    low, high = series.spread
    spread = "" if low == high else f" ({number(low)} to {number(high)})"
    return f"{number(series.median)} {unit}".rstrip() + spread


def number(value: float) -> str:
    """Write a number with three digits that say something."""
    if abs(value) >= 100:  # noqa: PLR2004 (three digits)
        return f"{value:,.0f}"
    return f"{value:.3g}"
