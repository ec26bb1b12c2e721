"""What an allocation takes, and what is set: in memory, on MiniStack and on DynamoDB Local."""

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.causes import Cause
from runtime.errors import Conflict, Unavailable
from services.stock.handlers import Handlers
from services.stock.inventory import SHARDS, Inventory, InventoryReserved, Shard
from services.stock.inventory_handlers import InventoryHandlers
from services.stock.model import STOCK_ID, Stock
from tests.builders import START, a_cause
from tests.integration.store_suite.conftest import in_memory, on_dynamodb
from tests.integration.store_suite.kinds import STOCK
from tests.integration.store_suite.racing import outcomes
from tests.integration.store_suite.subjects import Subject

RIVALS = 6
OF_FIRST_VERSION = Cause("request-1", is_of_first_version=True)


@pytest.fixture(
    params=[
        pytest.param(in_memory(STOCK), id="memory"),
        pytest.param(on_dynamodb(STOCK), id="dynamodb"),
        pytest.param(on_dynamodb(STOCK, "dynamodb_local"), id="local"),
    ]
)
def stocked(request: pytest.FixtureRequest) -> Any:
    """A store whose rows take from an inventory."""
    yield from request.param(request)


def staff(subject: Subject) -> InventoryHandlers:
    return InventoryHandlers(subject.store.inventory, wait=lambda _: None)


def put(subject: Subject, on_hand: int) -> Inventory:
    return staff(subject).put(STOCK_ID, on_hand, lambda _: True)[0]


def put_shards(subject: Subject, available: dict[int, int]) -> None:
    """Have so much in these shards, and nothing in the others."""
    shards = tuple(
        Shard(number, available.get(number, 0), 0, available.get(number, 0))
        for number in range(SHARDS)
    )
    subject.store.inventory.write(Inventory(STOCK_ID, shards), replaces=Inventory(STOCK_ID))


def numbers(subject: Subject) -> tuple[int, int, int]:
    """On hand, reserved and available; each shard has the third that the others make."""
    found = subject.store.inventory.read(STOCK_ID)
    assert all(each.available == each.on_hand - each.reserved for each in found.shards)
    return found.on_hand, found.reserved, found.available


def allocate(subject: Subject, identity: str = "one", quantity: int = 1) -> Stock:
    return Handlers(subject.store).allocate(identity, quantity, a_cause())


def test_an_allocation_takes_from_its_home_and_a_deallocation_gives_it_back(
    stocked: Subject,
) -> None:
    """The row says from which shard; giving back twice gives back once."""
    put(stocked, 16 * 24)
    stock = allocate(stocked, quantity=2)
    ((number, razors),) = stock.taken.items()
    assert razors == 24
    assert stocked.store.get("one") == stock
    assert stocked.store.inventory.shard(STOCK_ID, number) == Shard(number, 24, 24, 0)
    assert numbers(stocked) == (384, 24, 360)
    for _ in "12":
        assert Handlers(stocked.store).deallocate("one", a_cause()).taken == {}
    assert numbers(stocked) == (384, 0, 384)
    assert stocked.store.get("one").taken == {}


def test_without_an_inventory_nothing_is_taken_and_nothing_given_back(stocked: Subject) -> None:
    """Also where one is set between the two."""
    assert allocate(stocked).taken == {}
    put(stocked, 12)
    Handlers(stocked.store).deallocate("one", a_cause())
    assert numbers(stocked) == (12, 0, 12)


def test_razors_that_are_spread_over_shards_serve_one_allocation(stocked: Subject) -> None:
    """Twelve in three of sixteen shards; all of them come back to where they were."""
    put_shards(stocked, {2: 5, 7: 4, 11: 3})
    assert allocate(stocked).taken == {2: 5, 7: 4, 11: 3}
    assert numbers(stocked) == (12, 12, 0)
    Handlers(stocked.store).deallocate("one", a_cause())
    found = stocked.store.inventory.read(STOCK_ID).shards
    assert {each.number: each.available for each in found if each.available} == {2: 5, 7: 4, 11: 3}


