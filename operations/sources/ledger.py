"""What a service's state says: which events were committed, and which were handled.

A row keeps the sequence, the type and the time of each event that it committed. One of an earlier
release has only its version, its last event, and when that and the first happened.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from contracts.names import EventType
from infra.topology import LIFECYCLES
from runtime.outbox.history import Past


class EventKey(NamedTuple):
    """Names an event where its eventId is not known: a state has versions, but no eventIds."""

    event_type: str
    aggregate_id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class AggregateState:
    """What a domain's state says of one aggregate; `event` is what happened to it last.

    `history` has all that happened to it, or nothing where the row does not say. `erased`: the
    domain's copy of the bank details is blank.
    """

    domain: str
    aggregate_id: str
    version: int
    event: str
    status: str
    created: datetime
    updated: datetime
    history: tuple[Past, ...] = ()
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Committed:
    """An event that a state implies. Not `certain`: the state does not show it."""

    key: EventKey
    occurred_at: datetime
    certain: bool = True


TRANSITIONS = {each.event: each for life in LIFECYCLES.values() for each in life.transitions}


def type_of(domain: str, sequence: int) -> EventType | None:
    """What a domain's event with that number is, or the first of alternatives."""
    return next(iter(types_of(domain, sequence)), None)


def types_of(domain: str, sequence: int) -> list[EventType]:
    """What a domain's event with that number may be."""
    transitions = LIFECYCLES[domain].transitions if domain in LIFECYCLES else ()
    return [each.event for each in transitions if each.sequence == sequence]


class NotUnderstood(ValueError):
    """A state that no sequence of events leads to."""

    def __init__(self, state: AggregateState) -> None:
        super().__init__(
            f"{state.domain} has {state.aggregate_id} at version {state.version}"
            f" after {state.event}: no sequence of events leads there"
        )


def events_of(state: AggregateState) -> Iterator[Committed]:
    """Yield the events that led to a state, in sequence. Raises NotUnderstood."""
    history = state.history or ((state.version, state.event, state.updated),)
    if history[-1][:2] != (state.version, state.event) or not all(
        name in types_of(state.domain, sequence) for sequence, name, _ in history
    ):
        raise NotUnderstood(state)
    if not state.history:
        yield from _inferred(state)
    for sequence, name, at in history:
        yield Committed(EventKey(name, state.aggregate_id, sequence), at)


def _inferred(state: AggregateState) -> Iterator[Committed]:
    """Infer the events before the last.

    Of an end that may have come before any beginning `created` is when it ended; a beginning and an
    end within one millisecond look the same. Of others than the first nothing says when.
    """
    may_have_skipped = LIFECYCLES[state.domain].may_begin_ended and state.created == state.updated
    for sequence in range(1, state.version):
        name = type_of(state.domain, sequence)
        if name is not None:
            is_first = sequence == 1
            yield Committed(
                EventKey(name, state.aggregate_id, sequence),
                state.created if is_first else state.updated,
                certain=is_first and not may_have_skipped,
            )


def handled(event: EventKey, state: AggregateState | None) -> bool:
    """Whether the state of a domain shows that an event was handled there.

    The event's own aggregate and what it leads to have the same id: the subscription's. An event
    that begins an aggregate leaves a row wherever it is handled, and one that ends it an ended row.
    A row that began ended is there, too: nothing is left for the beginning to do, and whether it
    has come cannot be seen. An erasure leaves no bank details.
    """
    if state is None or state.version < 1:
        return False
    if event.event_type == EventType.SUBSCRIPTION_ERASED:
        return state.erased
    if not _ends(event.event_type):
        return True
    return _ends(state.event)


def _ends(event_type: str) -> bool:
    return event_type in TRANSITIONS and TRANSITIONS[EventType(event_type)].ends
