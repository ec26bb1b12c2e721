"""The table of goals has a row for each, what 071a447 did in the same run, and a verdict."""

from pathlib import Path

from verification.benchmarks.baseline import BASELINE, baseline_in
from verification.benchmarks.goals import HEADINGS, NONE, goals
from verification.benchmarks.lines import BenchmarkLine, Goal, Results, Series
from verification.benchmarks.stubbed import CPU, RATE, lines_of

ROUNDS = 6
FOUND = {
    CPU: {
        "relay": Series("relay", (200.0,) * ROUNDS),
        "naive": Series("naive", (300.0,) * ROUNDS),
        BASELINE: Series(BASELINE, (400.0,) * ROUNDS),
    },
    RATE: {
        "relay": Series("relay", (3000.0,) * ROUNDS),
        "naive": Series("naive", (1000.0,) * ROUNDS),
        BASELINE: Series(BASELINE, (1500.0,) * ROUNDS),
    },
}
GOALS = {
    (CPU, None): Goal("at most", 250, "µs an event", "545 to 858"),
    (CPU, BASELINE): Goal("at most", 0.4, "the same, in CPU of 071a447", "1"),
    (RATE, "naive"): Goal("at least", 2, "relay / naive", "1.0 to 1.6"),
}


def results(*lines: BenchmarkLine) -> Results:
    return Results("make bench", "2026-12-01", "2 cores", {}, "abc", lines)


def test_each_goal_has_a_row_with_what_the_code_before_did() -> None:
    """A value its value there, and a ratio its ratio there: 1,500 events/s over 1,000."""
    rows = goals(results(*lines_of("Relay", FOUND, "event", GOALS))).splitlines()[4:7]
    assert rows == [
        "| µs an event | 545 to 858 | 400 | 200 | 200 to 200 | ≤ 250 | met |",
        "| the same, in CPU of 071a447 | 1 | 1 | 0.50 | 0.50 to 0.50 | ≤ 0.4 | **missed** |",
        "| relay / naive | 1.0 to 1.6 | 1.5 | 3.00 | 3.00 to 3.00 | ≥ 2 | met |",
    ]


def test_what_has_the_defaults_stands_in_a_table_of_its_own() -> None:
    """So that no goal is met by the easier settings alone."""
    values = Series("system", (50.0,) * ROUNDS)
    goal = Goal("at most", 45, "CPU", "72 to 86")
    both = [
        BenchmarkLine("Row", "CPU", "ms", values, goal=goal, is_timed=True, with_defaults=each)
        for each in HEADINGS
    ]
    found = goals(results(*both))
    assert [line for line in found.splitlines() if line.startswith("**Goals")] == [
        f"**Goals: {heading}**" for heading in HEADINGS.values()
    ]
    assert found.count("**missed**") == 2


def test_a_goal_that_is_in_no_table_is_in_none() -> None:
    """Such as that of the costs of a slow bus."""
    counted = BenchmarkLine("Row", "copies", "", Series("counted", (1.0,)), goal=Goal("at most", 3))
    assert goals(results(counted)) == NONE


def test_a_clone_without_the_commit_has_no_baseline(tmp_path: Path) -> None:
    """A shallow one, say: its lines are then left out, and nothing fails."""
    assert baseline_in(tmp_path) is None
