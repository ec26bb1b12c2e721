"""Stock put aside for a subscription: twelve months of razors, or none once given back."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

MONTHS = 12
STOCK_ID = "razor-123"
"""The one product that the company sells."""

ALLOCATION = 1
DEALLOCATION = 2
"""Versions. A deallocation is the second thing to happen to stock, even where its allocation never
did: an event carries the same sequence in whichever order its cause arrived."""


class DomainError(Exception):
    """Root of what this domain refuses."""


class StockNotFound(DomainError):
    def __init__(self, subscription_id: str) -> None:
        super().__init__(f"there is no stock for subscription {subscription_id}")


class Status(StrEnum):
    """Whether razors are put aside."""

    ALLOCATED = "allocated"
    DEALLOCATED = "deallocated"


class LastEvent(StrEnum):
    """What the last change of stock was."""

    ALLOCATED = "StockAllocated"
    DEALLOCATED = "StockDeallocated"


@dataclass(frozen=True)
class Stock:
    """The aggregate. `stock` counts razors: 12 times the monthly quantity, 0 once given back."""

    subscription_id: str
    stock_id: str
    stock: int
    status: Status
    created: datetime
    updated: datetime
    version: int
    event: LastEvent

    @classmethod
    def allocate(cls, subscription_id: str, quantity: int, *, now: datetime) -> Self:
        return cls(
            subscription_id=subscription_id,
            stock_id=STOCK_ID,
            stock=MONTHS * quantity,
            status=Status.ALLOCATED,
            created=now,
            updated=now,
            version=ALLOCATION,
            event=LastEvent.ALLOCATED,
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
            updated=now,
            version=DEALLOCATION,
            event=LastEvent.DEALLOCATED,
        )

    def deallocate(self, *, now: datetime) -> Self:
        """Give the stock back; what was given back already stays as it is."""
        if self.status is Status.DEALLOCATED:
            return self
        return replace(
            self,
            stock=0,
            status=Status.DEALLOCATED,
            updated=now,
            version=DEALLOCATION,
            event=LastEvent.DEALLOCATED,
        )
