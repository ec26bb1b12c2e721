"""The audit holds what is reserved against what the rows have taken."""

from collections import Counter
from dataclasses import replace

import pytest

from operations.audit.inventory import unbalanced
from operations.audit.report import FindingKind
from operations.sources.reservations import Reservations, ShardCount, ShardKey
from tests.audited import Settled

FIRST, SECOND = ShardKey("razor-123", 0), ShardKey("razor-123", 1)
COUNTS = {FIRST: ShardCount(100, 24, 76), SECOND: ShardCount(50, 0, 50)}
BALANCED = Reservations("stock-inventory", COUNTS, COUNTS, Counter({FIRST: 24}))


def hints(found: Reservations) -> list[str]:
    return [each.hint for each in unbalanced(found)]


def test_what_is_reserved_is_what_was_taken() -> None:
    """Then there is nothing to say; nor where no inventory is set."""
    assert hints(BALANCED) == []
    assert hints(Reservations("stock-inventory", {}, {})) == []


@pytest.mark.parametrize(
    ("taken", "hint"),
    [
        ({FIRST: 12}, "shard 0 has 24 reserved, its rows have taken 12"),
        ({FIRST: 24, SECOND: 12}, "shard 1 has 0 reserved, its rows have taken 12"),
        (
            {FIRST: 24, ShardKey("razor-123", 2): 12},
            "shard 2 has 0 reserved, its rows have taken 12",
        ),
    ],
)
def test_a_difference_names_the_shard_and_both_numbers(
    taken: dict[ShardKey, int], hint: str
) -> None:
    """Whether more is reserved or more was taken, or the shard is gone."""
    assert hints(replace(BALANCED, taken=Counter(taken))) == [hint]


def test_a_shards_own_numbers_have_to_agree() -> None:
    """What is available is what is on hand less what is reserved."""
    wrong = {**COUNTS, SECOND: ShardCount(50, 0, 49)}
    assert hints(replace(BALANCED, before=wrong, after=wrong)) == [
        "shard 1 has 50 on hand, 0 reserved and 49 available"
    ]


def test_a_shard_that_changed_meanwhile_says_nothing() -> None:
    """The rows were read between the two: another look sees it at rest."""
    after = {**COUNTS, FIRST: ShardCount(100, 36, 64)}
    assert hints(replace(BALANCED, after=after, taken=Counter({FIRST: 36}))) == []


def test_a_row_has_taken_what_it_has_put_aside() -> None:
    """It is named by its id."""
    (found,) = unbalanced(replace(BALANCED, unlike={"one": (12, 24)}))
    assert (found.kind, found.aggregate_id) == (FindingKind.NOT_RESERVED, "one")
    assert found.hint == "it has 24 put aside, and 12 taken from the inventory"


def test_it_is_a_difference_of_the_audit() -> None:
    """Beside those of events."""
    world = Settled(reservations=[BALANCED])
    world.subscribe("one")
    assert world.report().clean
    world.reservations = [replace(BALANCED, taken=Counter())]
    (found,) = world.report().differences
    assert found.place == "stock-inventory"
