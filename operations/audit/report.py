"""What an audit finds: counts for each type of event, and every difference by id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from contracts.timestamps import format_timestamp
from operations.output import as_document


class FindingKind(StrEnum):
    """What an audit can find."""

    NOT_PUBLISHED = "committed, not published"
    NOT_COMMITTED = "published, not committed"
    NOT_ON_NEXT_BUS = "published, not on the next bus"
    NOT_HANDLED = "published, not handled"
    TWO_EVENTS = "two events for one change"
    NOT_RESERVED = "reserved in the inventory, not taken by stock, or the other way round"
    NOT_UNDERSTOOD = "not understood"


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One event that is not where it should be; `place` is the bus, queue or table in question.

    `hint` says more, and does not count when two differences are compared.
    """

    kind: FindingKind
    event_type: str
    aggregate_id: str
    sequence: int
    event_id: str | None = field(default=None, compare=False, kw_only=True)
    place: str
    hint: str = field(default="", compare=False)


@dataclass(slots=True)
class EventCount:
    """Of one type of event. committed = pending + between + set aside + published, if it balances.

    `between` is what may be in the queue between outbox and bus. `duplicates` are publications
    of an event beyond its first, `replayed` those that a replay brought.
    """

    committed: int = 0
    pending: int = 0
    between: int = 0
    set_aside: int = 0
    published: int = 0
    duplicates: int = 0
    replayed: int = 0


@dataclass(slots=True)
class DeliveryCount:
    """Of one rule. expected = arrived + dead-lettered + may be queued, if it balances.

    `arrived`: handled, for a rule with a queue; seen on the next bus, for a rule with a bus.
    `queued` is how many of those that did not arrive the queue has room for among what it holds.
    """

    event_type: str
    rule: str
    target: str
    expected: int = 0
    arrived: int = 0
    dead_lettered: int = 0
    queued: int = 0
    holds: int = 0


@dataclass(frozen=True, slots=True)
class AuditReport:
    """`suspects` were missing at the last look, but not for long enough to be a difference.

    `first_version` counts, by type, the events that the first version of this system published:
    they are in none of the other counts.
    """

    since: datetime
    until: datetime
    events: Mapping[str, EventCount]
    deliveries: Sequence[DeliveryCount]
    differences: tuple[Difference, ...]
    suspects: tuple[Difference, ...] = ()
    looks: int = 1
    first_version: Mapping[str, int] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        return not self.differences

    @property
    def in_flight(self) -> int:
        """Events that are on their way: in an outbox, a queue, or too young to be missing.

        One event that is on its way to two places counts twice.
        """
        return (
            sum(count.pending + count.between for count in self.events.values())
            + sum(count.queued for count in self.deliveries)
            + len(self.suspects)
        )

    @property
    def dead_lettered(self) -> int:
        return sum(count.set_aside for count in self.events.values()) + sum(
            count.dead_lettered for count in self.deliveries
        )

    @property
    def duplicates(self) -> int:
        return sum(count.duplicates for count in self.events.values())

    def as_document(self) -> dict[str, Any]:
        return {
            "from": format_timestamp(self.since),
            "to": format_timestamp(self.until),
            "clean": self.clean,
            "inFlight": self.in_flight,
            "deadLettered": self.dead_lettered,
            "looks": self.looks,
            "events": {name: as_document(count) for name, count in self.events.items()},
            "firstVersion": dict(sorted(self.first_version.items())),
            "deliveries": [as_document(count) for count in self.deliveries],
            "differences": [as_document(each) for each in self.differences],
        }
