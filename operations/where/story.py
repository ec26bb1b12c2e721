"""The story of one subscription, or of one of its events: what happened, and what did not. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.names import EventType
from operations.output import age
from operations.sources.bus_logs import BusEvent
from operations.sources.dead_letters import DeadLetter
from operations.sources.ledger import (
    Committed,
    EventKey,
    NotUnderstood,
    Standing,
    events_of,
    handled,
)
from operations.sources.routes import Route
from operations.where.waiting import WaitingRow

NOWHERE = "it is nowhere to be found"


@dataclass(frozen=True)
class Evidence:
    """All that was found of one aggregate; `waiting` is how much each queue holds, of anybody's."""

    aggregate_id: str
    read_at: datetime
    standings: Mapping[str, Standing] = field(default_factory=dict)
    rows: Sequence[WaitingRow] = ()
    lines: Sequence[tuple[str, BusEvent]] = ()
    letters: Sequence[DeadLetter] = ()
    waiting: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened. `at` is None where nobody wrote down when."""

    at: datetime | None
    event_type: str
    event_id: str | None
    place: str
    what: str

    def as_document(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "eventType": self.event_type,
            "eventId": self.event_id,
            "place": self.place,
            "what": self.what,
        }


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that has yet to happen, and where the event probably is."""

    event_type: str
    event_id: str | None
    what: str
    probably: str

    def as_document(self) -> dict[str, Any]:
        return {
            "eventType": self.event_type,
            "eventId": self.event_id,
            "what": self.what,
            "probably": self.probably,
        }


@dataclass(frozen=True)
class Story:
    steps: tuple[Step, ...]
    missing: tuple[Missing, ...]


def tell(
    evidence: Evidence,
    routes: Mapping[EventType, Route],
    taps: Mapping[str, str],
    *,
    event_id: str | None = None,
) -> Story:
    """Order what was found, and say what lacks; of one event and what it led to, or of all."""
    teller = _Teller(evidence, routes, taps)
    keys = teller.keys if event_id is None else teller.led_to(event_id)
    steps = sorted(
        ((rank, step) for key in keys for rank, step in teller.steps(key)),
        key=lambda ranked: (ranked[1].at or evidence.read_at, ranked[0]),
    )
    return Story(
        steps=tuple(step for _, step in steps),
        missing=tuple(gap for key in keys for gap in teller.gaps(key)),
    )


