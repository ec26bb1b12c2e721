"""What one phase of one subscription's life takes, as it was counted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from contracts.names import EventType
from infra.resources import Archive
from infra.topology import TOPOLOGY
from operations.sources.routes import Route, pattern_of, routes
from verification.benchmarks.calls.tally import Sections
from verification.benchmarks.costs.deployment import FUNCTION_NAMES


@dataclass(frozen=True)
class Usage:
    """`units` are AWS's, by name; `published` has the bytes of each event's entry of PutEvents.

    `calls` are by process and operation. It was counted at batch size 1; with `batch` events in
    each call, message batch and invocation there are as many fewer of those for each event.
    """

    units: Mapping[str, int]
    published: Mapping[EventType, int]
    calls: Mapping[str, Mapping[str, int]]
    batch: int = 1

    @classmethod
    def of(cls, sections: Sections, phase: str, batch: int = 1) -> Self:
        """Read one phase of what is committed in verification/benchmarks/calls/expected.toml."""
        published = (sizes for _, sizes in _owned(sections, f"published.{phase}."))
        return cls(
            units=sections[f"units.{phase}.all"],
            published={EventType(name): size for each in published for name, size in each.items()},
            calls=dict(_owned(sections, f"calls.{phase}.")),
            batch=batch,
        )

    def unit(self, name: str) -> int:
        return self.units.get(name, 0)

    def requests(self, name: str) -> float:
        """Units of which one carries a whole batch."""
        return self.unit(name) / self.batch

    @property
    def batches_relayed(self) -> float:
        """Batches of those events that are relayed from DynamoDB outboxes."""
        return self.relayed / self.batch

    @property
    def relayed(self) -> int:
        """Events from DynamoDB outboxes: no queue is between those and their bus."""
        return sum(routes()[event].between is None for event in self.published)

    def commands(self, name: str) -> int:
        """MongoDB commands of this name."""
        return sum(counts.get(f"mongodb {name}", 0) for counts in self.calls.values())

    @property
    def calls_to_queues_and_buses(self) -> int:
        """Calls to SQS and EventBridge: DynamoDB has an endpoint of its own in the network."""
        return sum(map(_to_queues_and_buses, self.calls.values()))

    @property
    def calls_through_nat(self) -> int:
        """The same without the relays of DynamoDB outboxes, which run outside of the network."""
        inside = self.calls.keys() - set(FUNCTION_NAMES)
        return sum(_to_queues_and_buses(self.calls[process]) for process in inside)


def route_of(event: EventType) -> Route:
    """The way of an event of the lifecycle that was counted, which the bank ends."""
    return routes()[event].taken_by({"cancelledBy": "bank"})


def buses(route: Route) -> tuple[str, ...]:
    """Every bus that takes the event; the first is its own."""
    return (route.bus, *(hop.bus for hop in route.hops))


def archives(route: Route) -> list[Archive]:
    """Every archive that keeps the event."""
    pattern = pattern_of(route.event_type)
    return [each for each in TOPOLOGY.archives if each.bus in buses(route) and each.keeps(pattern)]


def _to_queues_and_buses(counts: Mapping[str, int]) -> int:
    return sum(count for name, count in counts.items() if name.split()[0] in {"sqs", "events"})


def _owned(sections: Sections, prefix: str) -> Iterator[tuple[str, Mapping[str, int]]]:
    for name, counts in sections.items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix), counts
