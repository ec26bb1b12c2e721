"""A subscription's journey step by step, with the milliseconds between. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from console.follow.evidence import Gathered
from console.live.sightings import Sighting
from contracts.names import EventType
from contracts.timestamps import format_timestamp
from infra.graph import Graph, node_id
from operations.output import age
from operations.sources.ledger import Committed, EventKey, NotUnderstood, events_of
from operations.sources.routes import Route
from operations.where.waiting import WaitingRow

Kind = Literal[
    "request",
    "committed",
    "published",
    "forwarded",
    "handled",
    "replayed",
    "dead-lettered",
    "waits",
]


@dataclass(frozen=True, slots=True)
class Step:
    """`rank` orders what happened in the same millisecond."""

    at: datetime
    rank: int
    kind: Kind
    event_type: str
    event_id: str | None
    place: str
    node: str | None
    sentence: str


def documents(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Write steps in order, each with its distance from the first and from the one before."""
    written: list[dict[str, Any]] = []
    for index, step in enumerate(steps):
        before = steps[index - 1].at if index else None
        written.append(
            {
                "at": format_timestamp(step.at),
                "ms": _milliseconds(steps[0].at, step.at),
                "gapMs": None if before is None else _milliseconds(before, step.at),
                "kind": step.kind,
                "eventType": step.event_type,
                "eventId": step.event_id,
                "place": step.place,
                "sentence": step.sentence,
                "node": step.node,
            }
        )
    return written


def steps_of(gathered: Gathered, graph: Graph, routes: dict[EventType, Route]) -> list[Step]:
    """Tell what happened, in order of time."""
    found = _Steps(gathered, graph, routes).all()
    return sorted(found, key=lambda step: (step.at, step.rank))


class _Steps:
    def __init__(self, gathered: Gathered, graph: Graph, routes: dict[EventType, Route]) -> None:
        self._gathered, self._graph = gathered, graph
        self._routes = {str(event_type): route for event_type, route in routes.items()}
        self._types = {each.event_id: each.event_type for each in gathered.seen}
        self._types |= {row.event_id: row.key.event_type for row in gathered.rows if row.event_id}

    def all(self) -> Iterator[Step]:
        seen: dict[EventKey, Sighting] = {}
        for sighting in self._gathered.seen:
            seen.setdefault(_key(sighting), sighting)
        rows = {row.key: row for row in self._gathered.rows}
        for committed in self._committed():
            if not committed.certain and committed.key not in seen | rows:
                continue
            told = seen.get(committed.key) or rows.get(committed.key)
            yield from self._commit(committed.key, committed.occurred_at, told)
        stated = {each.key for each in self._committed()}
        told_only: dict[EventKey, Sighting | WaitingRow] = {**rows, **seen}
        for key, each in told_only.items():
            if key not in stated:
                yield from self._commit(key, each.occurred_at, each)
        for sighting in self._gathered.seen:
            yield self._on_bus(sighting)
        yield from self._waits()
        for letter in self._gathered.letters:
            yield Step(
                letter.sent_at or self._gathered.read_at,
                5,
                "dead-lettered",
                letter.event.event_type or "?",
                letter.event.event_id,
                letter.queue,
                node_id("dead-letter queue", letter.queue),
                f"dead-lettered by {letter.by}: {letter.why}",
            )

    def _committed(self) -> list[Committed]:
        found: list[Committed] = []
        for state in self._gathered.states.values():
            standing = state.standing()
            try:
                found += events_of(standing) if standing else ()
            except NotUnderstood:
                continue  # the state is shown as it is
        return found

    def _commit(
        self, key: EventKey, at: datetime, told: Sighting | WaitingRow | None
    ) -> Iterator[Step]:
        """Tell the commit, and before it what led to it, where somebody told of that."""
        route = self._routes.get(key.event_type)
        if route is None:
            return
        event_id = told.event_id if told else None
        if told is not None and told.causation_id is None:
            name = self._process("api", route.domain)
            sentence = f"{name} took a request"
            yield Step(
                at, 0, "request", key.event_type, event_id, name, node_id("api", name), sentence
            )
        elif told is not None and told.causation_id is not None:
            name = self._process("consumer", route.domain)
            cause = self._types.get(told.causation_id, "an event")
            yield Step(
                at,
                0,
                "handled",
                key.event_type,
                event_id,
                name,
                node_id("consumer", name),
                f"{name} handled {cause}",
            )
        outbox = self._process("outbox", route.domain)
        yield Step(
            at,
            1,
            "committed",
            key.event_type,
            event_id,
            outbox,
            node_id("outbox", outbox),
            f"committed as version {key.sequence}, with the event in {outbox}",
        )

    def _on_bus(self, sighting: Sighting) -> Step:
        kind: Kind = "published" if sighting.own else "forwarded"
        sentence = f"published on {sighting.bus}"
        if not sighting.own:
            route = self._routes.get(sighting.event_type)
            sentence = f"came on from {route.bus if route else '?'} to {sighting.bus}"
        if sighting.replay_name is not None:
            kind, sentence = "replayed", f"replayed on {sighting.bus} by {sighting.replay_name}"
        return Step(
            self._on_bus_at(sighting),
            2 if sighting.own else 3,
            kind,
            sighting.event_type,
            sighting.event_id,
            sighting.bus,
            node_id("bus", sighting.bus),
            sentence,
        )

    def _on_bus_at(self, sighting: Sighting) -> datetime:
        """When it was on the bus: a tap's time is its queue's, and those fill in any order."""
        if sighting.replay_name is not None or not sighting.own:
            return sighting.at
        further = (
            each.at
            for each in self._gathered.seen
            if each.event_id == sighting.event_id and not each.own and each.replay_name is None
        )
        return min(sighting.at, *further, sighting.at)

    def _waits(self) -> Iterator[Step]:
        published = {each.event_id for each in self._gathered.seen if each.own}
        for row in self._gathered.rows:
            if row.event_id in published:
                continue  # on the bus, and about to be deleted
            waited = age(self._gathered.read_at - row.occurred_at)
            waits = f"waits in {row.outbox} for {row.relay}, for {waited}"
            if row.problem is not None:
                waits = f"is in {row.outbox}, and {row.relay} cannot publish it: {row.problem}"
            yield Step(
                row.occurred_at,
                4,
                "waits",
                row.key.event_type,
                row.event_id,
                row.outbox,
                node_id("outbox", row.outbox),
                waits,
            )

    def _process(self, kind: str, domain: str) -> str:
        return next(n.name for n in self._graph.nodes if (n.kind, n.domain) == (kind, domain))


def _key(sighting: Sighting) -> EventKey:
    return EventKey(sighting.event_type, sighting.aggregate_id, sighting.sequence)


def _milliseconds(start: datetime, end: datetime) -> int:
    return round((end - start).total_seconds() * 1000)
