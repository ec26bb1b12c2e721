"""Plots as SVG: readable on light and dark pages, and the same byte for byte from the same data."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
"""Colours that colour-blind readers can tell apart."""


@contextmanager
def drawn(path: Path, *, width: float = 8, height: float = 4.5) -> Iterator[Axes]:
    """Axes to draw on, in inches; written to `path` when the block ends, without a date."""
    with mpl.rc_context({"svg.hashsalt": "streamed-events", "svg.fonttype": "none"}):
        figure = Figure(figsize=(width, height), facecolor="white", layout="constrained")
        yield figure.add_subplot()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})


def write_numbers_out(axes: Axes) -> None:
    """Label logarithmic axes with whole numbers in place of powers of ten."""
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axis.set_minor_formatter(NullFormatter())
