"""GET /api/subscriptions: what passed lately, and the whole journey of one.

That is its states, steps, events, and what is missing.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Path, Query

from console.follow.evidence import aggregate_named, gather
from console.live.observed_events import ObservedEvent
from console.parts import Parts
from contracts.names import EventType
from contracts.timestamps import format_timestamp
from infra.graph import Graph, NodeKind, node_id
from infra.topology import LIFECYCLES
from operations.journey.gaps import Gap
from operations.journey.timeline import Commit, DeadLettered, Journey, OnBus, Step, Wait
from operations.output import age
from operations.sources.ledger import AggregateState, EventKey, handled
from operations.sources.routes import routes

ON_THE_WAY = timedelta(seconds=10)
"""How long an event may be between two nodes before it is called lost."""


class JourneyNotFound(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} not found: none of the three services has such an id, and no event that"
            " names it passed the buses while the console watched, or in the last day's logs"
        )


def router(parts: Parts) -> APIRouter:
    routes = APIRouter(prefix="/api/subscriptions")

    @routes.get("")
    def lately(limit: Annotated[int, Query(ge=1, le=300)] = 20) -> dict[str, Any]:
        return {"subscriptions": recent(parts, limit)}

    @routes.get("/{name}")
    def one(name: Annotated[str, Path(max_length=128)]) -> dict[str, Any]:
        return follow(parts, name.strip())

    return routes


def follow(parts: Parts, name: str) -> dict[str, Any]:
    """Show the whole journey of whatever an id names. Raises JourneyNotFound, Unavailable."""
    aggregate_id = aggregate_named(parts, name) if name else None  # an API would give its list
    if aggregate_id is None:
        raise JourneyNotFound(name)
    journey, states, observed = gather(parts, aggregate_id, with_logs=False)
    if journey.gaps:
        # The taps did not see everything, or it has not all happened: the logs know which.
        journey, states, observed = gather(parts, aggregate_id, with_logs=True)
    return {
        "subscriptionId": aggregate_id,
        "found": True,
        "readAt": format_timestamp(journey.evidence.read_at),
        "states": {name: state.document() for name, state in states.items()},
        "steps": steps(journey, parts.graph),
        "events": events(observed),
        "missing": missing(journey),
        "sentence": sentence(len(journey.gaps)),
    }


def sentence(missing: int) -> str:
    if not missing:
        return "everything that was to happen has happened"
    return "1 thing has yet to happen" if missing == 1 else f"{missing} things have yet to happen"


def missing(journey: Journey) -> list[dict[str, Any]]:
    """Write what has yet to happen; what happened just now is on its way."""
    return [_gap(gap, journey.evidence.read_at) for gap in journey.gaps]


def _gap(gap: Gap, now: datetime) -> dict[str, Any]:
    document = gap.as_document()
    if gap.lost and gap.occurred_at is not None and now - gap.occurred_at <= ON_THE_WAY:
        ago = max(0.0, (now - gap.occurred_at).total_seconds())
        document["probably"] = f"on the way: it happened {ago:.1f} s ago"
    return document


class _Shown(NamedTuple):
    kind: Literal[
        "request",
        "committed",
        "published",
        "forwarded",
        "handled",
        "replayed",
        "dead-lettered",
        "waits",
    ]
    node_kind: NodeKind
    place: str
    sentence: str


def steps(journey: Journey, graph: Graph) -> list[dict[str, Any]]:
    """Write steps in order, each with its distance from the first and from the one before."""
    read_at = journey.evidence.read_at
    shown = [
        (step.at or read_at, step, each)
        for step in journey.steps
        for each in _shown(step, read_at, graph)
    ]
    written: list[dict[str, Any]] = []
    for index, (at, step, each) in enumerate(shown):
        before = shown[index - 1][0] if index else None
        written.append(
            {
                "at": format_timestamp(at),
                "ms": _milliseconds(shown[0][0], at),
                "gapMs": None if before is None else _milliseconds(before, at),
                "kind": each.kind,
                "eventType": step.key.event_type,
                "eventId": step.event_id,
                "place": each.place,
                "sentence": each.sentence,
                "node": node_id(each.node_kind, each.place),
            }
        )
    return written


def _shown(step: Step, read_at: datetime, graph: Graph) -> Iterator[_Shown]:
    match step:
        case Commit():
            yield from _commit(step, graph)
        case Wait(published=False, row=row):
            waited = age(read_at - row.occurred_at)
            waits = f"waits in {row.outbox} for {row.relay}, for {waited}"
            if row.problem is not None:
                waits = f"is in {row.outbox}, and {row.relay} cannot publish it: {row.problem}"
            yield _Shown("waits", "outbox", row.outbox, waits)
        case OnBus(replay_name=str()):
            replayed = f"replayed on {step.bus} by {step.replay_name}"
            yield _Shown("replayed", "bus", step.bus, replayed)
        case OnBus(origin=None):
            yield _Shown("published", "bus", step.bus, f"published on {step.bus}")
        case OnBus():
            forwarded = f"came on from {step.origin} to {step.bus}"
            yield _Shown("forwarded", "bus", step.bus, forwarded)
        case DeadLettered(dead_letter=found):
            why = f"dead-lettered by {found.by}: {found.why}"
            yield _Shown("dead-lettered", "dead-letter queue", found.queue, why)


def _commit(step: Commit, graph: Graph) -> Iterator[_Shown]:
    """Show the commit, and before it the request or the event that caused it, where known."""
    if step.is_requested:
        api = _process(graph, "api", step.domain)
        yield _Shown("request", "api", api, f"{api} took a request")
    elif step.is_requested is False:
        consumer = _process(graph, "consumer", step.domain)
        cause = " and ".join(step.causes) or "an event"
        yield _Shown("handled", "consumer", consumer, f"{consumer} handled {cause}")
    outbox = _process(graph, "outbox", step.domain)
    committed = f"committed as version {step.key.sequence}, with the event in {outbox}"
    yield _Shown("committed", "outbox", outbox, committed)


def _process(graph: Graph, kind: NodeKind, domain: str) -> str:
    return next(n.name for n in graph.nodes if (n.kind, n.domain) == (kind, domain))


def _milliseconds(start: datetime, end: datetime) -> int:
    return round((end - start).total_seconds() * 1000)


def events(observed: Sequence[ObservedEvent]) -> list[dict[str, Any]]:
    """Write each event once, with the buses that had it and the first one's envelope, masked."""
    written: dict[str, dict[str, Any]] = {}
    for each in sorted(observed, key=lambda each: (each.occurred_at, each.at)):
        event = written.setdefault(
            each.event_id,
            {
                "eventId": each.event_id,
                "eventType": each.event_type,
                "occurredAt": format_timestamp(each.occurred_at),
                "causationId": each.causation_id,
                "correlationId": each.correlation_id,
                "traceparent": each.traceparent,
                "seenOn": [],
                "body": each.envelope(),
            },
        )
        if each.bus not in event["seenOn"]:
            event["seenOn"].append(each.bus)
    return list(written.values())


