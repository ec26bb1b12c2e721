"""The tables of docs/scaling.md."""

from collections.abc import Iterable, Sequence
from math import isnan

from verification.benchmarks.scaling.capacity import bottleneck, capacities
from verification.benchmarks.scaling.events import MEASURES
from verification.benchmarks.scaling.inputs import INPUTS, Input
from verification.benchmarks.scaling.knobs import STEPS
from verification.benchmarks.scaling.needs import RATES, needs
from verification.benchmarks.scaling.runs import Run


def input_table() -> str:
    """Every input, with what it is and where it comes from."""
    rows = [(each.name, f"{each.value:g} {each.unit}", each.kind, _source(each)) for each in INPUTS]
    return _table(("input", "value", "kind", "source"), rows)


def needs_table() -> str:
    """What each rate asks of each service."""
    head = ("a second", *(f"{rate:,} a minute".replace(",", " ") for rate in RATES), "at hand")
    rows = [
        (
            f"{need.name}{f', {need.unit}' if need.unit not in {'', '1/s', 'cores'} else ''}",
            *(_number(need.value(rate / 60)) for rate in RATES),
            need.at_hand.replace(",", " "),
        )
        for need in needs()
    ]
    return _table(head, rows)


def capacity_table() -> str:
    """Subscriptions a minute at which each stage is full; the first of each step in bold."""
    columns = [capacities(knobs) for knobs in STEPS]
    first = [bottleneck(knobs)[0] for knobs in STEPS]
    rows = [
        (
            name,
            *(
                f"**{_rate(column[name])}**" if name == least else _rate(column[name])
                for column, least in zip(columns, first, strict=True)
            ),
        )
        for name in columns[0]
    ]
    return _table(("full at, a minute", *(knobs.name for knobs in STEPS)), rows)


def result_table(runs: Sequence[Run]) -> str:
    """What the simulation found at each rate of each step."""
    head = ("knobs", "a minute", *(f"{measure}, s" for measure in MEASURES), "piles up at")
    rows = [
        (
            run.knobs.name,
            _rate(run.rate / 60),
            *(
                f"{_seconds(run.spreads[measure].p50)} / {_seconds(run.spreads[measure].p99)}"
                for measure in MEASURES
            ),
            run.backlog or "",
        )
        for run in runs
    ]
    return _table(head, rows)


def onset_table(runs: Sequence[Run]) -> str:
    """Where a backlog begins: between which rates, at which stage, and what arithmetic says."""
    rows = []
    for knobs in STEPS:
        own = sorted((run for run in runs if run.knobs == knobs), key=lambda run: run.rate)
        piled = next((run for run in own if run.backlog), None)
        kept = [run.rate for run in own if piled is None or run.rate < piled.rate]
        name, rate = bottleneck(knobs)
        rows.append(
            (
                knobs.name,
                _rate(max(kept) / 60) if kept else "none",
                _rate(piled.rate / 60) if piled else "none played",
                piled.backlog or "" if piled else "",
                f"{_rate(rate)}, {name}",
            )
        )
    head = ("knobs", "keeps up at", "piles up at", "where", "arithmetic says")
    return _table(head, rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _source(each: Input) -> str:
    return f"<{each.source}>" if each.source.startswith("https://") else each.source


def _number(value: float) -> str:
    if value >= 100:  # noqa: PLR2004 (three digits)
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def _rate(a_second: float) -> str:
    return f"{a_second * 60:,.0f}".replace(",", " ")


def _seconds(value: float) -> str:
    return "none" if isnan(value) else f"{value:.2f}"
