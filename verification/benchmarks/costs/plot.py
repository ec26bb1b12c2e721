"""Dollars a month over new subscriptions a month, as an SVG that is the same byte for byte."""

from collections.abc import Sequence
from pathlib import Path

from verification.benchmarks.costs.model import Cost
from verification.benchmarks.drawing import drawn, write_numbers_out

POINTS = 61
LEAST, DECADES = 1_000, 5
"""From a thousand subscriptions a month to a hundred million."""

STYLES = ("-", "--", ":")


def draw(found: Sequence[Cost], path: Path) -> None:
    volumes = [LEAST * 10 ** (DECADES * n / (POINTS - 1)) for n in range(POINTS)]
    with drawn(path) as axes:
        for cost, style in zip(found, STYLES, strict=True):
            axes.plot(
                volumes, [cost.monthly(volume) for volume in volumes], style, label=cost.design
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(100, 10_000)
        write_numbers_out(axes)
        share = found[0].book.assumed("cancelled-share")
        axes.set_xlabel(f"new subscriptions a month, {share:.0%} of them cancelled in the end")
        axes.set_ylabel("US dollars a month")
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend(frameon=False)
