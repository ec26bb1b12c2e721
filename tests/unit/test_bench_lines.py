"""What a benchmark's line says of its goal, and how rounds are played and kept."""

from pathlib import Path

import pytest

from benchmarks.lines import Goal, Line, Results, Series
from benchmarks.rounds import interleaved
from benchmarks.storing import load, save
from benchmarks.table import markdown, number

OURS, FLOOR = Series("relay", (90.0, 40.0, 110.0)), Series("raw floor", (100.0, 50.0, 100.0))


def line(goal: Goal | None = None, peer: Series | None = FLOOR) -> Line:
    return Line("Row", "drain", "events/s", OURS, peer, goal)


def results(*lines: Line) -> Results:
    return Results(
        command="make bench",
        date="2026-11-23",
        machine="2 cores",
        versions={"Python": "3.11"},
        commit="abc",
        lines=lines,
    )


def test_a_ratio_is_that_of_rounds_played_side_by_side() -> None:
    """0.9, 0.8 and 1.1: the slow round of both is as good as another."""
    assert line().ratio == pytest.approx(0.9)


def test_a_goal_is_for_the_ratio_where_there_is_one() -> None:
    """The median alone, 90, would be far above."""
    assert line(Goal("at least", 0.9)).holds
    assert not line(Goal("at least", 0.95)).holds


def test_a_goal_is_for_the_median_where_there_is_no_peer() -> None:
    """A latency or a memory stands for itself."""
    assert line(Goal("at most", 90), peer=None).holds
    assert not line(Goal("at most", 89), peer=None).holds


def test_a_line_without_a_goal_neither_holds_nor_fails() -> None:
    """What is only stated is not judged."""
    assert line().holds is None


def test_every_round_begins_with_another_contender() -> None:
    """Whoever comes second may find the engines warm, or tired."""
    played: list[str] = []

    def play(name: str) -> float:
        played.append(name)
        return float(len(played))

    found = interleaved({"a": lambda: play("a"), "b": lambda: play("b")}, 3)
    assert "".join(played) == "abbaab"
    assert found["a"] == Series("a", (1.0, 4.0, 5.0))


def test_results_come_back_as_they_were_kept(tmp_path: Path) -> None:
    """Peers, goals and notes included."""
    kept = results(line(Goal("at least", 0.9)), line(peer=None))
    save(kept, tmp_path / "of" / "results.json")
    back = load(tmp_path / "of" / "results.json")
    assert tuple(back.lines) == tuple(kept.lines)
    assert (back.commit, back.versions) == (kept.commit, kept.versions)


def test_the_table_names_each_goal_that_was_missed() -> None:
    """Nobody has to compare numbers to see it."""
    text = markdown(results(line(Goal("at least", 0.95)), line(Goal("at least", 0.5))))
    missed, met = text.splitlines()[4:6]
    assert missed == (
        "| drain | 90 events/s (40 to 110) | raw floor: 100 (50 to 100)"
        " | 0.90 | ≥ 0.95 | **missed** |"
    )
    assert met.endswith("| ≥ 0.5 | met |")


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0, "0"), (0.1424, "0.142"), (12.34, "12.3"), (1234.5, "1,234")]
)
def test_numbers_have_three_digits_that_say_something(value: float, shown: str) -> None:
    """More would pretend to a precision that no shared machine has."""
    assert number(value) == shown
