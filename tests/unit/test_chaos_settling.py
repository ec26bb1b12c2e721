"""When a chaos run has settled, and what it then says."""

from collections.abc import Iterable, Mapping

import pytest

from verification.chaos.ledger import Promise
from verification.chaos.settling import SettledState, settled

ONE, TWO = (Promise(name, quantity=1, account_number="12345678") for name in ("one", "two"))


class System:
    """What is found look by look: the subscriptions that are wrong, and how much is queued."""

    def __init__(self, *looks: tuple[set[Promise], int]) -> None:
        self.looks, self.number = looks, 0

    def wrong_of(self, promises: Iterable[Promise]) -> Mapping[Promise, str]:
        wrong, _ = self._now
        return {each: "wrong" for each in promises if each in wrong}

    def depths(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        _, queued = self._now
        self.number += 1
        return ({"a queue": queued} if queued else {}), {}

    def settled(self, *, within: float = 600) -> SettledState:
        return settled(
            [ONE, TWO], self.wrong_of, self.depths, within=within, say=lambda _: None, every=0
        )

    @property
    def _now(self) -> tuple[set[Promise], int]:
        return self.looks[min(self.number, len(self.looks) - 1)]


def test_looks_until_all_is_right_and_nothing_waits() -> None:
    """And once more, at all of them, when nothing can change any more."""
    system = System(({ONE, TWO}, 2), ({ONE}, 0), (set(), 1), (set(), 0))
    assert system.settled().settled
    assert system.number == 5


def test_what_was_right_and_is_undone_by_a_late_message_is_wrong() -> None:
    """A subscription that was right at the first look is looked at again in the end."""
    system = System(({TWO}, 1), ({TWO, ONE}, 1), ({ONE}, 0))
    assert system.settled(within=0.2).wrong == {"one": "wrong"}


@pytest.mark.parametrize("last", [(set[Promise](), 1), ({TWO}, 0)], ids=["queued", "wrong"])
def test_gives_up_after_its_time(last: tuple[set[Promise], int]) -> None:
    """And says what was found then."""
    assert not System(last).settled(within=0).settled


def test_what_settles_at_the_last_moment_is_looked_at_once_more() -> None:
    """The verdict is never one of a part of them."""
    found = System(({TWO}, 1), (set(), 0), ({ONE}, 0)).settled(within=0.001)
    assert not found.settled