def test_a_commit_that_would_take_too_much_writes_nothing(stocked: Subject) -> None:
    """Neither row nor record, nor the other shard's part: decided again, it is a result."""
    put_shards(stocked, {1: 12, 2: 11})
    stock = Stock.allocate("one", 2, now=START, taken={1: 12, 2: 12})
    with pytest.raises(Conflict, match="one"):
        stocked.store.commit(stock, STOCK.record(stock), replaces=None)
    assert stocked.store.get("one") is None
    assert stocked.outbox() == []
    assert numbers(stocked) == (23, 0, 23)


def test_a_commit_on_a_stale_row_takes_nothing(stocked: Subject) -> None:
    """The row is there already: what its loser would have taken stays."""
    put(stocked, 24)
    first = allocate(stocked)
    second = Stock.allocate("one", 1, now=START, taken=first.taken)
    with pytest.raises(Conflict, match="one"):
        stocked.store.commit(second, STOCK.record(second), replaces=None)
    assert numbers(stocked) == (24, 12, 12)


def test_takes_that_all_fit_do_not_fail_each_other(stocked: Subject) -> None:
    """The condition is what is available, and no version of the shard."""
    put_shards(stocked, {5: 12 * RIVALS})
    stocks = [Stock.allocate(f"rival-{n}", 1, now=START, taken={5: 12}) for n in range(RIVALS)]
    commit = stocked.store.commit
    raised = outcomes(
        [partial(commit, stock, STOCK.record(stock), replaces=None) for stock in stocks]
    )
    assert raised == [None] * RIVALS
    assert numbers(stocked) == (12 * RIVALS, 12 * RIVALS, 0)


def test_of_rivals_for_the_last_dozen_one_is_allocated(stocked: Subject) -> None:
    """All others are rejected, at once: what they asked for, and that nothing was left."""
    put(stocked, 12)
    names = [f"rival-{n}" for n in range(RIVALS)]
    assert outcomes([partial(allocate, stocked, name) for name in names]) == [None] * RIVALS
    rows = [stocked.store.get(name) for name in names]
    assert Counter(row.status for row in rows) == {"allocated": 1, "rejected": RIVALS - 1}
    assert {(row.asked, row.available) for row in rows} == {(None, None), (12, 0)}
    assert numbers(stocked) == (12, 12, 0)
    events = Counter(record.event_type for record in stocked.outbox())
    assert events == {"StockAllocated": 1, "StockRejected": RIVALS - 1}


def test_a_rejection_is_final(stocked: Subject) -> None:
    """Also where razors come, and where its payment is cancelled."""
    put(stocked, 11)
    rejected = allocate(stocked)
    put(stocked, 100)
    assert allocate(stocked) == rejected == Handlers(stocked.store).deallocate("one", a_cause())
    assert numbers(stocked) == (100, 0, 100)


def test_an_event_of_the_first_version_goes_beyond_the_inventory(stocked: Subject) -> None:
    """It takes nothing and is marked; within the inventory it takes like any other."""
    put(stocked, 12)
    handlers = Handlers(stocked.store)
    within = handlers.allocate("one", 1, OF_FIRST_VERSION)
    beyond = handlers.allocate("two", 1, OF_FIRST_VERSION)
    assert (sum(within.taken.values()), within.beyond_inventory) == (12, False)
    assert (beyond.taken, beyond.beyond_inventory, beyond.stock) == ({}, True, 12)
    assert stocked.store.get("two") == beyond
    handlers.deallocate("two", a_cause())
    assert numbers(stocked) == (12, 12, 0)


