"""A journey: what happened to one aggregate's events in order of time, and what has not. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.names import EventType
from operations.journey.by_event import EvidenceByEvent
from operations.journey.evidence import Evidence, OutboxRow
from operations.journey.gaps import Gap, Gaps
from operations.sources.bus_logs import BusEvent
from operations.sources.dead_letters import DeadLetter
from operations.sources.ledger import EventKey
from operations.sources.routes import Route


@dataclass(frozen=True, slots=True)
class _Step:
    """`at` is None where SQS does not say when it was sent."""

    at: datetime | None
    key: EventKey
    event_id: str | None


@dataclass(frozen=True, slots=True)
class Commit(_Step):
    """`stated`: the domain's state says so; else only the event itself does.

    `is_requested` is False for what an event caused, None where that is not known; `causes` are
    the types of those events, as far as they were seen on a bus.
    """

    domain: str
    stated: bool
    is_requested: bool | None
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wait(_Step):
    """A row that is in an outbox; `published` where a bus has had its event already."""

    row: OutboxRow
    published: bool


@dataclass(frozen=True, slots=True)
class OnBus(_Step):
    """`origin` is the bus that it was forwarded from; None on its own. `again`: a repeat."""

    bus: str
    origin: str | None
    again: bool
    replay_name: str | None


@dataclass(frozen=True, slots=True)
class DeadLettered(_Step):
    dead_letter: DeadLetter


Step = Commit | Wait | OnBus | DeadLettered


@dataclass(frozen=True)
class Journey:
    """Of an aggregate, or of one of its events and what that caused."""

    evidence: Evidence
    event_id: str | None
    steps: tuple[Step, ...]
    gaps: tuple[Gap, ...]


def build(
    evidence: Evidence,
    routes: Mapping[EventType, Route],
    taps: Mapping[str, str],
    *,
    event_id: str | None = None,
) -> Journey:
    """Order what was found and say what is missing, of one event and what it caused, or of all.

    `taps` has the queue between a bus and its log, where there is one.
    """
    by_event = EvidenceByEvent(evidence)
    keys = by_event.keys if event_id is None else by_event.caused_by(event_id)
    timeline, gaps = Timeline(by_event, routes), Gaps(by_event, routes, taps)
    steps = [step for key in keys for step in timeline.steps(key)]
    return Journey(
        evidence=evidence,
        event_id=event_id,
        steps=tuple(sorted(steps, key=lambda step: (step.at or evidence.read_at, _rank(step)))),
        gaps=tuple(gap for key in keys for gap in gaps.of(key)),
    )


class Timeline:
    """The steps of each event."""

    def __init__(self, by_event: EvidenceByEvent, routes: Mapping[EventType, Route]) -> None:
        self._found = by_event
        self._routes = {str(event_type): route for event_type, route in routes.items()}

    def steps(self, key: EventKey) -> Iterator[Step]:
        found, event_id = self._found, self._found.event_id(key)
        if commit := self._commit(key):
            yield commit
        if row := found.rows.get(key):
            yield Wait(row.occurred_at, key, row.event_id, row, self._is_published(row))
        before: set[tuple[str, str]] = set()
        for bus, event in found.events.get(key, ()):
            yield self._on_bus(key, bus, event, again=(bus, event.event_id) in before)
            before.add((bus, event.event_id))
        for dead_letter in found.dead_letters.get(key, ()):
            yield DeadLettered(dead_letter.sent_at, key, event_id, dead_letter)

    def _commit(self, key: EventKey) -> Commit | None:
        found, route = self._found, self._routes.get(key.event_type)
        first = self._first(key)
        committed = found.committed.get(key)
        if committed and not committed.certain and found.event_id(key) is None:
            committed = None
        source = committed or first
        if route is None or source is None:
            return None
        return Commit(
            at=source.occurred_at,
            key=key,
            event_id=found.event_id(key),
            domain=route.domain,
            stated=committed is not None,
            is_requested=None if first is None else first.causation_id is None,
            causes=self._causes(key),
        )

    def _first(self, key: EventKey) -> BusEvent | OutboxRow | None:
        for _, event in self._found.events.get(key, ()):
            return event
        return self._found.rows.get(key)

    def _causes(self, key: EventKey) -> tuple[str, ...]:
        ids = {event.causation_id for _, event in self._found.events.get(key, ())}
        if key in self._found.rows:
            ids.add(self._found.rows[key].causation_id)
        types = {each.event_type for _, each in self._found.all.events if each.event_id in ids}
        return tuple(sorted(types))

    def _is_published(self, row: OutboxRow) -> bool:
        route = self._routes.get(row.key.event_type)
        on = self._found.events.get(row.key, ())
        return any(route and (bus, each.event_id) == (route.bus, row.event_id) for bus, each in on)

    def _on_bus(self, key: EventKey, bus: str, event: BusEvent, *, again: bool) -> OnBus:
        route = self._routes.get(key.event_type)
        return OnBus(
            at=event.logged_at if again else event.at,
            key=key,
            event_id=event.event_id,
            bus=bus,
            origin=None if route is None or bus == route.bus else route.bus,
            again=again,
            replay_name=event.replay_name,
        )


def _rank(step: Step) -> int:
    """Order what happened in the same millisecond."""
    match step:
        case Commit():
            return 0
        case Wait():
            return 1
        case OnBus(origin=None):
            return 2
        case OnBus():
            return 3
        case DeadLettered():
            return 4
