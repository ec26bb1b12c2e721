"""Which events pass where, read off the topology: what the reference pages and diagrams say."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from contracts.envelope import PAYLOAD_VERSION
from contracts.names import EventType
from infra.resources import EventPattern, Rule, ToBus, ToQueue
from infra.topology import LIFECYCLES, TOPOLOGY

SAMPLES = Path(__file__).parent.parent / "contracts" / "samples"

LIFECYCLE_OF = {event: each for each in LIFECYCLES.values() for event in each.events}
"""By event, that of the domain which publishes it."""

BUS_OF = {domain.name: bus.name for domain in TOPOLOGY.domains for bus in domain.buses}
"""The bus that a domain publishes on."""


@cache
def sample_of(event_type: EventType, version: int = PAYLOAD_VERSION) -> Any:
    """The published sample: the whole envelope, as a queue receives it."""
    text = (SAMPLES / f"{event_type}.v{version}.json").read_text(encoding="utf-8")
    return json.loads(text)


def through(rule: Rule) -> list[EventType]:
    """What a rule lets pass, in the order in which it comes to the rule's bus.

    To another bus that is only what was published on its own: EventBridge goes no further.
    """
    here = _published_on(rule.bus)
    if not isinstance(rule.target, ToBus):
        into = (each for each in TOPOLOGY.rules if each.target == ToBus(rule.bus))
        here += [event_type for each in into for event_type in through(each)]
    return [each for each in dict.fromkeys(here) if rule.pattern.overlaps(_pattern(each))]


def in_queue(queue: str) -> list[EventType]:
    """What rules deliver into a queue."""
    into = [rule for rule in TOPOLOGY.rules if rule.target == ToQueue(queue)]
    return list(dict.fromkeys(each for rule in into for each in through(rule)))


def _published_on(bus: str) -> list[EventType]:
    return [event for event, each in LIFECYCLE_OF.items() if BUS_OF[each.domain] == bus]


def _pattern(event_type: EventType) -> EventPattern:
    return EventPattern((LIFECYCLE_OF[event_type].source,), (event_type,))
