"""Use cases: allocate when a subscription is created, deallocate when its payment is cancelled.

Either may come first, and either may come again: each is decided on what is stored.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from contracts.causes import Cause
from contracts.outbox import OutboxRecord
from runtime.outbox.commit import UseCases
from services.stock.events import record_of
from services.stock.inventory import Shortage
from services.stock.model import MONTHS, Stock, StockNotFound
from services.stock.reservations import ReservationPlanner
from services.stock.store import StockStore


class Handlers(UseCases[Stock]):
    """Allocates and deallocates; `monotonic` is a clock in seconds that is never set."""

    def __init__(
        self,
        store: StockStore,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        **arguments: Any,
    ) -> None:
        super().__init__(store, **arguments)
        self._planner = ReservationPlanner(store.inventory, monotonic=monotonic)

    def allocate(self, subscription_id: str, quantity: int, cause: Cause) -> Stock:
        """Put twelve months aside, unless that was done, or has been made needless, before.

        Where the inventory has too little the stock is rejected, but for an event of the first
        version: that takes nothing and is marked as beyond the inventory.
        """

        def decide(current: Stock | None) -> Stock:
            if current is not None:
                return current
            plan, now = self._planner.plan(subscription_id, MONTHS * quantity), self._now()
            if not isinstance(plan, Shortage):
                return Stock.allocate(subscription_id, quantity, now=now, taken=plan)
            if cause.is_of_first_version:
                return Stock.allocate(subscription_id, quantity, now=now, beyond_inventory=True)
            return Stock.reject(subscription_id, quantity, available=plan.available, now=now)

        return self.change(subscription_id, decide, self._record(cause), presumed_new=True)

    def deallocate(self, subscription_id: str, cause: Cause) -> Stock:
        """Give the stock back; where there is none yet, see to it that there never will be."""

        def decide(current: Stock | None) -> Stock:
            if current is None:
                return Stock.deallocate_before_allocation(subscription_id, now=self._now())
            return current.deallocate(now=self._now())

        return self.change(subscription_id, decide, self._record(cause))

    def get(self, subscription_id: str) -> Stock:
        """Read one; raises StockNotFound."""
        stock = self._store.get(subscription_id)
        if stock is None:
            raise StockNotFound(subscription_id)
        return stock

    def _record(self, cause: Cause) -> Callable[[Stock], OutboxRecord]:
        return partial(record_of, cause=cause, event_id=self._new_id())
