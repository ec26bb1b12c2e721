"""This system, as one value: its domains, what they own, and the permissions that follow."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from infra.domains import payments, stock, subscriptions
from infra.faults import faults_in
from infra.lifecycle import Lifecycle
from infra.resources import (
    Archive,
    Bus,
    BusPolicy,
    Collection,
    Domain,
    LogGroup,
    LogGroupPolicy,
    Queue,
    QueuePolicy,
    Rule,
    SealingKey,
    Table,
    ToBus,
    ToLogGroup,
    ToQueue,
)
from infra.workloads import Workload


class TopologyError(ValueError):
    """The topology contradicts itself or AWS; the message names every resource at fault."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("the topology cannot be built:\n  " + "\n  ".join(self.faults))


@dataclass(frozen=True)
class Topology:
    """One value that describes the system. Raises TopologyError when it could not work on AWS."""

    domains: tuple[Domain, ...]

    def __post_init__(self) -> None:
        faults = faults_in(self.domains)
        if faults:
            raise TopologyError(faults)

    @cached_property
    def buses(self) -> tuple[Bus, ...]:
        return tuple(bus for domain in self.domains for bus in domain.buses)

    @cached_property
    def archives(self) -> tuple[Archive, ...]:
        return tuple(archive for domain in self.domains for archive in domain.archives)

    @cached_property
    def log_groups(self) -> tuple[LogGroup, ...]:
        return tuple(group for domain in self.domains for group in domain.log_groups)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        return tuple(rule for domain in self.domains for rule in domain.rules)

    @cached_property
    def queues(self) -> tuple[Queue, ...]:
        return tuple(queue for domain in self.domains for queue in domain.queues)

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        return tuple(table for domain in self.domains for table in domain.tables)

    @cached_property
    def collections(self) -> tuple[Collection, ...]:
        return tuple(collection for domain in self.domains for collection in domain.collections)

    @cached_property
    def keys(self) -> tuple[SealingKey, ...]:
        return tuple(key for domain in self.domains for key in domain.keys)

    @cached_property
    def queue_policies(self) -> tuple[QueuePolicy, ...]:
        """One for each queue that a rule delivers to or dead-letters to."""
        policies = (QueuePolicy(each.name, self._rules_into(each.name)) for each in self.queues)
        return tuple(policy for policy in policies if policy.rules)

    @cached_property
    def log_group_policies(self) -> tuple[LogGroupPolicy, ...]:
        """One for each log group that a rule writes to."""
        policies = (LogGroupPolicy(each.name, self._writers(each)) for each in self.log_groups)
        return tuple(policy for policy in policies if policy.rules)

    @cached_property
    def bus_policies(self) -> tuple[BusPolicy, ...]:
        """One for each bus that another domain's rule puts events on."""
        return tuple(
            BusPolicy(bus.name, rules)
            for domain in self.domains
            for bus in domain.buses
            if (rules := self._rules_to(bus.name, outside=domain))
        )

    def domain_of_bus(self, name: str) -> str:
        return {bus.name: d.name for d in self.domains for bus in d.buses}[name]

    def domain_of_queue(self, name: str) -> str:
        return {queue.name: d.name for d in self.domains for queue in d.queues}[name]

    def domain_of_table(self, name: str) -> str:
        return {table.name: d.name for d in self.domains for table in d.tables}[name]

    def domain_of_key(self, name: str) -> str:
        return {key.name: d.name for d in self.domains for key in d.keys}[name]

    def domain_of_log_group(self, name: str) -> str:
        return {group.name: d.name for d in self.domains for group in d.log_groups}[name]

    def _rules_into(self, queue: str) -> tuple[Rule, ...]:
        return tuple(r for r in self.rules if r.target == ToQueue(queue) or r.dlq == queue)

    def _writers(self, group: LogGroup) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.target == ToLogGroup(group.name))

    def _rules_to(self, bus: str, outside: Domain) -> tuple[Rule, ...]:
        return tuple(
            rule
            for domain in self.domains
            if domain != outside
            for rule in domain.rules
            if rule.target == ToBus(bus)
        )


_FILES = (subscriptions, stock, payments)
"""A domain's facts are in a file of its own; here they come together."""

TOPOLOGY = Topology(tuple(each.DOMAIN for each in _FILES))

LIFECYCLES: dict[str, Lifecycle] = {each.DOMAIN.name: each.LIFECYCLE for each in _FILES}

_PROCESSES: tuple[Workload, ...] = tuple(one for each in _FILES for one in each.WORKLOADS)

WORKLOADS = (
    *(each for each in _PROCESSES if each.path),
    *(each for each in _PROCESSES if each.is_consumer),
    *(each for each in _PROCESSES if each.is_relay),
)
"""The processes: APIs, consumers, relays."""
