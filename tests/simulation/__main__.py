"""`python -m tests.simulation`: what `make simulate` runs. Exit code 1 for a broken promise."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from time import monotonic

from runtime.process.command import run_command
from tests.simulation.history import play_seed
from tests.simulation.plants import PLANTS, planted
from tests.simulation.running import Tally, play_all, prepare
from tests.simulation.shrinking import shortest

REPORT_EVERY = 10.0
"""Seconds between lines of progress."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.seed is not None:
        return _play_one(options.seed, options.plant)
    return _search(options)


def _search(options: argparse.Namespace) -> int:
    started = reported = monotonic()
    total = Tally()
    playing = play_all(options.seeds, processes=options.processes, plant=options.plant)
    with closing(playing) as tallies:
        for tally in tallies:
            total.add(tally)
            if monotonic() - reported > REPORT_EVERY:
                reported = monotonic()
                _say(_progress(total, reported - started))
            if total.found:
                break
    seconds = monotonic() - started
    _say(_progress(total, seconds))
    for kind, count in total.struck.most_common():
        _say(f"  {count:>9}  {kind}")
    if total.found:
        _say(f"seed {total.found[0]} broke a promise after {seconds:.1f} s")
        return _play_one(total.found[0], options.plant)
    _say(f"{total.histories} histories, {total.faults} faults: every promise was kept")
    return 0


def _play_one(seed: int, plant: str | None) -> int:
    """Play one seed; print the shortest history that breaks the same promise, if it broke one."""
    prepare()
    ended = play_seed(seed, planted(plant))
    if ended.finding is None:
        _say(f"seed {seed}: every promise was kept, in {ended.turns} turns")
        return 0
    _say(f"\nseed {seed}: {ended.finding}\n\nits shortest history:")
    found = shortest(ended, planted(plant))
    _say(f"{found.story}\n\n{found.finding}\n")
    _say(f"again: make simulate SEED={seed}{f' PLANT={plant}' if plant else ''}")
    return 1


def _progress(tally: Tally, seconds: float) -> str:
    rate = tally.histories / seconds * 60
    return (
        f"{tally.histories} histories in {seconds:.0f} s ({rate:.0f} a minute), "
        f"{tally.faults} faults, {tally.turns} turns"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20_000, help="how many histories")
    parser.add_argument("--seed", type=int, help="play this one, and make it short if it is bad")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--plant", choices=tuple(PLANTS), help="a bug to put in")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    run_command(main)
