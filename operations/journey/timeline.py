"""A journey: what happened to one aggregate's events in order of time, and what has not. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from operations.journey.by_event import EventEvidence, caused_by, events_in
from operations.journey.evidence import Evidence, OutboxRow
from operations.journey.gaps import Gap, Gaps
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
    routes: Mapping[str, Route],
    taps: Mapping[str, str],
    *,
    event_id: str | None = None,
) -> Journey:
    """Order what was found and say what is missing, of one event and what it caused, or of all.

    `taps` has the queue between a bus and its log, where there is one.
    """
    events = events_in(evidence, routes)
    if event_id is not None:
        events = caused_by(event_id, events, evidence)
    steps = [step for each in events for step in _steps(each, evidence)]
    gaps = Gaps(evidence, taps)
    return Journey(
        evidence=evidence,
        event_id=event_id,
        steps=tuple(sorted(steps, key=lambda step: (step.at or evidence.read_at, _rank(step)))),
        gaps=tuple(gap for each in events for gap in gaps.of(each)),
    )


def _steps(found: EventEvidence, evidence: Evidence) -> Iterator[Step]:
    key, own = found.key, found.route.bus if found.route else None
    if commit := _commit(found, evidence):
        yield commit
    if row := found.row:
        published = any((bus, each.event_id) == (own, row.event_id) for bus, each in found.on_buses)
        yield Wait(row.occurred_at, key, row.event_id, row, published)
    before: set[tuple[str, str]] = set()
    for bus, event in found.on_buses:
        again = (bus, event.event_id) in before
        at = event.logged_at if again else event.at
        origin = None if bus == own else own
        yield OnBus(at, key, event.event_id, bus, origin, again, event.replay_name)
        before.add((bus, event.event_id))
    for dead_letter in found.dead_letters:
        yield DeadLettered(dead_letter.sent_at, key, found.event_id, dead_letter)


def _commit(found: EventEvidence, evidence: Evidence) -> Commit | None:
    first, committed = found.first, found.committed
    if committed and not committed.certain and found.event_id is None:
        committed = None
    source = committed or first
    if found.route is None or source is None:
        return None
    causes = {event.causation_id for _, event in found.on_buses}
    if found.row:
        causes.add(found.row.causation_id)
    return Commit(
        at=source.occurred_at,
        key=found.key,
        event_id=found.event_id,
        domain=found.route.domain,
        stated=committed is not None,
        is_requested=None if first is None else first.causation_id is None,
        causes=tuple(
            sorted({each.event_type for _, each in evidence.events if each.event_id in causes})
        ),
    )


_ORDER = (Commit, Wait, OnBus, DeadLettered)


def _rank(step: Step) -> tuple[int, bool]:
    """Order what happened in the same millisecond: on its own bus an event is first."""
    return _ORDER.index(type(step)), isinstance(step, OnBus) and step.origin is not None
