"""A consumer's free threads: claimed together, and woken for when there are enough."""

from runtime.sqs.consumer import Slots
from tests.threads import ended, started
from verification.testkit.waiting import eventually


def test_what_is_free_is_claimed_up_to_the_most() -> None:
    """Without a wait where that many are free, and without waiting long where fewer are."""
    slots = Slots(3)
    assert slots.claim(2, within=60, linger=60) == 2
    assert slots.claim(2, within=60, linger=0) == 1


def test_nothing_is_claimed_where_nothing_gets_free() -> None:
    assert Slots(0).claim(2, within=0, linger=60) == 0


def test_who_waits_gets_what_is_released() -> None:
    """The first place ends one wait, the last that is wanted the other."""
    slots, claimed = Slots(0), list[int]()
    claiming = started(lambda: claimed.append(slots.claim(3, within=60, linger=60)))
    eventually(lambda: slots._wanted == 1, what="a claim that waits")
    slots.release()
    eventually(lambda: slots._wanted == 3, what="a claim that waits for more")
    slots.release(2)
    ended(claiming)
    assert claimed == [3]
