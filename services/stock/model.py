"""Stock put aside for a subscription: twelve months of razors, or none once given back."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self

MONTHS = 12
STOCK_ID = "razor-123"
"""The one product that the company sells."""

ALLOCATION = REJECTION = 1
DEALLOCATION = 2
"""Versions. A deallocation is the second thing to happen to stock, even where its allocation never
did: an event carries the same sequence in whichever order its cause arrived."""


class DomainError(Exception):
    """Root of what this domain refuses."""


class StockNotFound(DomainError):
    def __init__(self, subscription_id: str) -> None:
        super().__init__(f"there is no stock for subscription {subscription_id}")


class Status(StrEnum):
    """Whether razors are put aside; rejected means that there were too few, and is final."""

    ALLOCATED = "allocated"
    REJECTED = "rejected"
    DEALLOCATED = "deallocated"


class EventName(StrEnum):
    """What may happen to stock."""

    ALLOCATED = "StockAllocated"
    REJECTED = "StockRejected"
    DEALLOCATED = "StockDeallocated"


class Event(NamedTuple):
    """What happened, and when; `sequence` is the version that it led to."""

    sequence: int
    name: EventName
    at: datetime


@dataclass(frozen=True)
class Stock:
    """The aggregate. `stock` counts razors: 12 times the monthly quantity, 0 once given back.

    `events` are all that happened to it, in sequence. Of one that was rejected, `asked` is how many
    razors were wanted, and `available` how many there were. `taken` are the razors that it has from
    the inventory, by its shard: none where no inventory was set, or where it is `beyond_inventory`.
    """

    subscription_id: str
    stock_id: str
    stock: int
    status: Status
    created: datetime
    events: tuple[Event, ...]
    asked: int | None = None
    available: int | None = None
    taken: Mapping[int, int] = field(default_factory=dict)
    beyond_inventory: bool = False

    @property
    def version(self) -> int:
        return self.events[-1].sequence

    @property
    def event(self) -> EventName:
        return self.events[-1].name

    @property
    def updated(self) -> datetime:
        return self.events[-1].at

    @classmethod
    def allocate(
        cls,
        subscription_id: str,
        quantity: int,
        *,
        now: datetime,
        taken: Mapping[int, int] | None = None,
        beyond_inventory: bool = False,
    ) -> Self:
        return cls(
            subscription_id=subscription_id,
            stock_id=STOCK_ID,
            stock=MONTHS * quantity,
            status=Status.ALLOCATED,
            created=now,
            events=(Event(ALLOCATION, EventName.ALLOCATED, now),),
            taken=taken or {},
            beyond_inventory=beyond_inventory,
        )

    @classmethod
    def reject(cls, subscription_id: str, quantity: int, *, available: int, now: datetime) -> Self:
        """Record that there were too few razors."""
        return cls(
            subscription_id=subscription_id,
            stock_id=STOCK_ID,
            stock=0,
            status=Status.REJECTED,
            created=now,
            events=(Event(REJECTION, EventName.REJECTED, now),),
            asked=MONTHS * quantity,
            available=available,
        )

    @classmethod
    def deallocate_before_allocation(cls, subscription_id: str, *, now: datetime) -> Self:
        """Record that nothing is to be put aside: the cancellation overtook the creation."""
        return cls(
            subscription_id=subscription_id,
            stock_id=STOCK_ID,
            stock=0,
            status=Status.DEALLOCATED,
            created=now,
            events=(Event(DEALLOCATION, EventName.DEALLOCATED, now),),
        )

    def deallocate(self, *, now: datetime) -> Self:
        """Give the stock back; where none is put aside, it stays as it is."""
        if self.status is not Status.ALLOCATED:
            return self
        return replace(
            self,
            stock=0,
            taken={},
            status=Status.DEALLOCATED,
            events=(*self.events, Event(DEALLOCATION, EventName.DEALLOCATED, now)),
        )
