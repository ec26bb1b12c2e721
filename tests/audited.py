"""A settled system in memory for the audit and `where`: everything happened, and can be undone."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from contracts.names import EventType
from infra.topology import LIFECYCLES
from operations.audit.compare import balance
from operations.audit.report import AuditReport
from operations.audit.snapshot import CommittedRow, Snapshot
from operations.sources.bus_logs import BusEvent, Unreadable
from operations.sources.ledger import (
    AggregateState,
    EventKey,
    type_of,
)
from operations.sources.reservations import Reservations
from operations.sources.routes import routes

SINCE = datetime(2026, 11, 23, 9, tzinfo=UTC)
UNTIL = SINCE + timedelta(hours=1)
TAPS = {"stock-event-bus": "local-tap-stock-event-bus"}


@dataclass
class Settled:
    """Subscriptions that were created, and cancelled, and all that followed from it.

    What a test plants is a change to one of these fields before `report`.
    """

    before: dict[tuple[str, str], AggregateState] = field(default_factory=dict)
    after: dict[tuple[str, str], AggregateState] | None = None
    rows: dict[EventKey, CommittedRow] = field(default_factory=dict)
    malformed: list[tuple[EventKey, str, str]] = field(default_factory=list)
    lines: list[tuple[str, BusEvent | Unreadable]] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)
    dead: list[tuple[str, EventKey | None]] = field(default_factory=list)
    reservations: list[Reservations] = field(default_factory=list)

    def subscribe(self, name: str, at: datetime = SINCE) -> None:
        for seconds, domain in enumerate(LIFECYCLES):
            self.happen(domain, name, 1, at + timedelta(seconds=seconds))

    def cancel(self, name: str, at: datetime = SINCE + timedelta(minutes=1)) -> None:
        for seconds, domain in enumerate(("payments", "stock", "subscriptions")):
            self.happen(domain, name, 2, at + timedelta(seconds=seconds))

    def happen(self, domain: str, name: str, version: int, at: datetime) -> None:
        """Commit a domain's event, and publish it on every bus of its way."""
        event_type = str(type_of(domain, version))
        created = self.before[domain, name].created if (domain, name) in self.before else at
        self.before[domain, name] = AggregateState(
            domain, name, version, event_type, "sample", created, at
        )
        self.publish(EventKey(event_type, name, version), at)

    def publish(self, key: EventKey, at: datetime, **changes: object) -> None:
        changes = {"routed_by": {"cancelledBy": "bank"}} | changes
        route = routes()[EventType(key.event_type)].taken_by(changes["routed_by"])  # type: ignore[arg-type]
        for bus in (route.bus, *(hop.bus for hop in route.hops)):
            self.log(bus, key, at, **changes)

    def log(self, bus: str, key: EventKey, at: datetime, **changes: object) -> None:
        self.lines.append((bus, a_line(key, at, **changes)))

    def unlog(self, bus: str, key: EventKey) -> None:
        """Take an event's lines out of a bus's log."""
        self.lines = [
            (each, line)
            for each, line in self.lines
            if each != bus or not isinstance(line, BusEvent) or line.key != key
        ]

    def unpublish(self, key: EventKey) -> None:
        for bus in {bus for bus, _ in self.lines}:
            self.unlog(bus, key)

    def snapshot(self) -> Snapshot:
        snapshot = Snapshot(SINCE, UNTIL, waiting=self.waiting, reservations=self.reservations)
        for state in self.before.values():
            snapshot.add_committed(state)
        for key, row in self.rows.items():
            snapshot.add_row(key, row)
        for malformed in self.malformed:
            snapshot.add_malformed(*malformed)
        for bus, line in self.lines:
            snapshot.add_event(bus, line)
        for queue, dead_letter in self.dead:
            if dead_letter is None:
                snapshot.dead[queue].unnamed += 1
            else:
                snapshot.dead[queue].named.add(dead_letter)
        for state in (self.before if self.after is None else self.after).values():
            snapshot.add_state(state)
        return snapshot

    def report(self) -> AuditReport:
        return balance(self.snapshot(), routes(), TAPS)

    def found(self) -> list[tuple[str, str, str, int, str]]:
        return [
            (each.kind, each.event_type, each.aggregate_id, each.sequence, each.place)
            for each in self.report().differences
        ]


def a_line(key: EventKey, at: datetime, **changes: object) -> BusEvent:
    """A line of a bus's log; the event id is made of the key, so that all buses have the same."""
    event_id = f"{key.event_type}-{key.aggregate_id}-{key.sequence}"
    values: dict[str, object] = {
        "event_id": event_id,
        "event_type": key.event_type,
        "aggregate_id": key.aggregate_id,
        "sequence": key.sequence,
        "occurred_at": at,
        "causation_id": None,
        "envelope_id": f"envelope of {event_id}",
        "replay_name": None,
        "time": at.replace(microsecond=0),
        "logged_at": at + timedelta(seconds=2),
    }
    return BusEvent(**values | changes)  # type: ignore[arg-type]
