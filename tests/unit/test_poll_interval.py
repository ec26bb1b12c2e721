"""The wait between two reads of a stream."""

from relay.poll_interval import QUIET_AFTER, PollInterval


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_does_not_wait_while_rows_are_received() -> None:
    """There may be more."""
    assert PollInterval(1, 5, Clock()).next(received=True) == 0


def test_waits_briefly_for_a_while_after_a_row() -> None:
    """Where one event came others follow, and shall not wait."""
    clock = Clock()
    interval = PollInterval(1, 5, clock)
    interval.next(received=True)
    clock.seconds = QUIET_AFTER
    assert interval.next(received=False) == 1


def test_waits_long_once_it_is_quiet() -> None:
    """An idle relay costs next to nothing."""
    clock = Clock()
    interval = PollInterval(1, 5, clock)
    interval.next(received=True)
    clock.seconds = QUIET_AFTER + 0.1
    assert interval.next(received=False) == 5


def test_a_stream_that_never_told_anything_is_quiet() -> None:
    """A relay that starts into silence does not hurry."""
    assert PollInterval(1, 5, Clock()).next(received=False) == 5
