"""Where bank details of one subscription remain in clear after its erasure, and until when."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from contracts.names import EventType
from contracts.timestamps import format_timestamp
from infra.faults import LONGEST_BACKUP_DAYS
from infra.topology import TOPOLOGY
from operations.environment import Environment
from operations.journey.evidence import read_bus_log
from operations.sources.bus_logs import SKEW
from operations.sources.dead_letters import DeadLetter
from operations.sources.ledger import Committed
from operations.sources.routes import Route, pattern_of, routes

IN_CLEAR = 1
"""The version of an event's detail that has personal fields in clear."""

PERSONAL = (
    EventType.SUBSCRIPTION_CREATED,
    EventType.SUBSCRIPTION_CANCELLED,
    EventType.PAYMENT_CREATED,
    EventType.PAYMENT_CANCELLED,
)
"""The events of which version 1 has personal fields."""

_RETENTION = {queue.name: queue.retention for queue in TOPOLOGY.queues}
"""Seconds, by queue."""


@dataclass(frozen=True, slots=True)
class ClearCopy:
    """An archive, a log group, a queue or a database's backups, which let go of it at `until`."""

    place: str
    until: datetime

    def as_document(self) -> dict[str, str]:
        return {"place": self.place, "until": format_timestamp(self.until)}


def clear_copies(
    committed: list[Committed],
    versions: Mapping[str, int],
    dead_letters: list[DeadLetter],
    now: datetime,
) -> list[ClearCopy]:
    """List what may still have it: events of version 1, and backups from before the erasure.

    `versions` are those of the events' details, by type; one that is not known counts as 1.
    """
    until: dict[str, datetime] = {
        f"backups of {kept}": now + timedelta(days=LONGEST_BACKUP_DAYS)
        for kept in ("the table subscriptions", "the collection payments")
    }
    for event in committed:
        event_type = event.key.event_type
        if event_type in PERSONAL and versions.get(event_type, IN_CLEAR) == IN_CLEAR:
            for place, days in _kept(routes()[EventType(event_type)]):
                ends = event.occurred_at + timedelta(days=days)
                until[place] = max(until.get(place, ends), ends)
    for each in dead_letters:
        if each.sent_at is not None:
            place = f"dead-letter queue {each.queue}"
            ends = each.sent_at + timedelta(seconds=_RETENTION[each.queue])
            until[place] = max(until.get(place, ends), ends)
    return [ClearCopy(*each) for each in sorted(until.items()) if each[1] > now]


def logged_versions(
    environment: Environment, aggregate_id: str, since: datetime | None
) -> dict[str, int]:
    """Find the lowest version of each type of event in the buses' logs. Raises Unavailable."""
    found: dict[str, int] = {}
    for bus in environment.topology.buses:
        begin = since - SKEW if since else None
        for event, message in read_bus_log(environment, bus.name, aggregate_id, since=begin):
            if event.aggregate_id == aggregate_id:
                known = found.get(event.event_type)
                version = _version(message)
                found[event.event_type] = version if known is None else min(known, version)
    return found


def _kept(route: Route) -> Iterator[tuple[str, int]]:
    """Where an event is kept, and for how many days."""
    buses = {route.bus, *(hop.bus for hop in route.hops)}
    for archive in TOPOLOGY.archives:
        if archive.bus in buses and archive.keeps(pattern_of(route.event_type)):
            yield f"archive {archive.name}", archive.retention_days
    for group in TOPOLOGY.log_groups:
        if group.name.removesuffix("-logs") in {bus.removesuffix("-bus") for bus in buses}:
            yield f"log group {group.name}", group.retention_days


def _version(message: str) -> int:
    metadata: Any = json.loads(message)["detail"].get("metadata") or {}
    version = metadata.get("version", IN_CLEAR)
    return version if isinstance(version, int) else IN_CLEAR
