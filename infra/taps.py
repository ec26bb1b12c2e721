"""Taps: how an emulator's log groups come to hold every event, as they do on AWS.

MiniStack accepts CloudWatch Logs targets and writes nothing. So locally, and only there, each bus
also has a queue that gets everything; local.tap moves it on to the log group.
"""

from dataclasses import dataclass, replace

from infra.resources import DAY, Domain, EventPattern, Queue, Rule, ToLogGroup, ToQueue
from infra.topology import Topology

ALL_EVENTS = EventPattern()


@dataclass(frozen=True, slots=True)
class Tap:
    """One bus's tap: what arrives in `queue` belongs in `log_group`."""

    bus: str
    queue: str
    rule: str
    log_group: str


def taps_of(topology: Topology) -> tuple[Tap, ...]:
    """A tap for each bus whose events a rule sends to a log group."""
    return tuple(tap for domain in topology.domains for tap in _taps_of_domain(domain))


def with_taps(topology: Topology) -> Topology:
    """The topology plus its taps' queues and rules: what is rendered to an emulator."""
    return Topology(tuple(_tapped(domain) for domain in topology.domains))


def _tapped(domain: Domain) -> Domain:
    taps = _taps_of_domain(domain)
    queues = (Queue(tap.queue, visibility_timeout=30, retention=DAY) for tap in taps)
    rules = (Rule(tap.rule, tap.bus, ALL_EVENTS, ToQueue(tap.queue)) for tap in taps)
    return replace(domain, queues=(*domain.queues, *queues), rules=(*domain.rules, *rules))


def _taps_of_domain(domain: Domain) -> list[Tap]:
    return [
        Tap(
            rule.bus,
            f"local-tap-{rule.bus}",
            f"LocalTap-{rule.bus}",
            rule.target.log_group,
        )
        for rule in domain.rules
        if rule.pattern == ALL_EVENTS and isinstance(rule.target, ToLogGroup)
    ]
