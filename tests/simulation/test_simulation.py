"""The simulation finds nothing in the system, and finds what is planted.

It runs in processes of its own, which coverage does not slow down.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.verdicts import HELD, Family
from tests.simulation.fates import Fate, Kind
from tests.simulation.plants import PLANTS
from tests.simulation.shrinking import minimal
from tests.simulation.wires import REFUSALS, refusal

ROOT = Path(__file__).parent.parent.parent
SEEDS = 1000
"""Histories of a test run: twice as many as any plant needs. More are for `make simulate`."""

SHOWN = "allocate-without-condition"
"""The plant whose finding is looked at: that it is found is then not asked again."""

PLANT_SEEDS = 500
"""A planted bug is to be found in one of so many histories, on any machine."""

WITHIN = 600
"""Seconds for all of them, on a machine that is busy."""


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "tests.simulation", *map(str, arguments)]


def simulate(*arguments: object, hash_seed: int = 0) -> subprocess.CompletedProcess[str]:
    """Run `python -m tests.simulation`; the hash seed is what orders its sets of texts."""
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    return subprocess.run(
        command(*arguments),
        cwd=ROOT,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
        timeout=WITHIN,
    )


def test_every_promise_is_kept(record_property: Callable[[str, object], None]) -> None:
    """In histories of the same seeds each time, however fast this machine is.

    How many faults they had stands in a report (pytest --junitxml) and on a line of --capture=no.
    """
    run = simulate("--seeds", SEEDS)
    assert run.returncode == 0, run.stdout + run.stderr
    closing = re.search(
        r"^(\d+) histories, (\d+) faults: every promise was kept$", run.stdout, re.MULTILINE
    )
    assert closing, run.stdout
    histories, faults = map(int, closing.groups())
    record_property("histories", histories)
    sys.stdout.write(f"{closing[0]}\n")
    assert histories == SEEDS
    assert faults > histories, "hardly anything went wrong in them"


@pytest.mark.parametrize("plant", sorted(PLANTS.keys() - {SHOWN}))
def test_a_planted_bug_is_found(plant: str) -> None:
    """By the number of histories, which is the same on every machine; none is shortened."""
    with subprocess.Popen(
        command("--plant", plant, "--seeds", PLANT_SEEDS),
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as run:
        said = []
        for line in run.stdout or ():
            said.append(line)
            if re.match(r"seed \d+ broke a promise", line):
                run.kill()
                return
    pytest.fail(f"{plant} was not found in {PLANT_SEEDS} histories: {''.join(said)}")


def test_every_family_that_holds_is_among_the_faults() -> None:
    """Each code of each, and one that is in no list, may befall any call."""
    assert {*(family for family, _ in REFUSALS), Family.UNKNOWN} == set(HELD)
    met = {refusal(Fate(Kind.REFUSED, place / 10_000)) for place in range(10_000)}
    assert met == set(REFUSALS)


def test_a_finding_prints_its_shortest_history_and_replays_exactly() -> None:
    """One seed is one history, whatever the process and the order of its sets: text for text."""
    search = simulate("--plant", SHOWN, "--seeds", PLANT_SEEDS)
    again = re.search(r"^again: make simulate SEED=(\d+) PLANT=(.+)$", search.stdout, re.MULTILINE)
    assert again, search.stdout
    assert again[2] == SHOWN
    first, second = (
        simulate("--plant", SHOWN, "--seed", again[1], hash_seed=hash_seed) for hash_seed in (1, 2)
    )
    assert first.returncode == second.returncode == 1
    assert first.stdout == second.stdout
    assert search.stdout.endswith(first.stdout)
    steps = re.findall(r"^ +(\d+)\. +[\d.]+ s  \S+", first.stdout, re.MULTILINE)
    assert steps == [str(number) for number in range(1, len(steps) + 1)]
    assert 0 < len(steps) < 60, first.stdout


def test_a_history_is_the_same_in_every_process() -> None:
    """Faults and turns, kind by kind, are those of the seeds and of nothing else."""
    runs = [simulate("--seeds", 60, hash_seed=hash_seed).stdout for hash_seed in (1, 2)]
    first, second = ([line for line in run.splitlines() if "a minute" not in line] for run in runs)
    assert first == second
    counts = [re.findall(r"(\d+) faults, (\d+) turns", run) for run in runs]
    assert counts[0]
    assert counts[0] == counts[1]


def test_nothing_more_can_be_left_out_of_what_is_minimal() -> None:
    """Two elements that are needed together are found among a hundred."""
    needed = {17, 71}
    asked: list[int] = []

    def breaks(kept: object) -> bool:
        assert isinstance(kept, list)
        asked.append(len(kept))
        return needed <= set(kept)

    assert set(minimal(list(range(100)), breaks)) == needed
    assert len(asked) < 100
