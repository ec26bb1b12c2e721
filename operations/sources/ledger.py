"""What a service's state says: which events were committed, and which were handled.

An aggregate at version n had n events, numbered 1 to n, and the row says when the first and the
last of them happened. That is all there is to know about events without looking at one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from contracts.names import EventType
from infra.topology import LIFECYCLES


class EventKey(NamedTuple):
    """Names an event where its eventId is not known: a state has versions, but no eventIds."""

    event_type: str
    aggregate_id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class AggregateState:
    """What a domain's state says of one aggregate; `event` is what happened to it last."""

    domain: str
    aggregate_id: str
    version: int
    event: str
    status: str
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class Committed:
    """An event that a state implies. Not `certain`: the state does not show it."""

    key: EventKey
    occurred_at: datetime
    certain: bool = True


def type_of(domain: str, sequence: int) -> EventType | None:
    """What a domain's event with that number is; None if no aggregate of it gets that far."""
    events = LIFECYCLES[domain].events if domain in LIFECYCLES else ()
    return events[sequence - 1] if 1 <= sequence <= len(events) else None


class NotUnderstood(ValueError):
    """A state that no sequence of events leads to."""

    def __init__(self, state: AggregateState) -> None:
        super().__init__(
            f"{state.domain} has {state.aggregate_id} at version {state.version}"
            f" after {state.event}: no sequence of events leads there"
        )


def events_of(state: AggregateState) -> Iterator[Committed]:
    """Yield the events that led to a state, in sequence. Raises NotUnderstood."""
    lifecycle = LIFECYCLES[state.domain].events
    if not (1 <= state.version <= len(lifecycle) and state.event == lifecycle[state.version - 1]):
        raise NotUnderstood(state)
    first = EventKey(lifecycle[0], state.aggregate_id, 1)
    yield Committed(first, state.created, certain=not _may_have_skipped_first(state))
    if state.version > 1:
        last = EventKey(state.event, state.aggregate_id, state.version)
        yield Committed(last, state.updated)


def _may_have_skipped_first(state: AggregateState) -> bool:
    """Whether it is an end that came before any beginning: stock deallocated before its allocation.

    Such a row begins at its last version, so that `created` is when it ended. A beginning and an
    end within one millisecond look the same: the end is decided after it has read what the
    beginning wrote, so this takes a read and a write in less than that.
    """
    lifecycle = LIFECYCLES[state.domain]
    return (
        lifecycle.may_begin_ended
        and state.version == len(lifecycle.events)
        and state.created == state.updated
    )


def handled(event: EventKey, domain: str, state: AggregateState | None) -> bool:
    """Whether a domain's state shows that an event was handled there.

    The event's own aggregate and what it leads to have the same id: the subscription's. An event
    that begins an aggregate leaves a row wherever it is handled, and one that ends it an ended row.
    A row that began ended is there, too: nothing is left for the beginning to do, and whether it
    has come cannot be seen.
    """
    if state is None:
        return False
    begins = any(event.event_type == each.events[0] for each in LIFECYCLES.values())
    return state.version > 0 if begins else state.event == LIFECYCLES[domain].events[-1]
