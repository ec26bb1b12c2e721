"""Results as the table that a person reads: in the terminal and in docs/performance.md."""

from benchmarks.lines import Line, Results, Series

_HEAD = (
    "| what | ours | beside | ratio | goal | |",
    "|---|---|---|---|---|---|",
)


def markdown(results: Results) -> str:
    """One table per row of the benchmark, medians with the least and the most in brackets."""
    rows = dict.fromkeys(line.row for line in results.lines)
    blocks = []
    for row in rows:
        lines = [_line(line) for line in results.lines if line.row == row]
        blocks.append("\n".join([f"**{row}**", "", *_HEAD, *lines]))
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    where = f"{results.date}, commit {results.commit}, {results.machine}"
    blocks.append(f"`{results.command}`: {where}; {versions}.")
    return "\n\n".join(blocks)


def _line(line: Line) -> str:
    peer = f"{line.peer.name}: {_shown(line.peer, '')}" if line.peer else ""
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
    goal = "" if line.goal is None else str(line.goal)
    verdict = {None: "", True: "met", False: "**missed**"}[line.holds]
    note = f" ({line.note})" if line.note else ""
    cells = (f"{line.what}{note}", _shown(line.ours, line.unit), peer, ratio, goal, verdict)
    return f"| {' | '.join(cells)} |"


def _shown(series: Series, unit: str) -> str:
    low, high = series.spread
    spread = "" if low == high else f" ({number(low)} to {number(high)})"
    return f"{number(series.median)} {unit}".rstrip() + spread


def number(value: float) -> str:
    """Write a number with three digits that say something."""
    if value == 0:
        return "0"
    if abs(value) >= 100:  # noqa: PLR2004 (three digits)
        return f"{value:,.0f}"
    return f"{value:.3g}"
