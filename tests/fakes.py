"""In-memory stores with the semantics of the real ones; the store suite holds them to it."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic

from contracts.outbox import MAX_RECORD_BYTES, EventTooLarge, OutboxRecord
from runtime.cursors import InvalidCursor, Page
from runtime.errors import Conflict
from runtime.outbox.commit import A
from services.payment.model import Payment
from services.payment.model import Status as PaymentStatus
from services.stock.model import Status as StockStatus
from services.stock.model import Stock
from services.subscription.model import Subscription


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


class MemoryStore(Generic[A]):
    """Rows and outbox in memory, for any kind of aggregate and any number of threads.

    A record of more than `largest` bytes is refused. Where `cuts_pages`, lists are cut as DynamoDB
    may cut them: the first page holds nothing and has a position, and none is as long as it may be.
    """

    def __init__(
        self,
        identity: Callable[[A], str],
        hooks: Hooks = QUIET,
        *,
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

    def commit(self, after: A, record: OutboxRecord, *, replaces: A | None) -> None:
        if record.size > self._largest:
            raise EventTooLarge(record.event_type, record.size, self._largest)
        self._hooks.before_commit()
        aggregate_id = self._identity(after)
        with self._lock:
            stored = self._rows.get(aggregate_id)
            if (stored and stored.version) != (replaces and replaces.version):
                raise Conflict(aggregate_id)
            self._hooks.before_outbox()
            self._rows[aggregate_id] = after
            self.outbox.append(record)
        self._hooks.after_commit()

    def listed(
        self, wanted: Mapping[str, str], *, limit: int, after: Mapping[str, str] | None
    ) -> Page[A]:
        """Page through the rows whose attributes are as `wanted`, in order of their ids.

        A position names the filter it was made for, as an index's key does; any other is foreign.
        """
        self._hooks.before_read()
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
                if aggregate_id > last_seen and wanted.items() <= self.attributes(row).items()
            ]
        page = found[:limit]
        more = len(found) > limit
        return Page(page, {**wanted, "id": self._identity(page[-1])} if more else None)

    def attributes(self, row: A) -> Mapping[str, str]:
        """What lists of this kind of row can be filtered by."""
        return {}


class MemorySubscriptions(MemoryStore[Subscription]):
    """The subscription service's Store."""

    def __init__(
        self,
        hooks: Hooks = QUIET,
        *,
        largest: int = MAX_RECORD_BYTES,
        cuts_pages: bool = False,
    ) -> None:
        super().__init__(
            lambda row: row.subscription_id, hooks, largest=largest, cuts_pages=cuts_pages
        )

    def attributes(self, row: Subscription) -> Mapping[str, str]:
        return {"accountNumber": row.order.account_number}

    def page(
        self, *, account_number: str | None, limit: int, after: Mapping[str, str] | None
    ) -> Page[Subscription]:
        wanted = {"accountNumber": account_number} if account_number else {}
        return self.listed(wanted, limit=limit, after=after)


class MemoryStock(MemoryStore[Stock]):
    """The stock service's Store."""

    def __init__(
        self,
        hooks: Hooks = QUIET,
        *,
        largest: int = MAX_RECORD_BYTES,
        cuts_pages: bool = False,
    ) -> None:
        super().__init__(
            lambda row: row.subscription_id, hooks, largest=largest, cuts_pages=cuts_pages
        )

    def attributes(self, row: Stock) -> Mapping[str, str]:
        return {"status": row.status}

    def page(
        self, *, status: StockStatus | None, limit: int, after: Mapping[str, str] | None
    ) -> Page[Stock]:
        return self.listed({"status": status} if status else {}, limit=limit, after=after)


class MemoryPayments(MemoryStore[Payment]):
    """The payment service's Store."""

    def __init__(self, hooks: Hooks = QUIET, *, largest: int = MAX_RECORD_BYTES) -> None:
        super().__init__(lambda row: row.subscription_id, hooks, largest=largest)

    def attributes(self, row: Payment) -> Mapping[str, str]:
        return {"status": row.status}

    def page(
        self, *, status: PaymentStatus | None, limit: int, after: Mapping[str, str] | None
    ) -> Page[Payment]:
        return self.listed({"status": status} if status else {}, limit=limit, after=after)


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
