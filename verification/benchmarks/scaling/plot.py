"""Draws p99 over the rate, one line for each step; the same runs give the same bytes."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from verification.benchmarks.drawing import COLOURS, drawn, write_numbers_out
from verification.benchmarks.scaling.knobs import STEPS
from verification.benchmarks.scaling.runs import Run


def draw(runs: Sequence[Run], path: Path) -> None:
    """Write an SVG; a hollow mark is a rate at which something piles up."""
    with drawn(path) as axes:
        _draw(runs, axes)


def _draw(runs: Sequence[Run], axes: Axes) -> None:
    for knobs, colour in zip(STEPS, COLOURS, strict=False):
        own = sorted((run for run in runs if run.knobs == knobs), key=lambda run: run.rate)
        rates, seconds = [run.rate for run in own], [slowest(run) for run in own]
        axes.plot(rates, seconds, color=colour, label=f"knobs: {knobs.name}")
        for run, value in zip(own, seconds, strict=True):
            face = "white" if run.backlog else colour
            axes.plot(run.rate, value, "o", color=colour, markerfacecolor=face)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="subscriptions a minute, as many cancelled",
        ylim=(0.8, 50),
        ylabel="slowest p99 of the four, s",
        title="Simulated on AWS: p99 over the rate (hollow: a backlog grows)",
    )
    axes.yaxis.set_major_locator(FixedLocator([1, 2, 5, 10, 20, 50]))
    write_numbers_out(axes)
    axes.grid(visible=True, which="both", alpha=0.25)
    axes.legend(loc="upper left")


def slowest(run: Run) -> float:
    """The longest p99 of the four measures, in seconds."""
    return max(spread.p99 for spread in run.spreads.values())
