"""From which shards an allocation takes its razors."""

import time
from collections.abc import Callable

from services.stock.inventory import InventoryReader, Shortage, Taken, home_shard
from services.stock.model import STOCK_ID

NONE_SET_SECONDS = 1.0
"""How long a process may remember that no inventory is set."""


class ReservationPlanner:
    """Plans what the commit then takes, on the condition that it is there. For any threads.

    `monotonic` is a clock in seconds that is never set.
    """

    def __init__(
        self, inventory: InventoryReader, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._inventory, self._monotonic = inventory, monotonic
        self._none_until = float("-inf")

    def plan(self, subscription_id: str, asked: int) -> Taken | Shortage:
        """Choose the shards for `asked` razors; none where no inventory is set.

        Raises Conflict, if all shards have to be read and one is just written, Unavailable.
        """
        now = self._monotonic()
        if now < self._none_until:
            return {}
        home = home_shard(subscription_id)
        shard = self._inventory.shard(STOCK_ID, home)
        if shard is None:
            # From before the read: what sets an inventory waits until this is over, and then
            # nothing planned without it is still to begin.
            self._none_until = now + NONE_SET_SECONDS
            return {}
        if shard.available >= asked:
            return {home: asked}
        return self._inventory.read(STOCK_ID).choose(asked, home)
