"""What one phase of one subscription's life takes, as it was counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from infra.topology import WORKLOADS
from verification.benchmarks.calls.tally import Sections

RELAYED_BUSES = {each.settings["EVENT_BUS"] for each in WORKLOADS if each.empties}
"""Buses that the relays of DynamoDB outboxes publish to: on AWS, Lambda functions."""


@dataclass(frozen=True)
class Published:
    """An entry of PutEvents: its bus, its type, and its size in bytes."""

    bus: str
    event_type: str
    size: int


@dataclass(frozen=True)
class Usage:
    """`units` are AWS's, by name; `calls` are by process and operation."""

    units: Mapping[str, int]
    published: tuple[Published, ...]
    calls: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, sections: Sections, phase: str) -> Self:
        """Read one phase of what is committed in verification/benchmarks/calls/expected.toml."""
        return cls(
            units=sections[f"units.{phase}.all"],
            published=tuple(
                Published(owner, event_type, size)
                for owner, sizes in _owned(sections, f"published.{phase}.")
                for event_type, size in sizes.items()
            ),
            calls=dict(_owned(sections, f"calls.{phase}.")),
        )

    def unit(self, name: str) -> int:
        return self.units.get(name, 0)

    @cached_property
    def relayed(self) -> int:
        """Events from DynamoDB outboxes."""
        return sum(event.bus in RELAYED_BUSES for event in self.published)

    def commands(self, *names: str) -> int:
        """MongoDB commands of these names."""
        wanted = {f"mongodb {name}" for name in names}
        return sum(self._count(process, wanted) for process in self.calls)

    def calls_through_nat(self, *, without_relays: bool) -> int:
        """Calls to SQS and EventBridge: DynamoDB has an endpoint of its own in the network.

        `without_relays`: those of DynamoDB outboxes run outside of it.
        """
        outside = {each.name for each in WORKLOADS if each.empties} if without_relays else set()
        return sum(
            count
            for process, operations in self.calls.items()
            for operation, count in operations.items()
            if process not in outside and operation.split()[0] in {"sqs", "events"}
        )

    def _count(self, process: str, operations: set[str]) -> int:
        return sum(n for name, n in self.calls[process].items() if name in operations)


def _owned(sections: Sections, prefix: str) -> list[tuple[str, Mapping[str, int]]]:
    return [
        (name.removeprefix(prefix), counts)
        for name, counts in sections.items()
        if name.startswith(prefix)
    ]
