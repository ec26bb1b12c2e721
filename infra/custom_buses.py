"""The topology on Custom Event Buses: subscribers in place of rules, and what stays on Classic.

A subscriber reads the bus on which the event was published, and delivers to the consumer's own
queue: there is no bus to bus. docs/decisions/0023-custom-event-bus.md says why, and what is known.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from infra.lifecycle import Lifecycle
from infra.resources import Domain, EventPattern, Rule, ToBus, ToLogGroup, ToQueue
from infra.topology import LIFECYCLES, Topology, TopologyError

MOST_BUSES = 5
"""Custom Event Buses of an account and region, unless AWS raises it: the user guide's quotas."""

LONGEST_RETENTION_DAYS = 365

DELIVERY_SECONDS, DELIVERY_RETRIES = 86_400, 185
"""The most that a subscriber can be set to, and what a rule does: unset it is 300 s and 5."""


@dataclass(frozen=True, slots=True)
class CustomBus:
    """Keeps every event for `retention_days`."""

    name: str
    retention_days: int


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Delivers what matches `pattern` on a Custom Event Bus to a queue, or to a Classic bus.

    It is of the domain that it delivers to. `dlq` is the standard queue for the record of an event
    that could not be delivered in DELIVERY_SECONDS: the event itself is on the bus.
    """

    name: str
    bus: str
    domain: str
    pattern: EventPattern
    target: ToQueue | ToBus
    dlq: str


@dataclass(frozen=True)
class CustomBuses:
    """`classic` is the rest of the topology: its queues, and what stays of buses and rules."""

    buses: tuple[CustomBus, ...]
    subscribers: tuple[Subscriber, ...]
    classic: Topology


def on_custom_buses(
    topology: Topology, lifecycles: Mapping[str, Lifecycle] = LIFECYCLES
) -> CustomBuses:
    """Put each work queue's events on subscribers. Raises TopologyError where that cannot be.

    What an archive keeps that outlives backups stays on Classic, whose archives alone can: longer
    than a bus retains, and replayed through rules. So do the log groups, and a copy of each bus's
    events on the Classic bus of its name, for both.
    """
    stays = [each.pattern for each in topology.archives if each.outlives_backups]
    domains = [_on_classic(domain, stays) for domain in topology.domains]
    publishers = {str(lifecycles[each.name].source): each for each in topology.domains}
    buses = [CustomBus(domain.buses[0].name, _retention(domain)) for domain in topology.domains]
    subscribers = [
        *(_copy(domain) for domain in topology.domains),
        *(
            _subscriber(rule, rule.target, domain, publishers)
            for domain in topology.domains
            for rule in domain.rules
            if isinstance(rule.target, ToQueue) and rule.pattern not in stays
        ),
    ]
    if faults := [*_faults(buses)]:
        raise TopologyError(faults)
    return CustomBuses(tuple(buses), tuple(subscribers), Topology(tuple(domains)))


def _on_classic(domain: Domain, stays: list[EventPattern | None]) -> Domain:
    return replace(
        domain,
        rules=tuple(
            rule
            for rule in domain.rules
            if isinstance(rule.target, ToLogGroup) or rule.pattern in stays
        ),
        archives=tuple(each for each in domain.archives if each.outlives_backups),
    )


def _retention(domain: Domain) -> int:
    """As long as the archive that it takes the place of."""
    return max(each.retention_days for each in domain.archives if not each.outlives_backups)


def _copy(domain: Domain) -> Subscriber:
    """All that is on the bus, for what stays on Classic.

    Its dead-letter queue is that of the first rule to another bus, which it takes the place of.
    """
    dlq = next(rule.dlq for rule in domain.rules if isinstance(rule.target, ToBus) and rule.dlq)
    bus = domain.buses[0].name
    return Subscriber(
        f"{domain.name}-to-classic", bus, domain.name, EventPattern(), ToBus(bus), dlq
    )


def _subscriber(
    rule: Rule, target: ToQueue, domain: Domain, publishers: Mapping[str, Domain]
) -> Subscriber:
    """Of the one bus on which what the rule wants is published."""
    if len(rule.pattern.sources) != 1 or rule.dlq is None:
        raise TopologyError([f"rule {rule.name}: a subscriber needs one source, and a DLQ"])
    publisher = publishers[str(rule.pattern.sources[0])]
    bus = publisher.buses[0].name
    if publisher is not domain and not any(
        each.pattern == rule.pattern and each.target == ToBus(rule.bus) for each in publisher.rules
    ):
        raise TopologyError([f"rule {rule.name}: {publisher.name} does not send it that"])
    return Subscriber(target.queue, bus, domain.name, rule.pattern, target, rule.dlq)


def _faults(buses: list[CustomBus]) -> Iterator[str]:
    if len(buses) > MOST_BUSES:
        yield f"{len(buses)} Custom Event Buses: an account has {MOST_BUSES}"
    for bus in buses:
        if not 1 <= bus.retention_days <= LONGEST_RETENTION_DAYS:
            yield f"Custom Event Bus {bus.name}: a retention of {bus.retention_days} days"
