"""How often a stream is looked at."""

from relay.poll_interval import QUIET_AFTER, Pace


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_does_not_wait_while_the_stream_tells_something() -> None:
    """There may be more where something was told."""
    assert Pace(1, 5, Clock()).after(told=True) == 0


def test_looks_often_for_a_while_after_something_was_told() -> None:
    """Where one event came others follow, and shall not wait."""
    clock = Clock()
    pace = Pace(1, 5, clock)
    pace.after(told=True)
    clock.seconds = QUIET_AFTER
    assert pace.after(told=False) == 1


def test_looks_rarely_once_it_is_quiet() -> None:
    """An idle relay costs next to nothing."""
    clock = Clock()
    pace = Pace(1, 5, clock)
    pace.after(told=True)
    clock.seconds = QUIET_AFTER + 0.1
    assert pace.after(told=False) == 5


def test_a_stream_that_never_told_anything_is_quiet() -> None:
    """A relay that starts into silence does not hurry."""
    assert Pace(1, 5, Clock()).after(told=False) == 5
