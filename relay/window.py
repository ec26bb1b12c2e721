"""The window: rows that were read and are not yet deleted. Bounded, and in order per aggregate."""

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from operator import attrgetter
from threading import Condition, Lock

from contracts.outbox import OutboxRecord
from relay.ports import Target
from runtime.batches import Limits
from runtime.outbox.rows import Row


class Window:
    """Hands rows out in batches, an aggregate in at most one of them and once in it.

    So when a target accepts half a batch, no event can overtake an earlier one of its aggregate.
    A row counts from `offer` until `remove`. An offer waits while `max_rows` or `max_bytes` is
    reached: that bounds the process's memory and holds its position in the stream. Rows of a sweep
    fill no more than half of it: what is new does not wait behind a backlog. `condition` makes what
    waits: threading's own, unless the caller runs no threads.
    """

    def __init__(
        self,
        *,
        max_rows: int,
        max_bytes: int,
        condition: Callable[[Lock], Condition] = Condition,
    ) -> None:
        self._max_rows, self._max_bytes = max_rows, max_bytes
        lock = Lock()
        self._has_ready, self._has_room, self._is_empty = (condition(lock) for _ in range(3))
        self._held: dict[tuple[str, int], datetime | None] = {}
        self._bytes = 0
        self._swept: set[tuple[str, int]] = set()
        self._swept_bytes = 0
        self._waiting: dict[str, list[Row]] = {}
        self._ready: deque[str] = deque()
        self._taken: set[str] = set()
        self._closed = False
        self.stuck: frozenset[tuple[str, int]] = frozenset()
        """Rows that stay in the outbox: they can be neither published nor dead-lettered."""

    def offer(self, rows: Iterable[Row], *, swept: bool = False) -> int:
        """Take rows in, waiting for room; a row that is here already is not taken twice.

        Returns how many were new. Stops early, and drops the rest, once the window is closed.
        `swept` rows are a sweep's.
        """
        new = 0
        for row in rows:
            with self._has_room:
                self._has_room.wait_for(
                    lambda: self._closed or self._room_for(row, swept=swept)  # noqa: B023
                )
                if self._closed:
                    return new
                if row.key not in self._held:
                    self._add(row, swept=swept)
                    new += 1
        return new

    def wait(self) -> bool:
        """Wait until there are rows to take; False once it is closed."""
        with self._has_ready:
            self._has_ready.wait_for(lambda: self._closed or self._ready)
            return not self._closed

    @property
    def has_ready(self) -> bool:
        """Whether there are rows to take."""
        return bool(self._ready)

    def take(
        self,
        target: Target,
        *,
        most: int | None = None,
        alike: Callable[[Row], object] = lambda _: None,
    ) -> list[Row]:
        """Take as many rows as one call to the target carries, at most `most`, without a wait.

        A row that cannot be published comes alone: it is dead-lettered. Rows of which `alike` says
        something else than of the first wait for another call.
        """
        entries, total_bytes = target.limits.entries, target.limits.total_bytes
        limits = Limits(entries if most is None else min(most, entries), total_bytes)
        with self._has_ready:
            batch: list[Row] = []
            total = 0
            while self._ready and not self._closed:
                row = self._waiting[self._ready[0]][0]
                publishable = isinstance(row.content, OutboxRecord)
                size = target.size_of(row.content) if isinstance(row.content, OutboxRecord) else 0
                if batch and not (publishable and limits.admit(len(batch), total, size)):
                    break
                if batch and alike(row) != alike(batch[0]):
                    break
                self._take(row)
                batch.append(row)
                total += size
                if not publishable:
                    break
            if self._ready:
                self._has_ready.notify()
            return batch

    def settle(self, rows: Sequence[Row]) -> None:
        """Their events are accepted: the next rows of their aggregates may be taken."""
        with self._has_ready:
            for row in rows:
                self._taken.discard(row.aggregate_id)
                if row.aggregate_id in self._waiting:
                    self._ready.append(row.aggregate_id)
            if self._ready:
                self._has_ready.notify()

    def give_back(self, rows: Sequence[Row]) -> None:
        """They were not accepted: each may be taken again, before what is behind it."""
        with self._has_ready:
            for row in rows:
                self._taken.discard(row.aggregate_id)
                self._ready.append(row.aggregate_id)
                waiting = self._waiting.setdefault(row.aggregate_id, [])
                insort(waiting, row, key=attrgetter("sequence"))
            self._has_ready.notify()

    def remove(self, rows: Sequence[Row]) -> None:
        """They have left the outbox: make room for others."""
        with self._has_room:
            self.stuck -= {row.key for row in rows}
            self._drop(rows)

    def leave(self, rows: Sequence[Row]) -> None:
        """They stay in the outbox, since nothing takes them: make room for others."""
        with self._has_room:
            self.stuck |= {row.key for row in rows}
            self._drop(rows)

    def have_left(self, keys: AbstractSet[tuple[str, int]]) -> None:
        """Rows that were stuck are not in the outbox any more."""
        with self._has_room:
            self.stuck -= keys

    def close(self) -> None:
        """End every wait; nothing is offered or taken any more."""
        with self._has_ready:
            self._closed = True
            for condition in (self._has_ready, self._has_room, self._is_empty):
                condition.notify_all()

    def wait_until_empty(self) -> None:
        """Wait until every row that was offered has left the outbox, or the window is closed."""
        with self._is_empty:
            self._is_empty.wait_for(lambda: self._closed or not self._held)

    def oldest(self) -> datetime | None:
        """When the oldest row in it occurred, of those whose time can be read."""
        with self._has_room:
            return min(filter(None, self._held.values()), default=None)

    def count_since(self, moment: datetime) -> int:
        """How many rows in it occurred at a moment or later, of those whose time can be read."""
        with self._has_room:
            return sum(1 for occurred in self._held.values() if occurred and occurred >= moment)

    def __len__(self) -> int:
        return len(self._held)

    def _room_for(self, row: Row, *, swept: bool) -> bool:
        """Whether a row fits, or is here. Where nothing is, any one row fits, however large."""
        if not self._held or row.key in self._held:
            return True
        if swept and self._swept:
            rows, size = len(self._swept) * 2, (self._swept_bytes + row.size) * 2
            if rows >= self._max_rows or size > self._max_bytes:
                return False
        return len(self._held) < self._max_rows and self._bytes + row.size <= self._max_bytes

    def _drop(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._held.pop(row.key, None)
            self._bytes -= row.size
            if row.key in self._swept:
                self._swept.remove(row.key)
                self._swept_bytes -= row.size
        self._has_room.notify_all()
        if not self._held:
            self._is_empty.notify_all()

    def _add(self, row: Row, *, swept: bool) -> None:
        self._held[row.key] = row.occurred_at
        self._bytes += row.size
        if swept:
            self._swept.add(row.key)
            self._swept_bytes += row.size
        waiting = self._waiting.get(row.aggregate_id)
        if waiting is None:
            self._waiting[row.aggregate_id] = [row]
            if row.aggregate_id not in self._taken:
                self._ready.append(row.aggregate_id)
                self._has_ready.notify()
        else:
            # A sweep may bring an earlier row after the stream has brought a later one.
            insort(waiting, row, key=attrgetter("sequence"))

    def _take(self, row: Row) -> None:
        self._ready.popleft()
        self._taken.add(row.aggregate_id)
        waiting = self._waiting[row.aggregate_id]
        waiting.pop(0)
        if not waiting:
            del self._waiting[row.aggregate_id]
