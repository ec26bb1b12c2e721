"""Writes a full run into docs/performance.md, its plots, and the three figures of README.md."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from infra.local_system.settings import ROOT
from verification.benchmarks import plots
from verification.benchmarks.figures import figures
from verification.benchmarks.lines import Results
from verification.benchmarks.pages import written
from verification.benchmarks.table import markdown

PERFORMANCE_PAGE, PERFORMANCE_DATA = (
    ROOT / "docs" / "performance.md",
    ROOT / "docs" / "performance.json",
)
README = ROOT / "README.md"
IMAGES = ROOT / "docs" / "images"


def publish(results: Results, stored: Path) -> None:
    """Write what is made from results, and keep the JSON that they were `stored` in."""
    shutil.copyfile(stored, PERFORMANCE_DATA)
    for page, blocks in pages(results).items():
        page.write_text(written(page.read_text(encoding="utf-8"), blocks), encoding="utf-8")
    plots.draw(results, IMAGES)


def pages(results: Results) -> Mapping[Path, Mapping[str, str]]:
    """By page, the blocks that follow from results."""
    return {PERFORMANCE_PAGE: {"results": markdown(results)}, README: {"figures": figures(results)}}
