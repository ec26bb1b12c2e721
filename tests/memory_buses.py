"""EventBridge in memory: buses, the topology's rules, archives. Who delivers is an argument.

The conformance suite holds what it routes where to the emulator.
"""

# ruff: noqa: N803 (the names are boto3's)

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from infra.resources import EventPattern, Rule
from infra.topology import Topology
from tests.builders import ACCOUNT


@dataclass(frozen=True, slots=True)
class Event:
    """An event on a bus; `event_id` is EventBridge's own, new each time one is put."""

    event_id: str
    source: str
    detail_type: str
    detail: str
    time: datetime
    replay: str | None = None

    def to_json(self) -> str:
        """What a queue gets. `detail` is JSON already."""
        replayed = f'"replay-name":"{self.replay}",' if self.replay else ""
        return (
            f'{{"version":"0","id":"{self.event_id}","detail-type":"{self.detail_type}",'
            f'"source":"{self.source}","account":"{ACCOUNT}",'
            f'"time":"{self.time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}","region":"eu-west-1",'
            f'"resources":[],{replayed}"detail":{self.detail}}}'
        )


Deliver = Callable[[Rule, Event], object]


class MemoryBuses:
    """An EventBridge client for one topology. `deliver` brings an event to a rule's target.

    Every event that a bus accepts is told to `journal`, whoever put it there.
    """

    def __init__(
        self,
        topology: Topology,
        deliver: Deliver,
        *,
        journal: Callable[[str, Event], object] = lambda bus, event: None,
    ) -> None:
        self._deliver, self._journal = deliver, journal
        self._rules = rules_by_bus(topology)
        self.archives: dict[str, list[Event]] = {archive.bus: [] for archive in topology.archives}
        self._known: dict[tuple[str, str, str], Sequence[Rule]] = {}
        self._ids = count(1)

    def describe_event_bus(self, *, Name: str) -> dict[str, str]:
        if Name not in self._rules:
            error: Any = {"Error": {"Code": "ResourceNotFoundException"}}
            raise ClientError(error, "DescribeEventBus")
        return {"Name": Name}

    def put_events(self, *, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Accept all; to a bus that does not exist, too, and silently, as on AWS."""
        answers = []
        for entry in Entries:
            event = Event(
                f"eb-{next(self._ids)}",
                entry["Source"],
                entry["DetailType"],
                entry["Detail"],
                entry["Time"],
            )
            if entry["EventBusName"] in self._rules:
                self.accept(entry["EventBusName"], event)
            answers.append({"EventId": event.event_id})
        return {"FailedEntryCount": 0, "Entries": answers}

    def accept(self, bus: str, event: Event) -> None:
        """Archive an event and hand it to every rule that wants it."""
        self._journal(bus, event)
        if bus in self.archives and event.replay is None:
            self.archives[bus].append(event)
        for rule in self._wanting(bus, event):
            self._deliver(rule, event)

    def replay(self, bus: str, name: str) -> int:
        """Put on a bus once more what its archive holds; returns how many events that are."""
        events = list(self.archives[bus])
        for event in events:
            self.accept(bus, replace(event, replay=name))
        return len(events)

    def _wanting(self, bus: str, event: Event) -> Sequence[Rule]:
        kind = bus, event.source, event.detail_type
        found = self._known.get(kind)
        if found is None:
            found = [rule for rule in self._rules[bus] if _is_of_kind(rule.pattern, event)]
            self._known[kind] = found
        return [rule for rule in found if matches(rule.pattern, event)]


def rules_by_bus(topology: Topology) -> Mapping[str, Sequence[Rule]]:
    return {bus.name: _of(topology.rules, bus.name) for bus in topology.buses}


def matches(pattern: EventPattern, event: Event) -> bool:
    return _is_of_kind(pattern, event) and (
        not pattern.detail or pattern.wants(json.loads(event.detail))
    )


def _is_of_kind(pattern: EventPattern, event: Event) -> bool:
    return (not pattern.sources or event.source in pattern.sources) and (
        not pattern.detail_types or event.detail_type in pattern.detail_types
    )


def _of(rules: Iterable[Rule], bus: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules if rule.bus == bus)
