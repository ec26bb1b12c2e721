"""Compares committed against published against handled. Pure; it knows no clock."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TypeVar

from contracts.timestamps import format_timestamp
from operations.audit.inventory import unbalanced
from operations.audit.report import AuditReport, DeliveryCount, Difference, EventCount, FindingKind
from operations.audit.snapshot import DeadLetterCount, Snapshot
from operations.sources.ledger import EventKey, NotUnderstood, events_of, handled
from operations.sources.routes import Delivery, Hop, Route

T = TypeVar("T")


def balance(
    snapshot: Snapshot, routes: Mapping[str, Route], taps: Mapping[str, str]
) -> AuditReport:
    """Compare what one look found. Its differences are suspects until they have lasted.

    `taps` has, for each bus that has one, the queue between it and its log group.
    """
    not_committed = list(_not_committed(snapshot, routes))
    uncommitted = {
        EventKey(each.event_type, each.aggregate_id, each.sequence) for each in not_committed
    }
    balances = [_EventBalance(snapshot, route, taps, uncommitted) for route in routes.values()]
    events = {str(each.route.event_type): each.published() for each in balances}
    deliveries = tuple(count for each in balances for count in each.delivered())
    differences = [difference for each in balances for difference in each.differences]
    differences += [each for found in snapshot.reservations for each in unbalanced(found)]
    return AuditReport(
        since=snapshot.since,
        until=snapshot.until,
        events=events,
        deliveries=deliveries,
        differences=tuple(sorted([*not_committed, *differences, *snapshot.not_understood])),
        first_version=Counter(key.event_type for key in snapshot.first_version),
    )


class _EventBalance:
    """Of one type of event."""

    def __init__(
        self, snapshot: Snapshot, route: Route, taps: Mapping[str, str], uncommitted: set[EventKey]
    ) -> None:
        self.route = route
        self.differences: list[Difference] = []
        self._snapshot, self._taps, self._uncommitted = snapshot, taps, uncommitted

    def published(self) -> EventCount:
        """Hold what was committed against outbox, bus and dead-letter queue."""
        snapshot, route, count = self._snapshot, self.route, EventCount()
        on_bus, aside = snapshot.seen[route.bus], snapshot.dead[route.set_aside]
        missing = []
        for key, event in self._mine(snapshot.committed):
            if key in on_bus:
                count.published += 1
            elif key in snapshot.pending or key in snapshot.malformed:
                count.pending += 1
            elif key in aside.named:
                count.set_aside += 1
            elif event.certain:
                missing.append(key)
            else:
                continue
            count.committed += 1
        for _, bus_count in self._mine(on_bus):
            count.duplicates += len(bus_count.again)
            count.replayed += bus_count.replays
        room = self._held(route.between) + self._held(self._taps.get(route.bus))
        count.set_aside += min(len(missing), aside.unnamed)
        count.between = min(max(len(missing) - aside.unnamed, 0), room)
        if len(missing) > room + aside.unnamed:
            for key in missing:
                self._report(FindingKind.NOT_PUBLISHED, key, route.outbox, self._elsewhere(key))
        self._two_events()
        return count

    def delivered(self) -> Iterator[DeliveryCount]:
        """Hold what was published against the next buses and against who handles it."""
        event_type, states = self.route.event_type, self._snapshot.states
        for hop in self.route.hops:
            count = DeliveryCount(event_type, hop.rule, hop.bus)
            count.holds = self._held(self._taps.get(hop.bus))
            there = self._snapshot.seen[hop.bus]
            for key in self._missing(count, hop, hop.origin, there.__contains__):
                self._report(FindingKind.NOT_ON_NEXT_BUS, key, hop.bus)
            yield count
        for delivery in self.route.deliveries:
            count = DeliveryCount(event_type, delivery.rule, delivery.queue)
            count.holds = self._held(delivery.queue)

            def is_handled(key: EventKey, domain: str = delivery.domain) -> bool:
                return handled(key, states.get((domain, key.aggregate_id)))

            missing = self._missing(count, delivery, delivery.bus, is_handled)
            held = f"{count.holds} of {len(missing)} may still be in the queue"
            hint = held if count.holds else ""
            for key in missing:
                self._report(FindingKind.NOT_HANDLED, key, delivery.queue, hint)
            yield count

    def _missing(
        self,
        count: DeliveryCount,
        rule: Hop | Delivery,
        origin: str,
        has_arrived: Callable[[EventKey], bool],
    ) -> list[EventKey]:
        """Fill the count in; returns what is missing, if more is than can be under way."""
        dead = self._snapshot.dead[rule.dlq] if rule.dlq else DeadLetterCount()
        missing = []
        for key, seen in self._mine(self._snapshot.seen[origin]):
            if key in self._uncommitted or not rule.pattern.wants(seen.routed_by):
                continue
            count.expected += 1
            if has_arrived(key):
                count.arrived += 1
            elif key in dead.named:
                count.dead_lettered += 1
            else:
                missing.append(key)
        count.dead_lettered += min(len(missing), dead.unnamed)
        count.queued = min(max(len(missing) - dead.unnamed, 0), count.holds)
        return missing if len(missing) > count.holds + dead.unnamed else []

    def _two_events(self) -> None:
        """Find changes that have two events: on the own bus, on a later one, or in the outbox."""
        snapshot, route = self._snapshot, self.route
        for bus in (route.bus, *(hop.bus for hop in route.hops)):
            for key, bus_count in self._mine(snapshot.seen[bus]):
                first = snapshot.seen[route.bus].get(key, bus_count)
                ids = {first.event_id, bus_count.event_id, *bus_count.other_ids}
                if bus == route.bus and key in snapshot.pending:
                    ids.add(snapshot.pending[key].event_id)
                if len(ids) > 1:
                    hint = f"event ids {', '.join(sorted(ids))}"
                    self._report(FindingKind.TWO_EVENTS, key, bus, hint)

    def _elsewhere(self, key: EventKey) -> str:
        """Say of what is not on its own bus that it was seen on another: its line is what lacks."""
        others = [hop.bus for hop in self.route.hops if key in self._snapshot.seen[hop.bus]]
        return f"but it was on {others[-1]}" if others else ""

    def _report(self, kind: FindingKind, key: EventKey, place: str, hint: str = "") -> None:
        own = self._snapshot.seen[self.route.bus].get(key)
        event_id = own.event_id if own else None
        self.differences.append(Difference(kind, *key, place, hint, event_id=event_id))

    def _mine(self, found: Mapping[EventKey, T]) -> Iterator[tuple[EventKey, T]]:
        return (each for each in found.items() if each[0].event_type == self.route.event_type)

    def _held(self, queue: str | None) -> int:
        return self._snapshot.waiting.get(queue, 0) if queue else 0


def _not_committed(snapshot: Snapshot, routes: Mapping[str, Route]) -> Iterator[Difference]:
    """Find events that no state implies, in outboxes and on buses (P1).

    State is what was read last, and a row never goes away: whatever was in an outbox or on a bus
    before was committed before.
    """
    for key, row in snapshot.pending.items():
        if why := _unexplained(snapshot, routes, key, row.occurred_at):
            place = f"the outbox of {row.domain}"
            yield Difference(FindingKind.NOT_COMMITTED, *key, place, why, event_id=row.event_id)
    for bus, seen in snapshot.seen.items():
        for key, bus_count in seen.items():
            if why := _unexplained(snapshot, routes, key, bus_count.occurred_at):
                event_id = bus_count.event_id
                yield Difference(FindingKind.NOT_COMMITTED, *key, bus, why, event_id=event_id)


def _unexplained(
    snapshot: Snapshot, routes: Mapping[str, Route], key: EventKey, occurred_at: datetime
) -> str:
    """Say why no state implies an event; nothing if one does."""
    if key.event_type not in routes:
        return "no domain has events of this type"
    domain = routes[key.event_type].domain
    state = snapshot.states.get((domain, key.aggregate_id))
    if state is None:
        return f"{domain} has no such aggregate"
    try:
        implied = {event.key: event.occurred_at for event in events_of(state)}
    except NotUnderstood:
        return ""  # the state itself is the difference
    if key not in implied:
        return f"{domain} has it at version {state.version} after {state.event}"
    if implied[key] != occurred_at:
        return f"{domain} has it happen at {format_timestamp(implied[key])}"
    return ""
