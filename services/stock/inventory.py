"""What there is of an item: on hand, reserved and available, in sixteen shards.

Transactions on one row of DynamoDB that overlap fail each other. So an allocation takes from one
shard of sixteen, its home, and from the shards after it only where that has too little.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Protocol, Self

from services.stock.model import MONTHS, DomainError

SHARDS = 16
"""Rows of an item, numbered from 0. A constant of the table's schema: what rows of stock have taken
names them."""

MOST_ON_HAND = 2**53
"""The largest whole number that every reader of JSON has exactly."""

Taken = Mapping[int, int]
"""Razors by the shard that they are taken from; empty where no inventory is set."""


class ItemNotFound(DomainError):
    def __init__(self, item: str, known: str) -> None:
        super().__init__(f"there is no item {item}: the one there is has the id {known}")


class InventoryNotSet(DomainError):
    def __init__(self, item: str) -> None:
        super().__init__(
            f"no inventory of {item} is set, so there is no limit: set one with PUT and onHand"
        )


class InventoryReserved(DomainError):
    """Less would be on hand than is reserved; the message has the three numbers."""

    def __init__(self, found: "Inventory") -> None:
        super().__init__(
            f"of {found.item} {found.on_hand} are on hand, {found.reserved} reserved and"
            f" {found.available} available: what is on hand can be set to {found.reserved} or"
            " more, and the inventory deleted once nothing is reserved"
        )


class OnHandChanged(DomainError):
    def __init__(self, item: str) -> None:
        super().__init__(
            f"what is on hand of {item} is not what If-Match says: GET it, and send its ETag"
        )


@dataclass(frozen=True, slots=True)
class Shard:
    """One row; `available` is what is on hand and not reserved."""

    number: int
    on_hand: int
    reserved: int
    available: int

    def with_on_hand(self, on_hand: int) -> Self:
        return replace(self, on_hand=on_hand, available=on_hand - self.reserved)

    def taking(self, razors: int) -> Self:
        """Reserve some, or fewer than none: give back."""
        return replace(self, reserved=self.reserved + razors, available=self.available - razors)


@dataclass(frozen=True, slots=True)
class Shortage:
    """Too little is there: `asked` for, and `available` in all shards together. Razors."""

    asked: int
    available: int


@dataclass(frozen=True)
class Inventory:
    """All shards of an item, as one transaction read them; none of them where none is set."""

    item: str
    shards: tuple[Shard, ...] = ()

    @property
    def is_set(self) -> bool:
        return bool(self.shards)

    @property
    def on_hand(self) -> int:
        return sum(each.on_hand for each in self.shards)

    @property
    def reserved(self) -> int:
        return sum(each.reserved for each in self.shards)

    @property
    def available(self) -> int:
        return sum(each.available for each in self.shards)

    def choose(self, asked: int, home: int) -> Taken | Shortage:
        """Choose what to take from which shards: from `home` on, until it is enough."""
        if not self.is_set:
            return {}
        if self.available < asked:
            return Shortage(asked, self.available)
        taken, missing = {}, asked
        for shard in (*self.shards[home:], *self.shards[:home]):
            if missing and shard.available > 0:
                taken[shard.number] = min(shard.available, missing)
                missing -= taken[shard.number]
        return taken

    def with_on_hand(self, on_hand: int) -> Self:
        """Spread another number on hand over the shards: what is not reserved, evenly, in dozens.

        A dozen is the smallest allocation: it then finds all of it in one shard. Raises
        InventoryReserved where more is reserved.
        """
        dozens, rest = divmod(on_hand - self.reserved, MONTHS)
        if dozens < 0:
            raise InventoryReserved(self)
        each, more = divmod(dozens, SHARDS)
        shards = self.shards or tuple(Shard(number, 0, 0, 0) for number in range(SHARDS))
        free = (
            MONTHS * (each + (shard.number < more)) + rest * (shard.number == more)
            for shard in shards
        )
        spread = (
            shard.with_on_hand(shard.reserved + part)
            for shard, part in zip(shards, free, strict=True)
        )
        return replace(self, shards=tuple(spread))


def home_shard(subscription_id: str) -> int:
    """The shard that a subscription's razors are in: the last hex digit of its id's SHA-256."""
    return int(sha256(subscription_id.encode()).hexdigest()[-1], SHARDS)


class InventoryReader(Protocol):
    """The shards of each item, as an allocation reads them."""

    def shard(self, item: str, number: int, /) -> Shard | None:
        """Read one consistently; None where no inventory is set. Raises Unavailable."""

    def read(self, item: str, /) -> Inventory:
        """Read all shards in one transaction.

        Raises Conflict if one is just written, Unavailable.
        """


class InventoryStore(InventoryReader, Protocol):
    """The shards of each item, which can be set."""

    def write(self, after: Inventory, /, *, replaces: Inventory) -> None:
        """Write what is on hand in each shard, in one transaction, or nothing.

        What is reserved stays as it is by then. Raises Conflict where that is more than a shard
        would have, or where another number is on hand than `replaces` says; Unavailable.
        """

    def delete(self, found: Inventory, /) -> None:
        """Delete all shards in one transaction.

        Raises Conflict if any has something reserved, or is gone; Unavailable.
        """
