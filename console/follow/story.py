"""Follows one subscription: its states, its steps, and what has yet to happen."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from console.follow.evidence import Gathered, aggregate_named, gather
from console.follow.steps import documents, steps_of
from console.live.sightings import Sighting
from console.parts import Parts
from contracts.names import EventType
from contracts.timestamps import format_timestamp
from operations.sources.bus_logs import BusEvent
from operations.sources.ledger import LIFECYCLES, EventKey, Standing, handled
from operations.sources.routes import routes
from operations.where.story import NOWHERE, Evidence, Missing, tell

ON_THE_WAY = timedelta(seconds=10)
"""How long an event may be between two places before it is called lost."""


class NobodyKnows(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(
            f"nobody knows {name!r}: none of the three services has such an id, and no event that"
            " names it passed the buses while the console watched, or in the last day's logs"
        )


def follow(parts: Parts, name: str) -> dict[str, Any]:
    """Tell the whole story of whatever an id stands for. Raises NobodyKnows, Unavailable."""
    aggregate_id = aggregate_named(parts, name)
    if aggregate_id is None:
        raise NobodyKnows(name)
    gathered = gather(parts, aggregate_id, with_logs=False)
    missing = missing_of(gathered)
    if missing:
        # The taps did not see everything, or it has not all happened: the logs know which.
        gathered = gather(parts, aggregate_id, with_logs=True)
        missing = missing_of(gathered)
    steps = steps_of(gathered, parts.graph, routes())
    return {
        "subscriptionId": aggregate_id,
        "found": True,
        "readAt": format_timestamp(gathered.read_at),
        "states": {name: state.document() for name, state in gathered.states.items()},
        "steps": documents(steps),
        "events": events(gathered.seen),
        "missing": [gap.as_document() for gap in missing],
        "sentence": sentence(len(missing)),
    }


def sentence(missing: int) -> str:
    if not missing:
        return "everything that was to happen has happened"
    return "1 thing has yet to happen" if missing == 1 else f"{missing} things have yet to happen"


def missing_of(gathered: Gathered) -> list[Missing]:
    """Say what has yet to happen; what happened just now is on its way."""
    standings = (state.standing() for state in gathered.states.values())
    evidence = Evidence(
        aggregate_id=gathered.aggregate_id,
        read_at=gathered.read_at,
        standings={each.domain: each for each in standings if each},
        rows=gathered.rows,
        lines=[(each.bus, _line(each)) for each in gathered.seen],
        letters=gathered.letters,
        waiting=gathered.waiting,
    )
    missing = tell(evidence, routes(), {}).missing
    happened = {each.event_type: each.occurred_at for each in gathered.seen}
    happened |= {row.key.event_type: row.occurred_at for row in gathered.rows}
    for each in evidence.standings.values():
        happened.setdefault(each.event, each.updated)
    return [_hopeful(gap, happened.get(gap.event_type), gathered.read_at) for gap in missing]


def _hopeful(gap: Missing, happened: datetime | None, now: datetime) -> Missing:
    if happened is None or not gap.probably.startswith(NOWHERE) or now - happened > ON_THE_WAY:
        return gap
    ago = max(0.0, (now - happened).total_seconds())
    return replace(gap, probably=f"on the way: it happened {ago:.1f} s ago")


def events(seen: Sequence[Sighting]) -> list[dict[str, Any]]:
    """Write each event once, with the buses that had it and the first one's envelope, masked."""
    written: dict[str, dict[str, Any]] = {}
    for each in sorted(seen, key=lambda each: (each.occurred_at, each.at)):
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
    """List the subscriptions that the taps saw last; nothing is asked of anybody."""
    return [
        {
            "subscriptionId": aggregate_id,
            "lastEvent": seen[-1].event_type,
            "at": format_timestamp(seen[-1].at),
            "events": len({each.event_id for each in seen}),
            "complete": is_complete(seen),
        }
        for aggregate_id, seen in parts.sightings.recent(limit)
    ]


def is_complete(seen: Sequence[Sighting]) -> bool:
    """Whether every event that was seen led to what it has to, as far as events tell."""
    standings = {domain: _standing(domain, seen) for domain in LIFECYCLES}
    return all(
        handled(EventKey(each.event_type, each.aggregate_id, each.sequence), hop.domain, standing)
        for each in seen
        if each.event_type in set(EventType)
        for hop in routes()[EventType(each.event_type)].deliveries
        for standing in (standings[hop.domain],)
    )


def _standing(domain: str, seen: Sequence[Sighting]) -> Standing | None:
    """A domain's state, from the newest of its events."""
    mine = [each for each in seen if each.event_type in LIFECYCLES[domain]]
    if not mine:
        return None
    last = max(mine, key=lambda each: each.sequence)
    first = min(each.occurred_at for each in mine)
    return Standing(
        domain, last.aggregate_id, last.sequence, last.event_type, "", first, last.occurred_at
    )


def _line(sighting: Sighting) -> BusEvent:
    return BusEvent(
        event_id=sighting.event_id,
        event_type=sighting.event_type,
        aggregate_id=sighting.aggregate_id,
        sequence=sighting.sequence,
        occurred_at=sighting.occurred_at,
        causation_id=sighting.causation_id,
        envelope_id=sighting.envelope_id,
        replay_name=sighting.replay_name,
        time=sighting.at,
        logged_at=sighting.at,
    )
