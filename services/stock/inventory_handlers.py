"""Use cases of staff: what is on hand is set, read, or no longer limits anything."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from runtime.errors import Conflict, Unavailable
from services.stock.inventory import (
    Inventory,
    InventoryNotSet,
    InventoryReserved,
    InventoryStore,
    ItemNotFound,
    OnHandChanged,
)
from services.stock.model import STOCK_ID
from services.stock.reservations import NONE_SET_SECONDS

T = TypeVar("T")

RACING_SECONDS = 10.0
"""How long lost races are run again before the caller hears of it."""

LONGEST_PAUSE = 0.05
"""Seconds between two of them."""

Expects = Callable[[Inventory], bool]
"""Whether what is there is what the caller has seen: If-Match."""


class InventoryHandlers:
    """Sets, reads and deletes. `wait` takes seconds, `monotonic` gives them."""

    def __init__(
        self,
        store: InventoryStore,
        *,
        wait: Callable[[float], object] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._wait, self._monotonic = store, wait, monotonic

    def get(self, item: str) -> Inventory:
        """Read it. Raises ItemNotFound, InventoryNotSet and Unavailable."""
        found = self._racing(item, lambda: self._read(item))
        if not found.is_set:
            raise InventoryNotSet(item)
        return found

    def put(self, item: str, on_hand: int, expects: Expects) -> tuple[Inventory, bool]:
        """Set what is on hand in total; gives what then is, and whether nothing was set before.

        The first one returns once no process still remembers that nothing is set. Raises
        ItemNotFound, OnHandChanged, InventoryReserved, and Unavailable with nothing changed.
        """

        def attempt() -> tuple[Inventory, bool]:
            found = self._read(item)
            if not expects(found):
                raise OnHandChanged(item)
            after = found.with_on_hand(on_hand)
            self._store.write(after, replaces=found)
            return after, not found.is_set

        after, is_first = self._racing(item, attempt)
        if is_first:
            self._wait(NONE_SET_SECONDS)
        return after, is_first

    def delete(self, item: str, expects: Expects) -> None:
        """Let nothing limit allocations any more; where nothing is set that is done already.

        Raises as `put` does, InventoryReserved while anything is reserved.
        """

        def attempt() -> None:
            found = self._read(item)
            if not found.is_set:
                return
            if not expects(found):
                raise OnHandChanged(item)
            if found.reserved:
                raise InventoryReserved(found)
            self._store.delete(found)

        self._racing(item, attempt)

    def _read(self, item: str) -> Inventory:
        if item != STOCK_ID:
            raise ItemNotFound(item, STOCK_ID)
        return self._store.read(item)

    def _racing(self, item: str, attempt: Callable[[], T]) -> T:
        """Attempt it until no other writer was first, for RACING_SECONDS at most."""
        until = self._monotonic() + RACING_SECONDS
        while True:
            try:
                return attempt()
            except Conflict as lost:
                if self._monotonic() >= until:
                    reason = f"for {RACING_SECONDS:g} s others were first; nothing was changed"
                    raise Unavailable(f"the inventory of {item}", reason) from lost
            self._wait(random.uniform(0, LONGEST_PAUSE))  # noqa: S311 (jitter, no secret)
