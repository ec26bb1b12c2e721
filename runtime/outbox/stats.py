"""How many events wait in an outbox to be published, and for how long."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from contracts.timestamps import normalised, parse_timestamp

MOST_COUNTED = 500
"""Events counted at most: asking stays cheap while an outbox is deep."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """`depth` events wait, or more where `at_least`; `oldest` is the occurredAt of the oldest.

    Where there are more than were counted, an older one may be among the others.
    """

    depth: int
    at_least: bool
    oldest: datetime | None

    @classmethod
    def of(cls, depth: int, occurred: Iterable[object]) -> Self:
        """Describe `depth` events, of which up to MOST_COUNTED + 1 were looked at.

        A row whose time cannot be read counts, and has no age: the relay sets it aside.
        """
        times = [moment for text in occurred if (moment := _moment(text))]
        return cls(min(depth, MOST_COUNTED), depth > MOST_COUNTED, min(times, default=None))


def _moment(found: object) -> datetime | None:
    try:
        return normalised(found) if isinstance(found, datetime) else parse_timestamp(str(found))
    except ValueError:
        return None
