"""A change feed in memory: the rows that it has delivered so far, and a reader's position in it.

The suite of tests/integration/test_relay_adapters.py holds it to the real streams.
"""

from collections.abc import Sequence

from runtime.outbox.rows import Row


class MemoryFeed:
    """`rows` is what can be read, in the order of commits."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def commit(self, row: Row) -> None:
        self.rows.append(row)


class Position:
    """A ChangeFeed: a position in a feed, kept in the reader's memory and nowhere else."""

    def __init__(self, feed: MemoryFeed) -> None:
        self._feed, self.at = feed, 0

    def open(self) -> None:
        self.at = len(self._feed.rows)

    def read(self) -> Sequence[Row]:
        rows = self.look()
        self.go_on(rows)
        return rows

    def look(self) -> Sequence[Row]:
        """What comes next, which is not behind the reader before it has it."""
        return self._feed.rows[self.at :]

    def go_on(self, rows: Sequence[Row]) -> None:
        self.at += len(rows)
