"""docs/performance.md and README.md say what the last published run found."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import plots
from benchmarks.pages import block
from benchmarks.publishing import DATA, pages
from benchmarks.storing import load

HOW = "run `python -m benchmarks --publish`, all rows, and read the difference"


def test_pages_hold_what_the_published_run_found() -> None:
    """The table and the three figures of README.md come from docs/performance.json."""
    for page, blocks in pages(load(DATA)).items():
        for name, content in blocks.items():
            assert block(page.read_text(), name) == content, HOW


def test_plots_are_drawn_anew_byte_for_byte(tmp_path: Path) -> None:
    """They are those of docs/images."""
    plots.draw(load(DATA), tmp_path)
    drawn = sorted(each.name for each in tmp_path.iterdir())
    assert drawn == ["performance-latency.svg", "performance-relay.svg"]
    for name in drawn:
        published = DATA.parent / "images" / name
        assert (tmp_path / name).read_bytes() == published.read_bytes(), HOW


def test_a_run_of_some_rows_cannot_be_published() -> None:
    """README.md would keep figures of another run beside it."""
    results = load(DATA)
    with pytest.raises(LookupError, match="before publishing"):
        pages(replace(results, lines=[line for line in results.lines if "End" not in line.row]))
