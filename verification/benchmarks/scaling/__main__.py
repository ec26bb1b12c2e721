"""`make scaling`: the arithmetic and the simulation, as tables."""

import argparse
import sys
from collections.abc import Sequence

from infra.local_system.settings import ROOT
from runtime.process.command import run_command
from verification.benchmarks.pages import written
from verification.benchmarks.scaling.knobs import AS_DEPLOYED, MILLION, TEN_THOUSAND, Knobs
from verification.benchmarks.scaling.plot import draw
from verification.benchmarks.scaling.runs import Run, play
from verification.benchmarks.scaling.tables import (
    capacity_table,
    input_table,
    needs_table,
    onset_table,
    result_table,
)

DOCUMENT = ROOT / "docs" / "scaling.md"
PLOT = ROOT / "docs" / "images" / "scaling.svg"

RATES: dict[Knobs, tuple[float, ...]] = {
    AS_DEPLOYED: (100, 1000, 2500, 4000, 4750, 5500, 7500, 10_000),
    TEN_THOUSAND: (100, 5000, 10_000, 15_000, 17_500, 22_000),
    MILLION: (100_000, 500_000, 1_000_000, 1_300_000, 1_600_000),
}
"""Subscriptions a minute that are played with each step's knobs: below its limit and above."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m verification.benchmarks.scaling", description=__doc__
    )
    parser.add_argument("--seed", type=int, default=1, help="of the simulation's dice")
    parser.add_argument("--write", action="store_true", help=f"into {DOCUMENT.name}, and draw")
    chosen = parser.parse_args(arguments)
    runs = [_played(knobs, rate, chosen.seed) for knobs in RATES for rate in RATES[knobs]]
    blocks = fixed_blocks() | {"results": result_table(runs), "onset": onset_table(runs)}
    for name, table in blocks.items():
        print(f"\n**{name}**\n\n{table}")
    if chosen.write:
        DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8"), blocks), encoding="utf-8")
        draw(runs, PLOT)
    return 0


def fixed_blocks() -> dict[str, str]:
    """The blocks that need no simulation."""
    return {"inputs": input_table(), "needs": needs_table(), "capacities": capacity_table()}


def _played(knobs: Knobs, rate: float, seed: int) -> Run:
    print(f"{knobs.name}: {rate:g} a minute …", file=sys.stderr, flush=True)
    return play(knobs, rate, seed=seed)


if __name__ == "__main__":
    run_command(main)