def recent(parts: Parts, limit: int) -> list[dict[str, Any]]:
    """List the subscriptions that the taps saw last; nothing is read from AWS or an API."""
    return [
        {
            "subscriptionId": aggregate_id,
            "lastEvent": seen[-1].event_type,
            "at": format_timestamp(seen[-1].at),
            "events": len({each.event_id for each in seen}),
            "complete": is_complete(seen),
        }
        for aggregate_id, seen in parts.observed.recent(limit)
    ]


def is_complete(seen: Sequence[ObservedEvent]) -> bool:
    """Whether every event that was seen led to what it has to, as far as events show.

    An erasure need not lead to one.
    """
    states = {domain: _state(domain, seen) for domain in LIFECYCLES}
    return all(
        handled(
            EventKey(each.event_type, each.aggregate_id, each.sequence),
            states[delivery.domain],
        )
        for each in seen
        if each.event_type in set(EventType) - {EventType.SUBSCRIPTION_ERASED}
        for delivery in routes()[EventType(each.event_type)].taken_by(each.routed_by).deliveries
    )


def _state(domain: str, seen: Sequence[ObservedEvent]) -> AggregateState | None:
    """A domain's state, from the newest of its events."""
    mine = [each for each in seen if each.event_type in LIFECYCLES[domain].events]
    if not mine:
        return None
    last = max(mine, key=lambda each: each.sequence)
    first = min(each.occurred_at for each in mine)
    return AggregateState(
        domain, last.aggregate_id, last.sequence, last.event_type, "", first, last.occurred_at
    )
