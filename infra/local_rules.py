"""Rules on an emulator: each bus carries exactly the rules that the topology gives it."""

import json
from typing import TYPE_CHECKING

from infra.arns import Arns
from infra.changes import Change, change_of
from infra.resources import TARGET_ID, Bus, Rule
from infra.topology import Topology

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import RuleTypeDef, TargetTypeDef


def render_rules(events: "EventBridgeClient", topology: Topology, arns: Arns) -> list[Change]:
    """A rule of ours that the topology does not have (any more) is removed, and no other.

    Left alone, a renamed rule would deliver everything a second time. An archive is filled by a
    rule that is not ours: without that a replay brings nothing. AWS says who manages it, LocalStack
    does not: a rule is ours if its one target is called as ours are.
    """
    return [change for bus in topology.buses for change in _rules_of(events, bus, topology, arns)]


def _rules_of(
    events: "EventBridgeClient", bus: Bus, topology: Topology, arns: Arns
) -> list[Change]:
    pages = events.get_paginator("list_rules").paginate(EventBusName=bus.name)
    rules = (rule for page in pages for rule in page["Rules"])
    current = {rule["Name"]: rule for rule in rules if not rule.get("ManagedBy")}
    wanted = {rule.name: rule for rule in topology.rules if rule.bus == bus.name}
    changes: list[Change] = []
    for name, rule in wanted.items():
        what = [
            *_rule(events, rule, current.get(name)),
            *_target(events, rule, _wanted_target(rule, arns)),
        ]
        changes += change_of("rule", name, existed=name in current, what=what)
    for name in current.keys() - wanted.keys():
        if _remove_ours(events, bus.name, name):
            changes.append(Change("removed", "rule", name))
    return changes


def _rule(events: "EventBridgeClient", rule: Rule, current: "RuleTypeDef | None") -> list[str]:
    pattern = rule.pattern.as_json()
    kept = json.loads((current or {}).get("EventPattern", "") or "null")
    drifted = [
        *(["EventPattern"] if kept != pattern else []),
        *(["State"] if current and current.get("State") != "ENABLED" else []),
    ]
    if drifted or current is None:
        events.put_rule(
            Name=rule.name,
            EventBusName=rule.bus,
            EventPattern=json.dumps(pattern),
            State="ENABLED",
        )
    return drifted


def _wanted_target(rule: Rule, arns: Arns) -> "TargetTypeDef":
    target: TargetTypeDef = {"Id": TARGET_ID, "Arn": arns.target(rule.target)}
    if rule.dlq:
        target["DeadLetterConfig"] = {"Arn": arns.queue(rule.dlq)}
    # The emulator asks for the role only across accounts and knows no IAM: it is carried so that
    # the target reads as it does on AWS, and nothing here creates it.
    role = arns.role(rule)
    if role:
        target["RoleArn"] = role
    return target


def _target(events: "EventBridgeClient", rule: Rule, wanted: "TargetTypeDef") -> list[str]:
    found = events.list_targets_by_rule(Rule=rule.name, EventBusName=rule.bus)["Targets"]
    if found == [wanted]:
        return []
    events.put_targets(Rule=rule.name, EventBusName=rule.bus, Targets=[wanted])
    strangers = [target["Id"] for target in found if target["Id"] != TARGET_ID]
    _remove_targets(events, rule.bus, rule.name, strangers)
    return ["Targets"]


def _remove_ours(events: "EventBridgeClient", bus: str, name: str) -> bool:
    """Remove a rule if it is ours; EventBridge deletes one only once it has no targets."""
    found = events.list_targets_by_rule(Rule=name, EventBusName=bus)["Targets"]
    if [target["Id"] for target in found] != [TARGET_ID]:
        return False
    _remove_targets(events, bus, name, [TARGET_ID])
    events.delete_rule(Name=name, EventBusName=bus)
    return True


def _remove_targets(events: "EventBridgeClient", bus: str, rule: str, ids: list[str]) -> None:
    if ids:
        events.remove_targets(Rule=rule, EventBusName=bus, Ids=ids)
