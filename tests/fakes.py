"""In-memory stores with the semantics of the real ones; the store suite holds them to it."""

import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic

from botocore.exceptions import ClientError

from contracts.outbox import MAX_RECORD_BYTES, EventTooLarge, OutboxRecord
from runtime.cursors import InvalidCursor, Page
from runtime.errors import CannotOpen, Conflict
from runtime.outbox.commit import A
from services.payment.model import Payment
from services.stock.inventory import SHARDS, Inventory, Shard, Taken
from services.stock.model import Stock
from services.subscription.model import Subscription


def client_error(code: str, status: int = 400, *, said: str = "said AWS") -> ClientError:
    """An answer of AWS's that refuses a call."""
    response: Any = {
        "Error": {"Code": code, "Message": said},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "PutItem")


def nothing() -> None:
    """What happens around a commit when no test has other plans."""


@dataclass(frozen=True)
class Hooks:
    """Where reality interferes: what a hook raises is what the store's caller sees.

    `before_read` and `before_commit` run before the store is touched and outside its lock, so that
    what they write is another writer's work; `before_outbox` runs within the transaction, of which
    nothing may stay if it raises; `after_commit` when it is applied and its answer is under way.
    """

    before_read: Callable[[], object] = nothing
    before_commit: Callable[[], object] = nothing
    before_outbox: Callable[[], object] = nothing
    after_commit: Callable[[], object] = nothing


QUIET = Hooks()


def subscription_id_of(row: Any) -> str:
    return str(row.subscription_id)


class MemoryStore(Generic[A]):
    """Rows and outbox in memory, for any kind of aggregate and any number of threads.

    A record of more than `largest` bytes is refused. Where `cuts_pages`, lists are cut as DynamoDB
    may cut them: the first page holds nothing and has a position, and none is as long as it may be.
    """

    def __init__(
        self,
        hooks: Hooks = QUIET,
        *,
        identity: Callable[[A], str] = subscription_id_of,
        largest: int = MAX_RECORD_BYTES,
        cuts_pages: bool = False,
    ) -> None:
        self._identity, self._hooks, self._largest = identity, hooks, largest
        self._cuts_pages = cuts_pages
        self._lock = threading.RLock()
        self._rows: dict[str, A] = {}
        self.outbox: list[OutboxRecord] = []

    def get(self, aggregate_id: str) -> A | None:
        self._hooks.before_read()
        with self._lock:
            return self._rows.get(aggregate_id)

    def commit(self, after: A, record: OutboxRecord | None, *, replaces: A | None) -> None:
        if record is not None and record.size > self._largest:
            raise EventTooLarge(record.event_type, record.size, self._largest)
        self._hooks.before_commit()
        aggregate_id = self._identity(after)
        with self._lock:
            stored = self._rows.get(aggregate_id)
            if (stored and stored.version) != (replaces and replaces.version):
                raise Conflict(aggregate_id)
            move = self.beside(after, stored)
            self._hooks.before_outbox()
            move()
            self._rows[aggregate_id] = after
            if record is not None:
                self.outbox.append(record)
        self._hooks.after_commit()

    def beside(self, after: A, before: A | None) -> Callable[[], object]:
        """What is written with the rows, once it is known to fit. Raises Conflict if it does not.

        It runs within the transaction.
        """
        return nothing

    def page(
        self, *, limit: int, after: Mapping[str, str] | None, where: str | None = None
    ) -> Page[A]:
        """Page through the rows that are listed by `where`, or through all, in order of their ids.

        A position names the filter it was made for, as an index's key does; any other is foreign.
        """
        return self._page(self.listed_by, limit=limit, after=after, where=where)

    def _page(
        self,
        listed_by: Callable[[A], str | None],
        *,
        limit: int,
        after: Mapping[str, str] | None,
        where: str | None,
    ) -> Page[A]:
        self._hooks.before_read()
        wanted = {} if where is None else {"where": where}
        if after is not None and {**wanted, "id": after.get("id")} != after:
            raise InvalidCursor
        if after is None and self._cuts_pages:
            return Page([], {**wanted, "id": ""})
        if self._cuts_pages:
            limit = max(1, limit - 1)
        last_seen = after["id"] if after is not None else ""
        with self._lock:
            found = [
                row
                for aggregate_id, row in sorted(self._rows.items())
                if aggregate_id > last_seen and where in {None, listed_by(row)}
            ]
        page = found[:limit]
        more = len(found) > limit
        return Page(page, {**wanted, "id": self._identity(page[-1])} if more else None)

    def listed_by(self, row: A) -> str | None:
        """What lists of this kind of row can be filtered by."""
        return None


