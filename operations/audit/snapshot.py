"""One look at the whole system, kept small: for each event, where it was seen.

Of each event its name, its ids and its time are kept, once for each bus it was on, and never its
payload: some 300 bytes.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from contracts.names import Source
from operations.audit.report import Difference, FindingKind
from operations.sources.bus_logs import BusEvent, Unreadable
from operations.sources.ledger import AggregateState, Committed, EventKey, NotUnderstood, events_of
from operations.sources.reservations import Reservations


@dataclass(slots=True)
class BusCount:
    """An event on one bus, however often it was there.

    A further publication has an envelope id of its own, unlike a log line that was written
    twice.
    """

    event_id: str
    occurred_at: datetime
    envelope_id: str
    routed_by: Mapping[str, object]
    replays: int = 0
    again: tuple[str, ...] = ()
    other_ids: tuple[str, ...] = ()

    def add(self, event: BusEvent) -> None:
        if event.event_id != self.event_id:
            if event.event_id not in self.other_ids:
                self.other_ids += (event.event_id,)
        elif event.replay_name is not None:
            self.replays += 1
        elif event.envelope_id not in (self.envelope_id, *self.again):
            self.again += (event.envelope_id,)


class CommittedRow(NamedTuple):
    """A row of an outbox."""

    domain: str
    event_id: str
    occurred_at: datetime


@dataclass(slots=True)
class DeadLetterCount:
    """What is in one dead-letter queue: events by name, and how many cannot be named."""

    named: set[EventKey] = field(default_factory=set)
    unnamed: int = 0


@dataclass(slots=True)
class Snapshot:
    """What a look found. `committed` is as of its beginning, `states` as of its end.

    `waiting` has how many messages each queue holds. Of the `malformed` rows no event can be made.
    Those of the `first_version` of this system were committed to no outbox that is read here.
    """

    since: datetime
    until: datetime
    committed: dict[EventKey, Committed] = field(default_factory=dict)
    pending: dict[EventKey, CommittedRow] = field(default_factory=dict)
    seen: defaultdict[str, dict[EventKey, BusCount]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    waiting: dict[str, int] = field(default_factory=dict)
    dead: defaultdict[str, DeadLetterCount] = field(
        default_factory=lambda: defaultdict(DeadLetterCount)
    )
    states: dict[tuple[str, str], AggregateState] = field(default_factory=dict)
    malformed: set[EventKey] = field(default_factory=set)
    not_understood: list[Difference] = field(default_factory=list)
    first_version: set[EventKey] = field(default_factory=set)
    reservations: list[Reservations] = field(default_factory=list)

    def add_committed(self, state: AggregateState) -> None:
        """Add the events that a state implies."""
        try:
            for event in events_of(state):
                if self._covers(event.occurred_at):
                    self.committed[event.key] = event
        except NotUnderstood as error:
            key = EventKey(state.event, state.aggregate_id, state.version)
            self._not_understood(key, state.domain, str(error))

    def add_row(self, key: EventKey, row: CommittedRow) -> None:
        """Add a row of an outbox."""
        if self._covers(row.occurred_at):
            self.pending[key] = row

    def add_malformed(self, key: EventKey, outbox: str, reason: str) -> None:
        """Add a row of an outbox that no event can be made of."""
        self.malformed.add(key)
        self._not_understood(key, outbox, f"no event can be made of the row: {reason}")

    def add_event(self, bus: str, event: BusEvent | Unreadable) -> None:
        """Add a line of a bus's log."""
        if isinstance(event, Unreadable):
            if self._covers(event.time) and event.source in {*Source}:
                self._not_understood(EventKey("?", event.envelope_id, 0), bus, event.reason)
        elif self._covers(event.occurred_at):
            if event.is_of_first_version:
                self.first_version.add(event.key)
            elif known := self.seen[bus].get(event.key):
                known.add(event)
            else:
                replays = int(event.replay_name is not None)
                self.seen[bus][event.key] = BusCount(
                    event.event_id, event.occurred_at, event.envelope_id, event.routed_by, replays
                )

    def add_state(self, state: AggregateState) -> None:
        """Add a state as it is at the end."""
        self.states[state.domain, state.aggregate_id] = state

    def _not_understood(self, key: EventKey, place: str, hint: str) -> None:
        self.not_understood.append(Difference(FindingKind.NOT_UNDERSTOOD, *key, place, hint))

    def _covers(self, moment: datetime) -> bool:
        return self.since <= moment < self.until
