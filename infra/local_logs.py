"""Log groups on an emulator, with their retention and the policy that lets EventBridge write."""

import json
from typing import TYPE_CHECKING

from infra.arns import Arns
from infra.changes import Change, change_of
from infra.policies import log_group_policy_document, log_group_policy_name
from infra.topology import Topology

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient


def render_log_groups(logs: "CloudWatchLogsClient", topology: Topology, arns: Arns) -> list[Change]:
    return [*_groups(logs, topology), *_policies(logs, topology, arns)]


def _groups(logs: "CloudWatchLogsClient", topology: Topology) -> list[Change]:
    pages = logs.get_paginator("describe_log_groups").paginate()
    current = {group["logGroupName"]: group for page in pages for group in page["logGroups"]}
    changes: list[Change] = []
    for group in topology.log_groups:
        name, days = group.name, group.retention_days
        if name not in current:
            logs.create_log_group(logGroupName=name)
        drifted = name not in current or current[name].get("retentionInDays") != days
        if drifted:
            logs.put_retention_policy(logGroupName=name, retentionInDays=days)
        what = ["retentionInDays"] if drifted else []
        changes += change_of("log group", name, existed=name in current, what=what)
    return changes


def _policies(logs: "CloudWatchLogsClient", topology: Topology, arns: Arns) -> list[Change]:
    current = {
        policy["policyName"]: json.loads(policy["policyDocument"])
        for policy in logs.describe_resource_policies()["resourcePolicies"]
        if "policyName" in policy
    }
    changes: list[Change] = []
    for policy in topology.log_group_policies:
        name, document = log_group_policy_name(policy), log_group_policy_document(policy, arns)
        drifted = current.get(name) != document
        if drifted:
            logs.put_resource_policy(policyName=name, policyDocument=json.dumps(document))
        what = ["policyDocument"] if drifted else []
        changes += change_of("log group policy", name, existed=name in current, what=what)
    return changes
