"""Evidence of one aggregate, sorted by the event that it is evidence of. Pure."""

from collections.abc import Iterator, Mapping
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


class EvidenceByEvent:
    """`committed` is what the states imply, with what they leave uncertain."""

    def __init__(self, evidence: Evidence) -> None:
        self.all = evidence
        self.committed = {event.key: event for event in _committed(evidence.states)}
        self.rows = {row.key: row for row in evidence.rows}
        self.events: dict[EventKey, list[tuple[str, BusEvent]]] = {}
        for bus, event in evidence.events:
            key = EventKey(event.event_type, event.aggregate_id, event.sequence)
            self.events.setdefault(key, []).append((bus, event))
        self.dead_letters: dict[EventKey, list[DeadLetter]] = {}
        for dead_letter in evidence.dead_letters:
            inside = dead_letter.event
            key = EventKey(inside.event_type or "?", evidence.aggregate_id, inside.sequence or 0)
            self.dead_letters.setdefault(key, []).append(dead_letter)

    @property
    def keys(self) -> list[EventKey]:
        """Every event that there is evidence of, in order of time."""
        certain = [key for key, event in self.committed.items() if event.certain]
        known = {*certain, *self.events, *self.rows, *self.dead_letters}
        return sorted(known, key=lambda key: (self.occurred_at(key) or self.all.read_at, key))

    def caused_by(self, event_id: str) -> list[EventKey]:
        """Name an event and all whose causes lead back to it."""
        family = {event_id}
        found: list[BusEvent | OutboxRow] = [
            *self.all.rows,
            *(event for _, event in self.all.events),
        ]
        for each in sorted(found, key=lambda each: each.occurred_at):
            if each.causation_id in family and each.event_id is not None:
                family.add(each.event_id)
        return [key for key in self.keys if family & self._event_ids(key).keys()]

    def event_id(self, key: EventKey) -> str | None:
        """Name an event, by a bus if one had it."""
        return next(iter(self._event_ids(key)), None)

    def occurred_at(self, key: EventKey) -> datetime | None:
        """When an event was committed; None where neither a state nor a bus says so."""
        if key in self.committed:
            return self.committed[key].occurred_at
        return self.events[key][0][1].occurred_at if key in self.events else None

    def _event_ids(self, key: EventKey) -> dict[str, None]:
        ids = [event.event_id for _, event in self.events.get(key, ())]
        if key in self.rows and (event_id := self.rows[key].event_id) is not None:
            ids.append(event_id)
        dead = (each.event.event_id for each in self.dead_letters.get(key, ()))
        return dict.fromkeys([*ids, *filter(None, dead)])


def _committed(states: Mapping[str, AggregateState]) -> Iterator[Committed]:
    for state in states.values():
        try:
            yield from events_of(state)
        except NotUnderstood:
            continue  # the state is shown as it is
