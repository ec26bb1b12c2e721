"""Use cases: allocate when a subscription is created, deallocate when its payment is cancelled.

Either may come first, and either may come again: each is decided on what is stored.
"""

from collections.abc import Callable
from functools import partial

from contracts.causes import Cause
from contracts.outbox import OutboxRecord
from runtime.outbox.commit import UseCases
from services.stock.events import record_of
from services.stock.model import Stock, StockNotFound


class Handlers(UseCases[Stock]):
    """Allocates and deallocates."""

    def allocate(self, subscription_id: str, quantity: int, cause: Cause) -> Stock:
        """Put twelve months aside, unless that was done, or has been made needless, before."""

        def decide(current: Stock | None) -> Stock:
            return current or Stock.allocate(subscription_id, quantity, now=self._now())

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
