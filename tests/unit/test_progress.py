"""Signs of life: what is new counts, and to and fro does not."""

from local.progress import SignsOfLife


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def test_silence_lasts_since_the_last_new_state() -> None:
    """A state that was seen before is no progress."""
    clock = Clock()
    progress = SignsOfLife(clock)
    for time, state, silence in [(1, "a", 0), (3, "b", 0), (6, "a", 3), (8, "b", 5), (9, "c", 0)]:
        clock.time = time
        progress.see(state)
        assert progress.silence() == silence


def test_work_is_a_sign_of_life_up_to_a_bound() -> None:
    """A start that imports is waited for; one that turns in a circle for a minute is not."""
    clock = Clock()
    progress = SignsOfLife(clock)
    for time, work, silence in [(10, 0.1, 0), (20, 0.2, 10), (30, 0.6, 0), (900, 59.9, 0)]:
        clock.time = time
        progress.see_work(work)
        assert progress.silence() == silence
    clock.time = 960
    progress.see_work(61)
    assert progress.silence() == 60
