"""What a service's state says: which events were committed, and which were handled.

An aggregate at version n had n events, numbered 1 to n, and the row says when the first and the
last of them happened. That is all there is to know about events without looking at one.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from contracts.names import EventType

SUBSCRIPTIONS, STOCK, PAYMENTS = "subscriptions", "stock", "payments"

LIFECYCLES: Mapping[str, tuple[EventType, EventType]] = {
    SUBSCRIPTIONS: (EventType.SUBSCRIPTION_CREATED, EventType.SUBSCRIPTION_CANCELLED),
    STOCK: (EventType.STOCK_ALLOCATED, EventType.STOCK_DEALLOCATED),
    PAYMENTS: (EventType.PAYMENT_CREATED, EventType.PAYMENT_CANCELLED),
}
"""A domain's events by sequence: each aggregate begins, and may end."""


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
    lifecycle = LIFECYCLES.get(domain, ())
    return lifecycle[sequence - 1] if 1 <= sequence <= len(lifecycle) else None


class NotUnderstood(ValueError):
    """A state that no sequence of events leads to."""

    def __init__(self, state: AggregateState) -> None:
        super().__init__(
            f"{state.domain} has {state.aggregate_id} at version {state.version}"
            f" after {state.event}: no sequence of events leads there"
        )
        self.state = state


def events_of(state: AggregateState) -> Iterator[Committed]:
    """Yield the events that led to a state, in sequence. Raises NotUnderstood."""
    lifecycle = LIFECYCLES[state.domain]
    if not (1 <= state.version <= len(lifecycle) and state.event == lifecycle[state.version - 1]):
        raise NotUnderstood(state)
    first = EventKey(lifecycle[0], state.aggregate_id, 1)
    yield Committed(first, state.created, certain=not _may_have_skipped_first(state))
    if state.version > 1:
        last = EventKey(state.event, state.aggregate_id, state.version)
        yield Committed(last, state.updated)


def _may_have_skipped_first(state: AggregateState) -> bool:
    """Whether it is stock that was given back before any was put aside.

    Such stock begins at version 2, so that `created` is when it was given back. An allocation and
    a deallocation within one millisecond look the same: the deallocation is decided after it has
    read what the allocation wrote, so this takes a read and a write in less than that.
    """
    return (
        state.domain == STOCK
        and state.version == len(LIFECYCLES[STOCK])
        and state.created == state.updated
    )


def handled(event: EventKey, domain: str, state: AggregateState | None) -> bool:
    """Whether a domain's state shows that an event was handled there.

    The event's own aggregate and what it leads to have the same id: the subscription's.
    """
    return state is not None and EFFECTS[EventType(event.event_type), domain](state)


def _exists(state: AggregateState) -> bool:
    return state.version > 0


def _ended(state: AggregateState) -> bool:
    return state.event == LIFECYCLES[state.domain][-1]


EFFECTS: Mapping[tuple[EventType, str], Callable[[AggregateState], bool]] = {
    # Stock that was given back before SubscriptionCreated came is there, too: nothing is left for
    # that event to do, and whether it has come cannot be seen.
    (EventType.SUBSCRIPTION_CREATED, STOCK): _exists,
    (EventType.SUBSCRIPTION_CREATED, PAYMENTS): _exists,
    (EventType.PAYMENT_CANCELLED, STOCK): _ended,
    (EventType.PAYMENT_CANCELLED, SUBSCRIPTIONS): _ended,
}
"""What a handled event leaves behind in the domain that handled it."""
