"""One at a time in a dead-letter queue."""

from threading import Thread

import pytest

from console.dead_letters import turns
from console.dead_letters.turns import Busy, Turns


@pytest.fixture(autouse=True)
def _nobody_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LOOK_WITHIN", 0.05)
    monkeypatch.setattr(turns, "ACT_WITHIN", 0.05)


def test_a_queue_is_for_one_at_a_time() -> None:
    """Another is told so, and who is at a different queue is not in the way."""
    turn = Turns(["a", "b"])
    with (
        turn.of("a"),
        turn.of("b"),
        pytest.raises(Busy, match="at work in a for somebody else"),
        turn.of("a"),
    ):
        pytest.fail("two at once")
    with turn.of("a"):
        pass


def test_a_look_at_all_passes_by_where_somebody_is_at_work() -> None:
    """It has the others, and gives all of them back."""
    turn = Turns(["a", "b", "c"])
    with turn.of("b"), turn.of_all_free() as free:
        assert free == {"a", "c"}
    with turn.of_all_free() as free:
        assert free == {"a", "b", "c"}


def test_whoever_waits_gets_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as the other is done."""
    monkeypatch.setattr(turns, "ACT_WITHIN", 30)
    turn, had = Turns(["a"]), list[str]()

    def wait() -> None:
        with turn.of("a"):
            had.append("second")

    with turn.of("a"):
        waiting = Thread(target=wait)
        waiting.start()
        had.append("first")
    waiting.join()
    assert had == ["first", "second"]


def test_a_queue_that_is_not_there_is_nobodys_turn() -> None:
    """Whoever asks for it is told by who looks for it."""
    with Turns([]).of("nowhere"):
        pass
