"""Results as JSON and back."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from verification.benchmarks.lines import BenchmarkLine, Goal, Results, Series


def save(results: Results, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(asdict(results), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def load(path: Path) -> Results:
    """Read what `save` wrote."""
    stored: Any = json.loads(path.read_text(encoding="utf-8"))
    lines = tuple(_line(each) for each in stored.pop("lines"))
    return Results(**stored, lines=lines)


def _line(stored: dict[str, Any]) -> BenchmarkLine:
    peer, goal = stored.pop("peer"), stored.pop("goal")
    return BenchmarkLine(
        **{name: value for name, value in stored.items() if name != "ours"},
        ours=_series(stored["ours"]),
        peer=_series(peer) if peer else None,
        goal=Goal(**goal) if goal else None,
    )


def _series(stored: dict[str, Any]) -> Series:
    return Series(stored["name"], tuple(stored["values"]))
