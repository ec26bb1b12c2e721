"""Never more is allocated than there is, and what was taken comes back exactly once."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.causes import Cause
from runtime.errors import Conflict, Unavailable
from services.stock.handlers import Handlers
from services.stock.inventory import (
    SHARDS,
    Inventory,
    InventoryReserved,
    Shard,
    Shortage,
    home_shard,
)
from services.stock.inventory_handlers import RACING_SECONDS, InventoryHandlers
from services.stock.model import MONTHS, STOCK_ID, Status
from services.stock.reservations import NONE_SET_SECONDS, ReservationPlanner
from tests.builders import a_cause, clock
from tests.fakes import Hooks, MemoryStock, Plan, nothing

NAMES = ("ada", "bob", "cyd", "dan", "eve")
QUANTITIES: Mapping[str, int] = {name: number % 3 + 1 for number, name in enumerate(NAMES)}

available = st.lists(st.integers(0, 40), min_size=SHARDS, max_size=SHARDS)


def an_inventory(numbers: list[int], reserved: int = 0) -> Inventory:
    return Inventory(
        STOCK_ID,
        tuple(
            Shard(number, free + reserved, reserved, free) for number, free in enumerate(numbers)
        ),
    )


def any_state(_: Inventory) -> bool:
    return True


@given(available, st.integers(1, 700), st.integers(0, SHARDS - 1))
def test_a_choice_is_all_that_was_asked_for_or_a_shortage(
    numbers: list[int], asked: int, home: int
) -> None:
    """From no shard more than it has, and from one alone where its home has enough."""
    chosen = an_inventory(numbers).choose(asked, home)
    if isinstance(chosen, Shortage):
        assert chosen == Shortage(asked, sum(numbers))
        assert sum(numbers) < asked
        return
    assert sum(chosen.values()) == asked
    assert all(0 < razors <= numbers[number] for number, razors in chosen.items())
    if numbers[home] >= asked:
        assert chosen == {home: asked}


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=16, max_size=16),
    st.integers(0, 2**53),
)
def test_what_is_on_hand_is_spread_without_touching_what_is_reserved(
    rows: list[tuple[int, int]], on_hand: int
) -> None:
    """The total is what was asked for, and no shard has less than it has reserved."""
    before = Inventory(
        STOCK_ID,
        tuple(
            Shard(number, reserved + free, reserved, free)
            for number, (reserved, free) in enumerate(rows)
        ),
    )
    if on_hand < before.reserved:
        with pytest.raises(InventoryReserved, match=f"{before.reserved} reserved"):
            before.with_on_hand(on_hand)
        return
    after = before.with_on_hand(on_hand)
    assert (after.on_hand, after.reserved) == (on_hand, before.reserved)
    assert [each.reserved for each in after.shards] == [reserved for reserved, _ in rows]
    assert all(each.available == each.on_hand - each.reserved >= 0 for each in after.shards)
    dozens = [each.available // MONTHS for each in after.shards]
    assert max(dozens) - min(dozens) <= 1


def test_a_year_of_one_razor_a_month_finds_all_of_it_in_one_shard() -> None:
    """However few there are: dozens are not torn apart."""
    inventory = Inventory(STOCK_ID).with_on_hand(3 * MONTHS + 5)
    assert [each.available for each in inventory.shards][:5] == [12, 12, 12, 5, 0]


def test_homes_are_spread_and_do_not_change() -> None:
    """The last hex digit of the id's SHA-256: rows in DynamoDB say what was taken from where."""
    assert home_shard("280d2be1-0a4c-5fe9-9a74-da3b91a9c428") == 12
    found = Counter(home_shard(f"subscription-{number}") for number in range(16_000))
    assert found.keys() == set(range(SHARDS))
    assert all(900 < count < 1100 for count in found.values())


# What is stored balances after every history.

deliveries = st.tuples(
    st.sampled_from(("create", "cancel")),
    st.sampled_from(NAMES),
    st.sampled_from(("none", "outage", "crash", "lost answer", "overtaken")),
    st.sampled_from(NAMES),
)


