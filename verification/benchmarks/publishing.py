"""Writes a full run into docs/performance.md, its plots, and the three figures of README.md."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from infra.local_system.settings import ROOT
from verification.benchmarks import plots
from verification.benchmarks.costs.designs import THIS_DESIGN
from verification.benchmarks.goals import goals
from verification.benchmarks.lines import Results
from verification.benchmarks.pages import write
from verification.benchmarks.rows import calls, end_to_end, relay_stub
from verification.benchmarks.table import markdown, number

PERFORMANCE_PAGE = ROOT / "docs" / "performance.md"
PERFORMANCE_DATA = ROOT / "docs" / "performance.json"
README = ROOT / "README.md"
IMAGES = ROOT / "docs" / "images"


def publish(results: Results, stored: Path) -> None:
    """Write what is made from results, and keep the JSON that they were `stored` in."""
    shutil.copyfile(stored, PERFORMANCE_DATA)
    for page, blocks in pages(results).items():
        write(page, blocks)
    plots.draw(results, IMAGES)


def pages(results: Results) -> Mapping[Path, Mapping[str, str]]:
    """By page, the blocks that follow from results."""
    return {
        PERFORMANCE_PAGE: {"goals": goals(results), "results": markdown(results)},
        README: {"figures": _figures(results)},
    }


def _figures(results: Results) -> str:
    """The table of README.md; raises LookupError for a run that did not play all of it."""
    p50 = _found(results, end_to_end.ROW, end_to_end.latency("allocated", 0.5))
    p99 = _found(results, end_to_end.ROW, end_to_end.latency("allocated", 0.99))
    customers = _found(results, end_to_end.ROW, end_to_end.SUSTAINABLE)
    events = _found(results, relay_stub.ROW, relay_stub.ON_LOOPBACK)
    dollars = _found(results, calls.ROW, f"{calls.COST_OF_A_MILLION}, {THIS_DESIGN.name}")
    latency = f"{p50} ms at the median, {p99} ms at the 99th percentile"
    rows = (
        ("from a request to its effect in another service", latency, "make bench"),
        ("events through one relay", f"{events} a second", "make bench"),
        ("customers through the whole system", f"{customers} a second", "make bench"),
        ("a million subscriptions on AWS, created and cancelled", f"${dollars}", "make costs"),
    )
    table = (f"| {what} | **{found}** | `{command}` |" for what, found, command in rows)
    return "\n".join(["| | | |", "|---|---|---|", *table])


def _found(results: Results, row: str, what: str) -> str:
    """A line's median as it is shown."""
    for line in results.lines:
        if (line.row, line.what) == (row, what):
            return number(line.ours.median)
    raise LookupError(f"{row}: {what}: play that row before publishing")
