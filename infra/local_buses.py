"""Buses on an emulator, with who may put events on them, and their archives."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from infra.arns import Arns
from infra.changes import CannotChangeError, Change, change_of
from infra.policies import rule_statement_id
from infra.resources import Archive
from infra.topology import Topology

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

NO_PATTERN = ""
"""How UpdateArchive archives everything again."""


def account_of(events: "EventBridgeClient") -> str:
    """The account that these credentials act in: its default bus, which always exists, says so."""
    arn = events.describe_event_bus()["Arn"]
    return arn.split(":")[4]


def render_buses(events: "EventBridgeClient", topology: Topology, arns: Arns) -> list[Change]:
    current = {bus["Name"]: bus for bus in events.list_event_buses(Limit=100)["EventBuses"]}
    changes: list[Change] = []
    for bus in topology.buses:
        if bus.name not in current:
            events.create_event_bus(Name=bus.name)
        changes += change_of("bus", bus.name, existed=bus.name in current, what=())
    rules = {policy.bus: policy.rules for policy in topology.bus_policies}
    for bus in topology.buses:
        policy = json.loads(current.get(bus.name, {}).get("Policy", "") or "{}")
        wanted = {
            rule_statement_id(rule): arns.account_of(rule) for rule in rules.get(bus.name, ())
        }
        changes += _bus_policy(events, bus.name, wanted, policy)
    return changes


def render_archives(events: "EventBridgeClient", topology: Topology, arns: Arns) -> list[Change]:
    """Raises CannotChangeError for an archive of another bus."""
    current = {archive["ArchiveName"] for archive in events.list_archives(Limit=100)["Archives"]}
    return [
        change
        for archive in topology.archives
        for change in change_of(
            "archive",
            archive.name,
            existed=archive.name in current,
            what=_archive(events, archive, arns.bus(archive.bus), exists=archive.name in current),
        )
    ]


def _bus_policy(
    events: "EventBridgeClient", bus: str, wanted: Mapping[str, str], policy: Mapping[str, Any]
) -> list[Change]:
    """`wanted` is the account that each statement allows, by statement id.

    Without conditions: PutPermission has one on an organization alone, or takes a whole policy,
    which MiniStack does not.
    """
    current = {each["Sid"]: each["Principal"] for each in policy.get("Statement", [])}
    drifted = {sid for sid, account in wanted.items() if current.get(sid) != account}
    strangers = current.keys() - wanted.keys()
    for sid in drifted:
        events.put_permission(
            EventBusName=bus, Action="events:PutEvents", Principal=wanted[sid], StatementId=sid
        )
    for sid in strangers:
        events.remove_permission(EventBusName=bus, StatementId=sid)
    what = sorted(drifted | strangers)
    return change_of("bus policy", bus, existed=bool(current) or not wanted, what=what)


def _archive(
    events: "EventBridgeClient", archive: Archive, bus_arn: str, *, exists: bool
) -> list[str]:
    """Create or update it; returns the names of the attributes that differed."""
    pattern = archive.pattern.as_json() if archive.pattern else None
    text = json.dumps(pattern) if pattern else NO_PATTERN
    if not exists:
        given: Any = {"EventPattern": text} if pattern else {}
        events.create_archive(
            ArchiveName=archive.name,
            EventSourceArn=bus_arn,
            RetentionDays=archive.retention_days,
            **given,
        )
        return []
    # ListArchives has no pattern, so each is described.
    found = events.describe_archive(ArchiveName=archive.name)
    if found["EventSourceArn"] != bus_arn:
        raise CannotChangeError(
            "archive",
            archive.name,
            f"it keeps the events of {found['EventSourceArn']}, not those of {bus_arn}",
            "delete it, or give the new one another name",
        )
    kept = json.loads(found.get("EventPattern", "") or "null")
    drifted = [
        *(["EventPattern"] if kept != pattern else []),
        *(["RetentionDays"] if found.get("RetentionDays", 0) != archive.retention_days else []),
    ]
    if drifted:
        events.update_archive(
            ArchiveName=archive.name, EventPattern=text, RetentionDays=archive.retention_days
        )
    return drifted
