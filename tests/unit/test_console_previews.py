"""What was shown may be done once, soon, and by whoever was shown it."""

import pytest

from console.dead_letters.previews import KEPT_PREVIEWS, LASTS, Previews, StalePreview
from tests.console import Seconds


def test_a_preview_is_taken_once() -> None:
    """A second click does nothing twice."""
    previews = Previews[str]()
    name = previews.keep("these three")
    assert previews.take(name) == "these three"
    with pytest.raises(StalePreview, match="used already, or is older than ten minutes"):
        previews.take(name)


def test_a_preview_grows_old() -> None:
    """What was seen before lunch is not done after it."""
    clock = Seconds(0)
    previews = Previews[str](clock)
    young, old = previews.keep("young"), previews.keep("old")
    clock.now = LASTS
    assert previews.take(young) == "young"
    clock.now += 1
    with pytest.raises(StalePreview):
        previews.take(old)


def test_only_so_many_are_kept() -> None:
    """The oldest goes first, however many are made and never used."""
    previews = Previews[int]()
    names = [previews.keep(number) for number in range(KEPT_PREVIEWS + 1)]
    with pytest.raises(StalePreview):
        previews.take(names[0])
    assert [previews.take(name) for name in names[1:]] == list(range(1, KEPT_PREVIEWS + 1))


def test_a_name_is_not_guessed() -> None:
    """Nobody does what another was shown."""
    previews = Previews[int]()
    assert len({previews.keep(0) for _ in range(20)}) == 20
    with pytest.raises(StalePreview):
        previews.take("")
