"""How many events wait in an outbox to be published, and for how long."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self


@dataclass(frozen=True, slots=True)
class OutboxStats:
    """`depth` rows wait, or more where `at_least`; `oldest` is the occurredAt of the oldest.

    Where there are more than were counted, an older one may be among the others. `undated` are
    those of `depth` whose time cannot be read: they have no age.
    """

    depth: int = 0
    at_least: bool = False
    oldest: datetime | None = None
    undated: int = 0

    @classmethod
    def of(cls, times: Iterable[datetime | None], before: datetime) -> Self:
        """Count the rows that occurred before a moment, or whose time cannot be read."""
        found = list(times)
        known = [time for time in found if time and time < before]
        undated = found.count(None)
        return cls(len(known) + undated, oldest=min(known, default=None), undated=undated)

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.depth + other.depth,
            self.at_least or other.at_least,
            min(filter(None, (self.oldest, other.oldest)), default=None),
            self.undated + other.undated,
        )

    def limited(self, limit: int) -> Self:
        """Count no further than `limit`."""
        more = self.at_least or self.depth > limit
        return replace(self, depth=min(self.depth, limit), at_least=more)

    def age(self, now: datetime) -> timedelta | None:
        """How long the oldest has waited; None if there is none, or its time cannot be read."""
        return None if self.oldest is None else now - self.oldest