@settings(deadline=None, max_examples=300)
@given(available, st.lists(deliveries, max_size=30), st.booleans())
def test_what_is_reserved_is_what_the_rows_have_taken(
    numbers: list[int], history: list[tuple[str, str, str, str]], first_version: bool
) -> None:
    """In every order, with duplicates, crashes and rivals; at the end all can be given back."""
    scene = Scene([number // 4 for number in numbers], first_version=first_version)
    for event, name, fault, rival in history:
        scene.deliver(event, name, fault, rival)
        scene.check()
    for name in NAMES:
        scene.handle("cancel", name)
        scene.check()
    assert scene.store.inventory.read(STOCK_ID) == scene.inventory


class Scene:
    """A consumer on a store that fails as planned."""

    def __init__(self, numbers: list[int], *, first_version: bool) -> None:
        self.before_commit, self.in_commit, self.after_commit = Plan(), Plan(), Plan()
        hooks = Hooks(
            before_commit=self.before_commit,
            before_outbox=self.in_commit,
            after_commit=self.after_commit,
        )
        self.store, self.inventory = MemoryStock(hooks), an_inventory(numbers)
        self.store.inventory.write(self.inventory, replaces=Inventory(STOCK_ID))
        self.handlers = Handlers(self.store, now=clock(), wait=lambda _: None)
        self._cause = Cause("request-1", is_of_first_version=first_version)

    def handle(self, event: str, name: str) -> None:
        if event == "create":
            self.handlers.allocate(name, QUANTITIES[name], self._cause)
        else:
            self.handlers.deallocate(name, self._cause)

    def deliver(self, event: str, name: str, fault: str, rival: str) -> None:
        """Handle it; where it fails, it comes again."""
        plans = {
            "outage": self.before_commit,
            "crash": self.in_commit,
            "lost answer": self.after_commit,
        }
        if fault in plans:
            plans[fault].once(_fail)
        elif fault == "overtaken":
            self.before_commit.once(partial(self.handle, "create", rival))
        try:
            self.handle(event, name)
        except Unavailable:
            self.handle(event, name)
        for plan in (self.before_commit, self.in_commit, self.after_commit):
            plan.action = nothing

    def check(self) -> None:
        found = self.store.inventory.read(STOCK_ID)
        rows = self.store.page(limit=100, after=None).items
        taken: Counter[int] = Counter()
        for row in rows:
            taken.update(row.taken)
            allocated = row.status is Status.ALLOCATED and not row.beyond_inventory
            assert sum(row.taken.values()) == (row.stock if allocated else 0)
        for shard, before in zip(found.shards, self.inventory.shards, strict=True):
            assert shard.on_hand == before.on_hand
            assert shard.reserved == taken[shard.number]
            assert shard.available == shard.on_hand - shard.reserved >= 0


def _fail() -> None:
    raise Unavailable("memory", "as planned")


# What a process remembers, and what a PUT waits for.


class Seconds:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def counted(hooked: Callable[[Hooks], MemoryStock]) -> tuple[MemoryStock, list[None]]:
    reads: list[None] = []
    return hooked(Hooks(before_read=lambda: reads.append(None))), reads


def test_a_process_remembers_for_a_second_that_none_is_set() -> None:
    """It reads again after it, and sees what was set meanwhile."""
    seconds = Seconds()
    store, reads = counted(MemoryStock)
    planner = ReservationPlanner(store.inventory, monotonic=seconds)
    for _ in "123":
        assert planner.plan("one", 12) == {}
    assert len(reads) == 1
    store.inventory.write(Inventory(STOCK_ID).with_on_hand(0), replaces=Inventory(STOCK_ID))
    assert planner.plan("one", 12) == {}
    seconds.wait(NONE_SET_SECONDS)
    assert planner.plan("one", 12) == Shortage(12, 0)


def test_the_second_counts_from_before_the_read() -> None:
    """A slow answer says what was there when it was asked for, no later."""
    seconds = Seconds()
    store = MemoryStock(Hooks(before_read=lambda: seconds.wait(0.9)))
    planner = ReservationPlanner(store.inventory, monotonic=seconds)
    assert planner.plan("one", 12) == {}
    store.inventory.write(Inventory(STOCK_ID).with_on_hand(0), replaces=Inventory(STOCK_ID))
    seconds.wait(0.1)
    assert planner.plan("one", 12) == Shortage(12, 0)


def test_the_first_put_answers_once_no_process_remembers_otherwise() -> None:
    """After a second; a later one at once."""
    seconds, store = Seconds(), MemoryStock()
    staff = InventoryHandlers(store.inventory, wait=seconds.wait, monotonic=seconds)
    assert staff.put(STOCK_ID, 12, any_state)[1]
    assert seconds.now == NONE_SET_SECONDS
    assert not staff.put(STOCK_ID, 24, any_state)[1]
    assert seconds.now == NONE_SET_SECONDS


def test_a_put_that_always_loses_says_so_after_ten_seconds() -> None:
    """With nothing changed: each time another PUT was faster."""
    seconds, hurry = Seconds(), Plan()
    store = MemoryStock(Hooks(before_commit=hurry))
    staff = InventoryHandlers(store.inventory, wait=seconds.wait, monotonic=seconds)
    others = iter(range(12, 10**9))

    def another() -> None:
        hurry.action = nothing
        found = store.inventory.read(STOCK_ID)
        store.inventory.write(found.with_on_hand(next(others) * 192), replaces=found)
        hurry.action = another

    staff.put(STOCK_ID, 12, any_state)
    started, hurry.action = seconds.now, another
    with pytest.raises(Unavailable, match="others were first; nothing was changed"):
        staff.put(STOCK_ID, 13, any_state)
    assert RACING_SECONDS <= seconds.now - started < RACING_SECONDS + 1
    assert store.inventory.read(STOCK_ID).on_hand % 192 == 0


def test_a_read_of_all_shards_that_meets_a_write_is_made_again() -> None:
    """By the use case, in the same try of the message."""
    store = MemoryStock()
    store.inventory.write(an_inventory([1] * SHARDS), replaces=Inventory(STOCK_ID))
    busy = Busy(store)
    handlers = Handlers(busy, now=clock(), wait=lambda _: None)
    assert sum(handlers.allocate("one", 1, a_cause()).taken.values()) == 12
    assert busy.reads == 3


class Busy:
    """A stock store of which the first two reads of all shards meet a write."""

    def __init__(self, store: MemoryStock) -> None:
        self._store, self.reads = store, 0
        self.get, self.commit, self.page = store.get, store.commit, store.page
        self.inventory: Any = self

    def shard(self, item: str, number: int) -> Shard | None:
        return self._store.inventory.shard(item, number)

    def read(self, item: str) -> Inventory:
        self.reads += 1
        if self.reads < 3:
            raise Conflict(item)
        return self._store.inventory.read(item)
