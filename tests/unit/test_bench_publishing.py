"""docs/performance.md and README.md say what the last published run found."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from verification.benchmarks import plots
from verification.benchmarks.lines import load
from verification.benchmarks.pages import written
from verification.benchmarks.publishing import PERFORMANCE_DATA, PERFORMANCE_PAGE, pages
from verification.benchmarks.rows import (
    api,
    calls,
    change_stream,
    consumer,
    end_to_end,
    process_costs,
    relay_stub,
    slow_bus,
)

HOW = "run `python -m verification.benchmarks --publish`, all rows, and read the difference"


def test_pages_hold_what_the_published_run_found() -> None:
    """The table and the three figures of README.md come from docs/performance.json."""
    for page, blocks in pages(load(PERFORMANCE_DATA)).items():
        assert written(page.read_text(), blocks) == page.read_text(), HOW


def test_plots_are_drawn_anew_byte_for_byte(tmp_path: Path) -> None:
    """They are those of docs/images."""
    plots.draw(load(PERFORMANCE_DATA), tmp_path)
    drawn = sorted(each.name for each in tmp_path.iterdir())
    assert drawn == ["performance-latency.svg", "performance-relay.svg"]
    for name in drawn:
        published = PERFORMANCE_DATA.parent / "images" / name
        assert (tmp_path / name).read_bytes() == published.read_bytes(), HOW


def test_a_run_of_some_rows_cannot_be_published() -> None:
    """README.md would keep figures of another run beside it."""
    results = load(PERFORMANCE_DATA)
    with pytest.raises(LookupError, match="before publishing"):
        pages(replace(results, lines=[line for line in results.lines if "End" not in line.row]))


def test_the_page_names_the_goals_that_the_rows_have() -> None:
    """Those of the next run: the table of the last has the goals of its commit."""
    goals = {*relay_stub.RELAY_GOALS.values(), *relay_stub.BESIDE_NAIVE.values(), consumer.GOAL}
    goals |= {change_stream.STREAM_GOAL, change_stream.FORWARD_GOAL, *api.API_GOALS.values()}
    goals |= {*end_to_end.ABOVE_GOALS.values(), end_to_end.RATE_GOAL}
    goals |= {end_to_end.CPU_GOAL, end_to_end.CPU_RATIO_GOAL}
    goals |= {slow_bus.OF_THE_IDEAL, slow_bus.MEAN_COPIES, slow_bus.MOST_COPIES}
    goals |= {process_costs.MEMORY_GOAL, *process_costs.PROCESS_GOALS.values(), calls.DRAINED_GOAL}
    section = PERFORMANCE_PAGE.read_text().partition("### The goals")[2].partition("\n### What")[0]
    named = re.findall(r"[≥≤] [0-9.]+", section)
    assert set(named) == {str(goal) for goal in goals}