class _Teller:
    def __init__(
        self, evidence: Evidence, routes: Mapping[EventType, Route], taps: Mapping[str, str]
    ) -> None:
        self._evidence, self._taps = evidence, taps
        self._routes = {str(event_type): route for event_type, route in routes.items()}
        self._committed = {event.key: event for event in _committed(evidence.standings)}
        self._lines: dict[EventKey, list[tuple[str, BusEvent]]] = {}
        for bus, line in evidence.lines:
            self._lines.setdefault(_key_of(line), []).append((bus, line))
        self._rows = {row.key: row for row in evidence.rows}
        self._letters: dict[EventKey, list[DeadLetter]] = {}
        for letter in evidence.letters:
            inside = letter.event
            key = EventKey(inside.event_type or "?", evidence.aggregate_id, inside.sequence or 0)
            self._letters.setdefault(key, []).append(letter)

    @property
    def keys(self) -> list[EventKey]:
        """Every event that anything tells of, those that happened first in front."""
        certain = [key for key, event in self._committed.items() if event.certain]
        known = {*certain, *self._lines, *self._rows, *self._letters}
        return sorted(known, key=lambda key: (self._happened(key), key))

    def led_to(self, event_id: str) -> list[EventKey]:
        """Name an event and all whose causes lead back to it."""
        family = {event_id}
        told: list[BusEvent | WaitingRow] = [
            *self._evidence.rows,
            *(line for _, line in self._evidence.lines),
        ]
        for each in sorted(told, key=lambda each: each.occurred_at):
            if each.causation_id in family and each.event_id is not None:
                family.add(each.event_id)
        return [key for key in self.keys if family & self._event_ids(key).keys()]

    def steps(self, key: EventKey) -> Iterator[tuple[int, Step]]:
        """Yield what happened to an event, each with a rank for what happened at the same time."""
        event_id = self._event_id(key)
        if key in self._committed and (self._committed[key].certain or event_id):
            route = self._routes[key.event_type]
            what = f"committed, version {key.sequence}{self._because(key)}"
            happened = self._committed[key].occurred_at
            yield 0, Step(happened, key.event_type, event_id, route.domain, what)
        if row := self._rows.get(key):
            waits = f"waits for {row.relay}"
            if row.problem is not None:
                waits += f", which cannot publish it: {row.problem}"
            yield 1, Step(row.occurred_at, key.event_type, row.event_id, row.outbox, waits)
        first: set[tuple[str, str]] = set()
        for bus, line in self._lines.get(key, ()):
            again = (bus, line.event_id) in first
            first.add((bus, line.event_id))
            yield self._on_bus(bus, line, again=again)
        for letter in self._letters.get(key, ()):
            what = f"dead-lettered by {letter.by}: {letter.why}"
            yield 4, Step(letter.sent_at, key.event_type, event_id, letter.queue, what)

    def _because(self, key: EventKey) -> str:
        causes = {line.causation_id for _, line in self._lines.get(key, ())}
        if key in self._rows:
            causes.add(self._rows[key].causation_id)
        types = {line.event_type for _, line in self._evidence.lines if line.event_id in causes}
        return f", on {' and '.join(sorted(types))}" if types else ""

    def _on_bus(self, bus: str, line: BusEvent, *, again: bool) -> tuple[int, Step]:
        """A bus's time may be cut to seconds: nothing was on a bus before it happened."""
        route = self._routes.get(line.event_type)
        own = route is None or bus == route.bus
        what = "published" if own else f"came on from {route.bus if route else '?'}"
        if line.replay_name is not None:
            what = f"replayed by {line.replay_name}"
        elif again:
            what += ", again"
        repeated = again or line.replay_name is not None
        at = line.logged_at if repeated else max(line.time, line.occurred_at)
        return 2 if own else 3, Step(at, line.event_type, line.event_id, bus, what)

    def gaps(self, key: EventKey) -> Iterator[Missing]:
        """Yield what should have happened to an event and has not."""
        route = self._routes.get(key.event_type)
        if route is None:
            return
        buses = {bus for bus, _ in self._lines.get(key, ())}
        standings = self._evidence.standings
        if key not in self._committed:
            what = f"its commit: {route.domain} does not know of it"
            yield Missing(key.event_type, self._event_id(key), what, "it never was")
        if route.bus not in buses:
            where = self._before_bus(key, route) or f"{NOWHERE}: see `streamed audit`"
            yield self._gap(key, f"publication on {route.bus}", where)
            return
        for hop in route.hops:
            if hop.bus not in buses:
                tap = self._taps.get(hop.bus)
                where = self._dead(key, hop.dlq) or self._waits_in(tap) or _again(hop.origin)
                yield self._gap(key, f"{hop.rule} to {hop.bus}", where)
        for delivery in route.deliveries:
            if delivery.bus in buses and not handled(
                key, delivery.domain, standings.get(delivery.domain)
            ):
                probably = self._dead(key, delivery.dlq) or self._waits_in(delivery.queue)
                what = f"handling by {delivery.domain}"
                yield self._gap(key, what, probably or _again(delivery.bus))

    def _gap(self, key: EventKey, what: str, where: str) -> Missing:
        return Missing(key.event_type, self._event_id(key), what, where)

    def _before_bus(self, key: EventKey, route: Route) -> str | None:
        if row := self._rows.get(key):
            if row.problem is not None:
                return f"in {row.outbox}: {row.relay} cannot publish it ({row.problem})"
            waited = age(self._evidence.read_at - row.occurred_at)
            return f"in {row.outbox} for {waited}: {row.relay} has yet to publish it"
        return (
            self._dead(key, route.set_aside)
            or self._waits_in(route.outbox)
            or self._waits_in(route.between)
            or self._waits_in(self._taps.get(route.bus))
        )

    def _dead(self, key: EventKey, queue: str | None) -> str | None:
        for letter in self._letters.get(key, ()):
            if letter.queue == queue:
                return f"in {queue}: `streamed dlq show {letter.message_id}`"
        return None

    def _waits_in(self, queue: str | None) -> str | None:
        count = self._evidence.waiting.get(queue, 0) if queue else 0
        return f"{count} wait in {queue}, this may be one of them" if count else None

    def _event_id(self, key: EventKey) -> str | None:
        """Name an event; a log's word comes first."""
        return next(iter(self._event_ids(key)), None)

    def _event_ids(self, key: EventKey) -> dict[str, None]:
        ids = [line.event_id for _, line in self._lines.get(key, ())]
        if key in self._rows and (event_id := self._rows[key].event_id) is not None:
            ids.append(event_id)
        ids += [each.event.event_id for each in self._letters.get(key, ()) if each.event.event_id]
        return dict.fromkeys(ids)

    def _happened(self, key: EventKey) -> datetime:
        if key in self._committed:
            return self._committed[key].occurred_at
        if key in self._lines:
            return self._lines[key][0][1].occurred_at
        return self._evidence.read_at


def _committed(standings: Mapping[str, Standing]) -> Iterator[Committed]:
    for standing in standings.values():
        try:
            yield from events_of(standing)
        except NotUnderstood:
            continue  # the state is shown as it is


def _again(bus: str) -> str:
    return f"{NOWHERE}: `streamed replay --bus {bus}` brings it again"


def _key_of(line: BusEvent) -> EventKey:
    return EventKey(line.event_type, line.aggregate_id, line.sequence)
