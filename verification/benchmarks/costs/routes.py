"""Where an event goes once it is on a bus, as the topology's rules have it."""

from collections.abc import Iterator

from infra.resources import Rule, ToBus, ToQueue
from infra.topology import TOPOLOGY


def buses(bus: str, event_type: str) -> tuple[str, ...]:
    """Every bus that takes the event, in the order in which it comes there; the first is its own.

    A type has one source, so the type alone tells which rules match.
    """
    reached = [bus]
    for rule in rules(bus, event_type):
        if isinstance(rule.target, ToBus):
            reached += buses(rule.target.bus, event_type)
    return tuple(reached)


def queues(bus: str, event_type: str) -> tuple[str, ...]:
    """Every queue that the event is delivered to, from any of those buses."""
    return tuple(
        rule.target.queue
        for each in buses(bus, event_type)
        for rule in rules(each, event_type)
        if isinstance(rule.target, ToQueue)
    )


def rules(bus: str, event_type: str) -> Iterator[Rule]:
    """Every rule of a bus that matches the event: to a bus, to a queue, to a log group."""
    for rule in TOPOLOGY.rules:
        types = rule.pattern.detail_types
        if rule.bus == bus and (not types or event_type in types):
            yield rule
