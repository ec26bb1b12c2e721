"""Evidence of one aggregate, sorted by the event that it is evidence of. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from operations.journey.evidence import Evidence, OutboxRow
from operations.sources.bus_logs import BusEvent
from operations.sources.dead_letters import DeadLetter
from operations.sources.ledger import (
    AggregateState,
    Committed,
    EventKey,
    NotUnderstood,
    events_of,
)
from operations.sources.routes import Route


@dataclass(slots=True)
class EventEvidence:
    """What was found of one event; `on_buses` are pairs of a bus and what was on it.

    `route` is None for a type that no domain has. `committed` is what a state implies.
    """

    key: EventKey
    route: Route | None
    committed: Committed | None = None
    row: OutboxRow | None = None
    on_buses: list[tuple[str, BusEvent]] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)

    @property
    def first(self) -> BusEvent | OutboxRow | None:
        """The event itself, as a bus had it, or as it waits in its outbox."""
        return self.on_buses[0][1] if self.on_buses else self.row

    @property
    def event_ids(self) -> list[str]:
        ids = [event.event_id for _, event in self.on_buses]
        if self.row is not None and self.row.event_id is not None:
            ids.append(self.row.event_id)
        return [*ids, *filter(None, (each.event.event_id for each in self.dead_letters))]

    @property
    def event_id(self) -> str | None:
        """What names it, by a bus if one had it."""
        return next(iter(self.event_ids), None)

    @property
    def occurred_at(self) -> datetime | None:
        """When it was committed; None where neither a state nor a bus says so."""
        known = self.on_buses[0][1].occurred_at if self.on_buses else None
        if self.committed is None or (known and not self.committed.certain):
            return known
        return self.committed.occurred_at

    @property
    def is_certain(self) -> bool:
        """Whether more speaks for it than a state that leaves it uncertain."""
        implied = self.committed is not None and self.committed.certain
        return implied or self.first is not None or bool(self.dead_letters)


def events_in(evidence: Evidence, routes: Mapping[str, Route]) -> list[EventEvidence]:
    """Find every event that there is evidence of, in order of time."""
    found: dict[EventKey, EventEvidence] = {}

    def of(key: EventKey) -> EventEvidence:
        return found.setdefault(key, EventEvidence(key, routes.get(key.event_type)))

    for committed in _committed(evidence.states):
        of(committed.key).committed = committed
    for row in evidence.rows:
        of(row.key).row = row
    for bus, event in evidence.events:
        of(event.key).on_buses.append((bus, event))
    for dead_letter in evidence.dead_letters:
        inside = dead_letter.event
        key = EventKey(inside.event_type or "?", evidence.aggregate_id, inside.sequence or 0)
        of(key).dead_letters.append(dead_letter)
    certain = [each for each in found.values() if each.is_certain]
    return sorted(certain, key=lambda each: (each.occurred_at or evidence.read_at, each.key))


def caused_by(
    event_id: str, events: Sequence[EventEvidence], evidence: Evidence
) -> list[EventEvidence]:
    """Choose an event and all whose causes lead back to it."""
    family = {event_id}
    found: list[BusEvent | OutboxRow] = [
        *evidence.rows,
        *(event for _, event in evidence.events),
    ]
    for each in sorted(found, key=lambda each: each.occurred_at):
        if each.causation_id in family and each.event_id is not None:
            family.add(each.event_id)
    return [each for each in events if not family.isdisjoint(each.event_ids)]


def _committed(states: Mapping[str, AggregateState]) -> Iterator[Committed]:
    for state in states.values():
        try:
            yield from events_of(state)
        except NotUnderstood:
            continue  # the state is shown as it is