def test_what_is_on_hand_changes_and_what_is_reserved_stays(stocked: Subject) -> None:
    """More or less, down to what is reserved; each shard keeps at least that."""
    put(stocked, 192)
    allocate(stocked, "one", 3)
    for on_hand in (500, 37, 36):
        put(stocked, on_hand)
        assert numbers(stocked) == (on_hand, 36, on_hand - 36)
    with pytest.raises(InventoryReserved, match="36 are on hand, 36 reserved and 0 available"):
        put(stocked, 35)
    assert numbers(stocked) == (36, 36, 0)


def test_a_put_takes_nothing_from_an_allocation_that_is_faster(stocked: Subject) -> None:
    """It was decided on what was there before: Conflict, and nothing is changed."""
    seen = put(stocked, 192)
    allocate(stocked)
    with pytest.raises(Conflict):
        stocked.store.inventory.write(seen.with_on_hand(0), replaces=seen)
    assert numbers(stocked) == (192, 12, 180)


def test_of_puts_on_what_both_have_seen_one_wins(stocked: Subject) -> None:
    """For the first one and for a later one: the loser sees what the winner has set.

    All numbers differ: a PUT of what is there already changes nothing, and so collides with none.
    """
    for first in (1, 1 + RIVALS):
        seen = stocked.store.inventory.read(STOCK_ID)
        write = stocked.store.inventory.write
        rivals = [seen.with_on_hand(192 * (first + n)) for n in range(RIVALS)]
        raised = outcomes([partial(write, after, replaces=seen) for after in rivals])
        assert raised.count(None) == 1
        assert all(error is None or isinstance(error, Conflict) for error in raised)


def test_deleting_is_refused_while_anything_is_reserved(stocked: Subject) -> None:
    """Also where it is reserved after the look; after that there is no limit any more."""
    seen = put(stocked, 24)
    allocate(stocked)
    with pytest.raises(Conflict):
        stocked.store.inventory.delete(seen)
    with pytest.raises(InventoryReserved):
        staff(stocked).delete(STOCK_ID, lambda _: True)
    assert numbers(stocked) == (24, 12, 12)
    Handlers(stocked.store).deallocate("one", a_cause())
    for _ in "12":
        staff(stocked).delete(STOCK_ID, lambda _: True)
    assert not stocked.store.inventory.read(STOCK_ID).is_set
    assert stocked.store.inventory.shard(STOCK_ID, 0) is None


def test_giving_back_to_a_shard_that_is_gone_is_no_conflict(stocked: Subject) -> None:
    """It can never succeed: an error that is not held, so that a person sees it."""
    put_shards(stocked, {5: 12})
    stock = allocate(stocked)
    gone = stocked.store.inventory.read(STOCK_ID)
    remove(stocked, gone)
    after = stock.deallocate(now=START)
    with pytest.raises((ClientError, KeyError)):
        stocked.store.commit(after, STOCK.record(after), replaces=stock)
    assert stocked.store.get("one") == stock


def remove(subject: Subject, found: Inventory) -> None:
    """Delete the rows behind the service's back."""
    inventory = subject.store.inventory
    if hasattr(inventory, "shards"):
        inventory.shards.clear()
        return
    for shard in found.shards:
        key = {"item": {"S": found.item}, "shard": {"N": str(shard.number)}}
        inventory._client.delete_item(TableName=inventory._table, Key=key)


@pytest.mark.parametrize(
    "fault", ["lose_answers_to_commits", "lose_one_answer_to_a_commit", "never_answer_commits"]
)
def test_a_commit_whose_answer_is_lost_takes_once(stocked: Subject, fault: str) -> None:
    """What comes again finds the row, and takes no more; so does giving back."""
    put(stocked, 192)
    for use, reserved in ((allocate, 12), (give_back, 0)):
        getattr(stocked.faults, fault)()
        impatient = replace(stocked, store=stocked.impatient)
        with suppress(Unavailable):
            use(impatient)
        stocked.faults.restore()
        use(stocked)
        assert numbers(stocked) == (192, reserved, 192 - reserved)


def give_back(subject: Subject) -> Stock:
    return Handlers(subject.store).deallocate("one", a_cause())
