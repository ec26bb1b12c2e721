"""What an outbox offers besides commits, in whichever database it is."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from runtime.outbox.rows import EVER, Row
from runtime.outbox.stats import OutboxStats


def never() -> bool:
    """Say that a scan need not end early."""
    return False


class Outbox(Protocol):
    """A row is in it exactly as long as no bus or queue has accepted its event."""

    def scan(self, before: datetime = EVER) -> Iterator[Sequence[Row]]:
        """Read the rows that occurred before a moment, page by page, in sequence per aggregate.

        A page may be empty with others behind it. A row whose time cannot be read counts as old.
        Raises Unavailable.
        """

    def stats(
        self,
        before: datetime = EVER,
        *,
        limit: int | None = None,
        stopped: Callable[[], bool] = never,
    ) -> OutboxStats:
        """Count the rows that a scan would read, and find the oldest; memory stays bounded.

        With a `limit` it costs the same however deep the outbox is, and `before` is EVER. Once it
        is `stopped` it returns what it has counted until then. Raises Unavailable.
        """

    def delete(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Delete at most `max_deletes` rows; returns those that are still there.

        Raises Unavailable.
        """

    @property
    def max_deletes(self) -> int: ...
