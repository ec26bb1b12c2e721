"""One subscription's life, created and cancelled: which events, where, through how many rules."""

from collections import Counter
from collections.abc import Iterator
from functools import cache

from contracts.names import EventType, Source
from infra.resources import EventPattern, Rule, ToBus
from infra.topology import TOPOLOGY
from verification.benchmarks.scaling import inputs

PUBLISHED: dict[EventType, tuple[Source, str]] = {
    EventType.SUBSCRIPTION_CREATED: (Source.SUBSCRIPTIONS, "subscriptions-event-bus"),
    EventType.SUBSCRIPTION_CANCELLED: (Source.SUBSCRIPTIONS, "subscriptions-event-bus"),
    EventType.STOCK_ALLOCATED: (Source.STOCK, "stock-event-bus"),
    EventType.STOCK_DEALLOCATED: (Source.STOCK, "stock-event-bus"),
    EventType.PAYMENT_CREATED: (Source.PAYMENTS, "payments-event-bus"),
    EventType.PAYMENT_CANCELLED: (Source.PAYMENTS, "payments-event-bus"),
}
"""The events of a lifecycle, each once: who publishes it, and on which bus."""

EVENTS = len(PUBLISHED)


@cache
def rules_of(event: EventType, bus: str) -> tuple[Rule, ...]:
    """The rules of a bus that match an event."""
    source, _ = PUBLISHED[event]
    asked = EventPattern((source,), (event,))
    return tuple(
        rule for rule in TOPOLOGY.rules if rule.bus == bus and rule.pattern.overlaps(asked)
    )


@cache
def invocations_on(event: EventType, bus: str) -> int:
    """Invocations that an event takes on one bus: a rule each, and the bus's archive."""
    archives = sum(archive.bus == bus for archive in TOPOLOGY.archives)
    return len(rules_of(event, bus)) + archives * int(inputs.ARCHIVED.value)


def invocations() -> int:
    """Invocations of one lifecycle, on all buses that its events come to."""
    return sum(
        invocations_on(event, reached)
        for event, (_, bus) in PUBLISHED.items()
        for reached in _reached(event, bus)
    )


def queued() -> Counter[str]:
    """Messages that one lifecycle puts into each work queue."""
    return Counter(
        rule.target.queue
        for event, (_, bus) in PUBLISHED.items()
        for reached in _reached(event, bus)
        for rule in rules_of(event, reached)
        if hasattr(rule.target, "queue")
    )


def _reached(event: EventType, bus: str) -> Iterator[str]:
    yield bus
    for rule in rules_of(event, bus):
        if isinstance(rule.target, ToBus):
            yield from _reached(event, rule.target.bus)
