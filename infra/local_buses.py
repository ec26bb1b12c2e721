"""Buses on an emulator, with who may put events on them, and their archives."""

import json
from collections.abc import Mapping, Sequence
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
    buses = events.list_event_buses(Limit=100)["EventBuses"]
    policies = {bus["Name"]: json.loads(bus.get("Policy", "") or "{}") for bus in buses}
    missing = [bus.name for bus in topology.buses if bus.name not in policies]
    return [*_create_buses(events, missing), *_bus_policies(events, topology, arns, policies)]


def render_archives(events: "EventBridgeClient", topology: Topology, arns: Arns) -> list[Change]:
    """Raises CannotChangeError for an archive of another bus."""
    current = {archive["ArchiveName"] for archive in events.list_archives(Limit=100)["Archives"]}
    changes: list[Change] = []
    for archive in topology.archives:
        render = _update_archive if archive.name in current else _create_archive
        changes += render(events, archive, arns.bus(archive.bus))
    return changes


def _create_buses(events: "EventBridgeClient", names: Sequence[str]) -> list[Change]:
    for name in names:
        events.create_event_bus(Name=name)
    return [Change("created", "bus", name) for name in names]


def _bus_policies(
    events: "EventBridgeClient", topology: Topology, arns: Arns, current: Mapping[str, Any]
) -> list[Change]:
    rules = {policy.bus: policy.rules for policy in topology.bus_policies}
    changes: list[Change] = []
    for bus in topology.buses:
        wanted = {
            rule_statement_id(rule): arns.account_of(rule) for rule in rules.get(bus.name, ())
        }
        changes += _bus_policy(events, bus.name, wanted, current.get(bus.name, {}))
    return changes


def _bus_policy(
    events: "EventBridgeClient", bus: str, wanted: Mapping[str, str], policy: Mapping[str, Any]
) -> list[Change]:
    """`wanted` is the account that each statement allows, by statement id.

    Without conditions: PutPermission has one on an organization alone, or takes a whole policy,
    which MiniStack does not.
    """
    statements = policy.get("Statement", [])
    current = {each["Sid"]: _account_in(each["Principal"]) for each in statements}
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


def _account_in(principal: Any) -> Any:
    """AWS answers `{"AWS": "arn:aws:iam::111122223333:root"}`, MiniStack the account as given."""
    match principal:
        case {"AWS": str(arn)} if arn.endswith(":root"):
            return arn.split(":")[4]
    return principal


def _create_archive(events: "EventBridgeClient", archive: Archive, bus_arn: str) -> list[Change]:
    given: Any = {"EventPattern": json.dumps(archive.pattern.as_json())} if archive.pattern else {}
    events.create_archive(
        ArchiveName=archive.name,
        EventSourceArn=bus_arn,
        RetentionDays=archive.retention_days,
        **given,
    )
    return [Change("created", "archive", archive.name)]


def _update_archive(events: "EventBridgeClient", archive: Archive, bus_arn: str) -> list[Change]:
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
    pattern = archive.pattern.as_json() if archive.pattern else None
    drifted = [
        *(["EventPattern"] if kept != pattern else []),
        *(["RetentionDays"] if found.get("RetentionDays", 0) != archive.retention_days else []),
    ]
    if drifted:
        events.update_archive(
            ArchiveName=archive.name,
            EventPattern=json.dumps(pattern) if pattern else NO_PATTERN,
            RetentionDays=archive.retention_days,
        )
    return change_of("archive", archive.name, existed=True, what=drifted)
