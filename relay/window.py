"""The window: rows that were read and are not yet deleted. Bounded, and in order per aggregate."""

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from threading import Condition, Lock

from contracts.outbox import OutboxRecord
from relay.rows import Row, Target


class Window:
    """Hands rows out in batches, an aggregate in at most one of them and once in it.

    So when a target accepts half a batch, no event can overtake an earlier one of its aggregate.
    A row counts from `offer` until `remove`. Whoever offers waits while `max_rows` or `max_bytes`
    is reached: that bounds the process's memory and holds its place in the stream. `condition`
    makes what waits: for threads, unless somebody runs it otherwise.
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
        self._keys: set[tuple[str, int]] = set()
        self._bytes = 0
        self._waiting: dict[str, list[Row]] = {}
        self._ready: deque[str] = deque()
        self._taken: set[str] = set()
        self._closed = False

    def offer(self, rows: Iterable[Row]) -> int:
        """Take rows in, waiting for room; a row that is here already is not taken twice.

        Returns how many were new. Stops early, and drops the rest, once the window is closed.
        """
        new = 0
        for row in rows:
            with self._has_room:
                self._has_room.wait_for(lambda: self._closed or self._room_for(row))  # noqa: B023
                if self._closed:
                    return new
                if row.key not in self._keys:
                    self._add(row)
                    new += 1
        return new

    def take(self, target: Target) -> list[Row]:
        """Wait for rows and take as many as one call to the target carries; none once closed.

        A row that cannot be published comes alone: it goes elsewhere.
        """
        with self._has_ready:
            self._has_ready.wait_for(lambda: self._closed or self._ready)
            if self._closed:
                return []
            batch: list[Row] = []
            total = 0
            while self._ready:
                row = self._waiting[self._ready[0]][0]
                publishable = isinstance(row.content, OutboxRecord)
                size = target.size_of(row.content) if isinstance(row.content, OutboxRecord) else 0
                if batch and not (publishable and target.limits.admit(len(batch), total, size)):
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
        """Their events are in durable hands: the next rows of their aggregates may be taken."""
        with self._has_ready:
            for row in rows:
                self._taken.discard(row.aggregate_id)
                if row.aggregate_id in self._waiting:
                    self._ready.append(row.aggregate_id)
            if self._ready:
                self._has_ready.notify()

    def remove(self, rows: Sequence[Row]) -> None:
        """They have left the outbox: make room for others."""
        with self._has_room:
            for row in rows:
                self._keys.discard(row.key)
                self._bytes -= row.size
            self._has_room.notify_all()
            if not self._keys:
                self._is_empty.notify_all()

    def close(self) -> None:
        """Let everybody go who waits here; nothing is offered or taken any more."""
        with self._has_ready:
            self._closed = True
            for condition in (self._has_ready, self._has_room, self._is_empty):
                condition.notify_all()

    def wait_until_empty(self) -> None:
        """Wait until every row that was offered has left the outbox, or the window is closed."""
        with self._is_empty:
            self._is_empty.wait_for(lambda: self._closed or not self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def _room_for(self, row: Row) -> bool:
        """Whether a row fits, or is here. An empty window takes any one row, however large."""
        if not self._keys or row.key in self._keys:
            return True
        return len(self._keys) < self._max_rows and self._bytes + row.size <= self._max_bytes

    def _add(self, row: Row) -> None:
        self._keys.add(row.key)
        self._bytes += row.size
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
