"""A table's stream in memory: what it has told so far, and where a reader stands in it.

The suite of tests/integration/test_relay_ends.py holds it to the real streams.
"""

from collections.abc import Sequence

from runtime.outbox.rows import Row


class MemoryFeed:
    """`told` is what can be read, in the order of commits."""

    def __init__(self) -> None:
        self.told: list[Row] = []

    def commit(self, row: Row) -> None:
        self.told.append(row)


class Place:
    """A Stream: a place in a feed, kept in the reader's memory and nowhere else."""

    def __init__(self, feed: MemoryFeed) -> None:
        self._feed, self.at = feed, 0

    def open(self) -> None:
        self.at = len(self._feed.told)

    def read(self) -> Sequence[Row]:
        rows = self.look()
        self.go_on(rows)
        return rows

    def look(self) -> Sequence[Row]:
        """What comes next, which is not behind the reader before it has it."""
        return self._feed.told[self.at :]

    def go_on(self, rows: Sequence[Row]) -> None:
        self.at += len(rows)
