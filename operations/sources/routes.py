"""Which way each event goes: over which buses, into which queues; read from the topology."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from contracts.names import EventType
from infra.resources import EventPattern, Rule, ToBus, ToLogGroup, ToQueue
from infra.topology import LIFECYCLES, TOPOLOGY, WORKLOADS, Topology

SOURCES = {event: each.source for each in LIFECYCLES.values() for event in each.events}
"""Who publishes what."""

ROUTED_BY = frozenset(field for rule in TOPOLOGY.rules for field, _ in rule.pattern.detail)
"""Fields of a detail by which rules choose."""


@dataclass(frozen=True, slots=True)
class Hop:
    """A rule that sends an event from one bus on to another."""

    rule: str
    origin: str
    bus: str
    dlq: str | None
    pattern: EventPattern


@dataclass(frozen=True, slots=True)
class Delivery:
    """A rule that sends an event into the queue from which `domain` handles it."""

    rule: str
    bus: str
    queue: str
    dlq: str | None
    domain: str
    pattern: EventPattern


@dataclass(frozen=True, slots=True)
class Route:
    """The whole way of a type of event, from the outbox it is committed in to all who handle it.

    `between` is the queue between the outbox and the bus, where there is one; `set_aside` is where
    the relay puts what can never be published.
    """

    event_type: EventType
    domain: str
    outbox: str
    between: str | None
    set_aside: str
    bus: str
    hops: tuple[Hop, ...]
    deliveries: tuple[Delivery, ...]

    def taken_by(self, detail: Mapping[str, object]) -> "Route":
        """The part of it that an event with this detail takes; the fields ROUTED_BY are enough."""
        hops = tuple(each for each in self.hops if each.pattern.wants(detail))
        reached = {self.bus, *(hop.bus for hop in hops)}
        return replace(
            self,
            hops=hops,
            deliveries=tuple(
                each
                for each in self.deliveries
                if each.bus in reached and each.pattern.wants(detail)
            ),
        )


@cache
def routes(topology: Topology = TOPOLOGY) -> dict[str, Route]:
    """Map each event type to its route."""
    return {event_type: _route(topology, event_type) for event_type in EventType}


def pattern_of(event_type: str) -> EventPattern:
    """Make the pattern that matches the events of one type, whatever their source."""
    sources = tuple(source for event, source in SOURCES.items() if event == event_type)
    return EventPattern(sources, (event_type,))


def log_group_of(bus: str, topology: Topology = TOPOLOGY) -> str:
    """Name the log group that holds everything on a bus. Raises KeyError."""
    return _log_of(bus, topology)[1]


def log_rule_of(bus: str, topology: Topology = TOPOLOGY) -> str:
    """Name the rule that writes everything on a bus to its log group. Raises KeyError."""
    return _log_of(bus, topology)[0].name


def log_dlq_of(bus: str, topology: Topology = TOPOLOGY) -> str | None:
    """Name the queue of what that rule could not write. Raises KeyError."""
    return _log_of(bus, topology)[0].dlq


def _log_of(bus: str, topology: Topology) -> tuple[Rule, str]:
    for rule in topology.rules:
        if rule.bus == bus and isinstance(rule.target, ToLogGroup):
            return rule, rule.target.log_group
    raise KeyError(bus)


def _route(topology: Topology, event_type: EventType) -> Route:
    source = SOURCES[event_type]
    domain = source.removeprefix("app.")
    (bus,) = (bus for each in topology.domains if each.name == domain for bus in each.buses)
    (relay,) = (each for each in WORKLOADS if each.domain == domain and each.relays_outbox)
    event = EventPattern((source,), (event_type,))
    # From the next buses EventBridge takes an event no further.
    hops = tuple(
        Hop(rule.name, bus.name, rule.target.bus, rule.dlq, rule.pattern)
        for rule in _matching(topology, event, bus.name)
        if isinstance(rule.target, ToBus)
    )
    return Route(
        event_type=event_type,
        domain=domain,
        outbox=relay.settings.get("OUTBOX_TABLE") or relay.settings["OUTBOX_COLLECTION"],
        between=relay.settings.get("FIFO_QUEUE"),
        set_aside=relay.settings["DEAD_LETTER_QUEUE"],
        bus=bus.name,
        hops=hops,
        deliveries=tuple(
            Delivery(
                rule.name,
                each,
                rule.target.queue,
                rule.dlq,
                topology.domain_of_bus(each),
                rule.pattern,
            )
            for each in (bus.name, *(hop.bus for hop in hops))
            for rule in _matching(topology, event, each)
            if isinstance(rule.target, ToQueue)
        ),
    )


def _matching(topology: Topology, event: EventPattern, bus: str) -> list[Rule]:
    return [r for r in topology.rules if r.bus == bus and r.pattern.overlaps(event)]
