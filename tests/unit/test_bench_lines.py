"""What a benchmark's line says of its goal, and how results are kept and shown."""

from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.benchmarks.__main__ import exit_code
from verification.benchmarks.intervals import Interval
from verification.benchmarks.lines import BenchmarkLine, Goal, Results, Series, load
from verification.benchmarks.table import markdown, number, verdicts

OURS = Series("relay", (90.0, 40.0, 110.0, 88.0, 92.0, 90.0))
FLOOR = Series("raw floor", (100.0, 50.0, 100.0, 100.0, 100.0, 100.0))
FEW = Series("relay", (90.0, 40.0)), Series("raw floor", (100.0, 50.0))


def line(goal: Goal | None = None, peer: Series | None = FLOOR) -> BenchmarkLine:
    return BenchmarkLine("Row", "drain", "events/s", OURS, peer, goal)


def results(*lines: BenchmarkLine) -> Results:
    return Results(
        command="make bench",
        date="2026-11-23",
        machine="2 cores",
        versions={"Python": "3.11"},
        commit="abc",
        lines=lines,
    )


def test_a_ratio_is_that_of_rounds_played_side_by_side() -> None:
    """From 0.8 to 1.1, and 0.9 in the middle: the slow round of both is as good as another."""
    found = line()
    assert found.ratio == pytest.approx(0.9, abs=0.01)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((0.8, 1.1))


def test_a_goal_is_for_the_ratio_where_there_is_one() -> None:
    """The median alone, 90, would be far above."""
    found = {goal: line(Goal("at least", goal)).verdict for goal in (0.75, 0.9, 1.15)}
    assert found == {0.75: "met", 0.9: "not decided", 1.15: "missed"}


def test_too_few_rounds_decide_nothing() -> None:
    """However far the goal is."""
    assert (
        BenchmarkLine("Row", "drain", "events/s", *FEW, Goal("at least", 0.01)).verdict
        == "not decided"
    )


def test_a_goal_is_for_what_was_counted_where_there_is_no_peer() -> None:
    """Each time that it was counted."""
    found = {goal: line(Goal("at most", goal), peer=None).verdict for goal in (110, 109, 39)}
    assert found == {110: "met", 109: "not decided", 39: "missed"}


def test_a_line_without_a_goal_has_no_verdict() -> None:
    """What is only stated is not judged."""
    assert line().verdict is None


@pytest.mark.parametrize(
    ("bound", "low", "high", "verdict"),
    [
        ("at least", 0.9, 1.1, "met"),
        ("at least", 0.89, 1.1, "not decided"),
        ("at least", 0.8, 0.9, "not decided"),
        ("at least", 0.8, 0.89, "missed"),
        ("at most", 0.8, 0.9, "met"),
        ("at most", 0.8, 0.91, "not decided"),
        ("at most", 0.9, 1.1, "not decided"),
        ("at most", 0.91, 1.1, "missed"),
    ],
)
def test_a_goal_inside_the_interval_is_not_decided(
    bound: Literal["at least", "at most"], low: float, high: float, verdict: str
) -> None:
    """A goal of 0.9, at and beside both ends."""
    assert Goal(bound, 0.9).verdict(Interval(low, high)) == verdict


positive = st.floats(0.01, 100)


@given(st.tuples(positive, positive).map(sorted), positive)
def test_what_is_met_for_one_is_missed_for_no_other(ends: list[float], goal: float) -> None:
    """Met is what every ratio in the interval reaches, missed what none does."""
    inside = [*ends, (ends[0] + ends[1]) / 2]
    verdict = Goal("at least", goal).verdict(Interval(*ends))
    assert (verdict == "met") == all(each >= goal for each in inside)
    assert (verdict == "missed") == all(each < goal for each in inside)


def test_results_come_back_as_they_were_kept(tmp_path: Path) -> None:
    """Peers, goals and notes included."""
    kept = results(line(Goal("at least", 0.9)), line(peer=None))
    kept.save(tmp_path / "of" / "results.json")
    back = load(tmp_path / "of" / "results.json")
    assert tuple(back.lines) == tuple(kept.lines)
    assert (back.commit, back.versions) == (kept.commit, kept.versions)


def test_the_table_has_the_interval_and_the_verdict_of_each_goal() -> None:
    """A reader compares no numbers to see what was missed."""
    lines = [line(Goal("at least", goal)) for goal in (1.15, 0.9, 0.75)]
    missed, undecided, met = markdown(results(*lines)).splitlines()[4:7]
    assert missed == (
        "| drain | 90 events/s (40 to 110) | raw floor: 100 (50 to 100)"
        " | 0.90 | 0.80 to 1.10 | ≥ 1.15 | **missed** |"
    )
    assert undecided.endswith("| ≥ 0.9 | not decided |")
    assert met.endswith("| ≥ 0.75 | met |")


def test_the_table_says_where_rounds_were_too_few() -> None:
    """An empty cell would look like a ratio that is exact."""
    shown = markdown(results(BenchmarkLine("Row", "drain", "events/s", *FEW)))
    assert "| 0.85 | none from 2 rounds |" in shown


def test_a_summary_names_each_goal_that_is_not_met() -> None:
    """With what was found, and the goal."""
    lines = [line(Goal("at least", goal)) for goal in (1.15, 0.9, 0.75)]
    calls = BenchmarkLine(
        "Calls", "a drain", "calls", Series("counted", (3.0,)), goal=Goal("at most", 2)
    )
    assert verdicts(results(*lines, calls)).splitlines() == [
        "goals: 1 met, 2 missed, 1 not decided",
        "missed: Row, drain: 0.90 times raw floor (0.80 to 1.10), goal ≥ 1.15",
        "missed: Calls, a drain: 3 calls, goal ≤ 2",
        "not decided: Row, drain: 0.90 times raw floor (0.80 to 1.10), goal ≥ 0.9",
    ]


def test_only_what_is_missed_fails_a_run() -> None:
    """A machine that is too restless to decide has not failed."""
    assert (
        exit_code(results(line(Goal("at least", 0.9)), line(Goal("at least", 0.75)), line())) == 0
    )
    met, undecided, missed = (line(Goal("at least", goal)) for goal in (0.75, 0.9, 1.15))
    assert exit_code(results(met, undecided, line())) == 0
    assert exit_code(results(met, missed)) == 1


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0"), (0.1424, "0.142"), (12.34, "12.3"), (1234.5, "1,234")]
)
def test_numbers_have_three_digits_that_say_something(value: float, shown: str) -> None:
    """More would pretend to a precision that no shared machine has."""
    assert number(value) == shown


def test_what_is_timed_has_an_interval_of_its_own() -> None:
    """Noise decides nothing: the goal is met where every value in the interval meets it."""
    found = {
        goal: BenchmarkLine("Row", "CPU", "µs", OURS, goal=Goal("at most", goal), is_timed=True)
        for goal in (120, 90, 30)
    }
    assert {goal: line.verdict for goal, line in found.items()} == {
        120: "met",
        90: "not decided",
        30: "missed",
    }
    assert "| 40 to 110 | ≤ 120 | met |" in markdown(results(found[120]))