class MemorySubscriptions(MemoryStore[Subscription]):
    """The subscription service's store."""

    def listed_by(self, row: Subscription) -> str | None:
        return row.order.account_number if row.order else None

    def page(
        self,
        *,
        limit: int,
        after: Mapping[str, str] | None,
        where: str | None = None,
        status: str | None = None,
    ) -> Page[Subscription]:
        return _with(status, super().page(limit=limit, after=after, where=where))

    def page_of(
        self,
        owner: str,
        *,
        limit: int,
        after: Mapping[str, str] | None,
        status: str | None = None,
    ) -> Page[Subscription]:
        found = self._page(lambda row: row.owner, limit=limit, after=after, where=owner)
        return _with(status, found)


def _with(status: str | None, page: Page[Subscription]) -> Page[Subscription]:
    """Leave out what a page has looked at in vain, as a filter expression does."""
    kept = [row for row in page.items if status in {None, row.status}]
    return Page(kept, page.next_position)


class NotAvailable(Exception):
    """A shard has less than is taken from it."""


class MemoryInventory:
    """Shards in memory, with the lock and the hooks of the store that takes from them."""

    def __init__(self, lock: threading.RLock, hooks: Hooks) -> None:
        self._lock, self._hooks = lock, hooks
        self.shards: dict[tuple[str, int], Shard] = {}

    def shard(self, item: str, number: int) -> Shard | None:
        self._hooks.before_read()
        with self._lock:
            return self.shards.get((item, number))

    def read(self, item: str) -> Inventory:
        self._hooks.before_read()
        with self._lock:
            numbers = [number for number in range(SHARDS) if (item, number) in self.shards]
            return Inventory(item, tuple(self.shards[item, number] for number in numbers))

    def write(self, after: Inventory, *, replaces: Inventory) -> None:
        self._hooks.before_commit()
        before = {shard.number: shard for shard in replaces.shards}
        with self._lock:
            for shard in after.shards:
                seen, stored = before.get(shard.number), self.shards.get((after.item, shard.number))
                is_seen = (seen and seen.on_hand) == (stored and stored.on_hand)
                if not is_seen or (stored and stored.reserved > shard.on_hand):
                    raise Conflict(after.item)
            for shard in after.shards:
                stored = self.shards.get((after.item, shard.number), Shard(shard.number, 0, 0, 0))
                self.shards[after.item, shard.number] = stored.with_on_hand(shard.on_hand)
        self._hooks.after_commit()

    def delete(self, found: Inventory) -> None:
        self._hooks.before_commit()
        with self._lock:
            keys = [(found.item, shard.number) for shard in found.shards]
            if any(key not in self.shards or self.shards[key].reserved for key in keys):
                raise Conflict(found.item)
            for key in keys:
                del self.shards[key]
        self._hooks.after_commit()

    def moved(self, item: str, before: Taken, after: Taken) -> Mapping[tuple[str, int], Shard]:
        """The shards once it is taken or given back; the lock is held. Raises NotAvailable."""
        moved = {
            (item, number): self.shards[item, number].taking(razors)
            for number in {*before, *after}
            if (razors := after.get(number, 0) - before.get(number, 0))
        }
        if any(
            shard.available < 0 and shard.reserved > self.shards[key].reserved
            for key, shard in moved.items()
        ):
            raise NotAvailable
        return moved


class MemoryStock(MemoryStore[Stock]):
    """The stock service's store."""

    def __init__(self, hooks: Hooks = QUIET, **arguments: Any) -> None:
        super().__init__(hooks, **arguments)
        self.inventory = MemoryInventory(self._lock, hooks)

    def beside(self, after: Stock, before: Stock | None) -> Callable[[], object]:
        taken = before.taken if before else {}
        try:
            moved = self.inventory.moved(after.stock_id, taken, after.taken)
        except NotAvailable:
            raise Conflict(after.subscription_id) from None
        return partial(self.inventory.shards.update, moved)

    def listed_by(self, row: Stock) -> str:
        return row.status


class MemoryPayments(MemoryStore[Payment]):
    """The payment service's store."""

    def listed_by(self, row: Payment) -> str:
        return row.status


class Plan:
    """A hook whose behaviour a test sets when its time has come."""

    def __init__(self) -> None:
        self.action: Callable[[], object] = nothing

    def __call__(self) -> None:
        self.action()

    def once(self, action: Callable[[], object]) -> None:
        """Do `action` the next time and nothing after that, even while it is still at it."""

        def run() -> None:
            self.action = nothing
            action()

        self.action = run


def sealed(text: str) -> str:
    """Seal nothing: the same text in Base64, for who asks what is done with sealed texts."""
    return b64encode(text.encode()).decode()


def opened(text: str) -> str:
    """Open what `sealed` made; raises CannotOpen."""
    try:
        return b64decode(text, validate=True).decode()
    except ValueError as error:
        raise CannotOpen(type(error).__name__) from None
