"""Which events pass where, read off the topology: what the reference pages and diagrams say."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from contracts.envelope import PAYLOAD_VERSION
from contracts.names import EventType
from infra.resources import EventPattern, Rule, ToBus, ToLogGroup, ToQueue
from infra.topology import TOPOLOGY, Topology

SAMPLES = Path(__file__).parent.parent / "contracts" / "samples"


@cache
def sample_of(event_type: EventType) -> Any:
    """The published sample: the whole envelope, as a queue receives it."""
    text = (SAMPLES / f"{event_type}.v{PAYLOAD_VERSION}.json").read_text(encoding="utf-8")
    return json.loads(text)


def domain_of(event_type: EventType) -> str:
    """Name the domain that publishes an event: its sample says so."""
    source: str = sample_of(event_type)["source"]
    return source.removeprefix("app.")


@dataclass(frozen=True)
class Flows:
    """What passes each bus, rule and queue of a topology."""

    topology: Topology = TOPOLOGY

    def bus_of(self, domain: str) -> str:
        """Name the bus that a domain publishes on."""
        (bus,) = (b.name for d in self.topology.domains if d.name == domain for b in d.buses)
        return bus

    def on_bus(self, bus: str) -> list[EventType]:
        """What is published there, then what rules bring there from other buses."""
        own = self._own(bus)
        brought = [
            event_type
            for rule in self.topology.rules
            if rule.target == ToBus(bus)
            for event_type in self.through(rule)
        ]
        return list(dict.fromkeys([*own, *brought]))

    def through(self, rule: Rule) -> list[EventType]:
        """What a rule lets pass.

        To another bus that is only what was published on its own: EventBridge goes no further.
        """
        here = self._own(rule.bus) if isinstance(rule.target, ToBus) else self.on_bus(rule.bus)
        return [each for each in here if rule.pattern.overlaps(_pattern(each))]

    def in_queue(self, queue: str) -> list[EventType]:
        """What rules deliver into a queue."""
        into = [rule for rule in self.topology.rules if rule.target == ToQueue(queue)]
        return list(dict.fromkeys(each for rule in into for each in self.through(rule)))

    def hops(self, event_type: EventType) -> list[Rule]:
        """Rules that send an event on to other buses."""
        return [
            rule
            for rule in self._rules(event_type, onward=True)
            if rule.bus == self.home(event_type)
        ]

    def deliveries(self, event_type: EventType) -> list[Rule]:
        """Rules that deliver an event into a queue or a log group, on every bus that it reaches."""
        return list(self._rules(event_type, onward=False))

    def _rules(self, event_type: EventType, *, onward: bool) -> Iterator[Rule]:
        for rule in self.topology.rules:
            if isinstance(rule.target, ToBus) == onward and event_type in self.through(rule):
                yield rule

    def home(self, event_type: EventType) -> str:
        return self.bus_of(domain_of(event_type))

    def _own(self, bus: str) -> list[EventType]:
        return [each for each in EventType if self.home(each) == bus]


def is_log_rule(rule: Rule) -> bool:
    """Whether it only writes what passes into a log group."""
    return isinstance(rule.target, ToLogGroup)


def _pattern(event_type: EventType) -> EventPattern:
    return EventPattern((sample_of(event_type)["source"],), (event_type,))
