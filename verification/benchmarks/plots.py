"""What a run found, as pictures."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes

from verification.benchmarks.drawing import COLOURS, drawn
from verification.benchmarks.journeys import MEASURED_EFFECTS
from verification.benchmarks.lines import BenchmarkLine, Results
from verification.benchmarks.rows import end_to_end, relay_stub


def draw(results: Results, folder: Path) -> None:
    """Draw each plot whose lines were played."""
    rates = _rates(results)
    if rates:
        with drawn(folder / "performance-relay.svg", height=3.5) as axes:
            _draw_rates(axes, rates)
    waits = {load: _waits(results, load) for load in end_to_end.LOADS}
    if all(found for each in waits.values() for found in each):
        with drawn(folder / "performance-latency.svg", height=4) as axes:
            _draw_waits(axes, waits)


def _rates(results: Results) -> dict[str, BenchmarkLine]:
    """The relay beside the naive one, by how far AWS is."""
    names = {
        relay_stub.ON_LOOPBACK: "on loopback",
        relay_stub.added(20): "20 ms added to every call",
        relay_stub.added(100): "100 ms added to every call",
    }
    return {
        names[line.what]: line
        for line in results.lines
        if line.what in names and line.peer and line.peer.name == relay_stub.NAIVE
    }


def _waits(results: Results, load: str) -> list[list[float]]:
    """By effect, its percentiles at a load, in milliseconds; an empty list for what is missing."""
    found = {line.what: line.ours.median for line in results.lines if line.row == end_to_end.ROW}
    return [
        [
            found[what]
            for what in (end_to_end.latency(effect, part, load) for part in end_to_end.PERCENTILES)
            if what in found
        ]
        for effect in MEASURED_EFFECTS
    ]


def _draw_rates(axes: Axes, rates: Mapping[str, BenchmarkLine]) -> None:
    """Bars side by side."""
    for place, line in enumerate(rates.values()):
        for offset, series, colour in ((-0.2, line.ours, COLOURS[0]), (0.2, line.peer, COLOURS[1])):
            if series is not None:
                label = series.name if place == 0 else None
                bar = axes.bar(place + offset, series.median, 0.38, color=colour, label=label)
                axes.bar_label(bar, [f"{series.median:,.0f}"])
    ticks = [f"{each}\n{line.ratio:.1f} times as fast" for each, line in rates.items()]
    axes.set_xticks(range(len(rates)), ticks)
    axes.set_ylabel("events a second")
    axes.margins(y=0.15)
    axes.legend(frameon=False)


def _draw_waits(axes: Axes, waits: Mapping[str, list[list[float]]]) -> None:
    """A range from p50 over p95 to p99 for each effect, at each load."""
    for number, (load, found) in enumerate(waits.items()):
        for place, percentiles in enumerate(found):
            at = [place + 0.22 * (number - 1)] * len(percentiles)
            label = f"at {load}" if place == 0 else None
            axes.plot(at, percentiles, "-o", color=COLOURS[number], label=label)
    axes.set_xticks(range(len(MEASURED_EFFECTS)), list(MEASURED_EFFECTS))
    axes.set_ylabel("milliseconds: p50, p95, p99")
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, axis="y", alpha=0.25)
    axes.legend(frameon=False)
