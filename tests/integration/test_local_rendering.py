"""What the topology becomes on a real emulator, read back through AWS's own API."""

import json
from typing import Any
from uuid import uuid4

import pytest

from infra.arns import Arns
from infra.local import NotAnEmulatorError, main, provision
from infra.local_buses import account_of
from infra.policies import (
    bus_policy_document,
    log_group_policy_document,
    log_group_policy_name,
    queue_policy_document,
)
from infra.taps import with_taps
from infra.topology import TOPOLOGY
from runtime.aws import Aws
from runtime.errors import Misconfigured
from tests.conftest import MiniStack
from tests.integration.emulated import attributes_of, empty_aws
from tests.observed import observed


@pytest.fixture(scope="module")
def rendered(ministack: MiniStack) -> Aws:
    aws = empty_aws(ministack)
    provision(aws)
    return aws


def arns_of(aws: Aws) -> Arns:
    events = aws.client("events")
    return Arns.in_one_account(with_taps(TOPOLOGY), account_of(events), events.meta.region_name)


def test_queues_have_the_attributes_of_the_topology(rendered: Aws) -> None:
    """Timeouts, retention, redrive and policy of every queue are as described."""
    arns = arns_of(rendered)
    policies = {policy.queue: policy for policy in arns.topology.queue_policies}
    for queue in arns.topology.queues:
        found = attributes_of(rendered, queue.name)
        redrive = json.loads(found.get("RedrivePolicy", "null"))
        assert int(found["VisibilityTimeout"]) == queue.visibility_timeout
        assert int(found["MessageRetentionPeriod"]) == queue.retention
        assert (found.get("FifoQueue"), found.get("ContentBasedDeduplication")) == (
            ("true", "false") if queue.fifo else (None, None)
        )
        assert redrive == (
            queue.redrive
            and {
                "deadLetterTargetArn": attributes_of(rendered, queue.redrive.dlq)["QueueArn"],
                "maxReceiveCount": queue.redrive.max_receive_count,
            }
        )
        policy = policies.get(queue.name)
        expected = policy and queue_policy_document(policy, arns)
        assert json.loads(found.get("Policy", "null")) == expected


def test_rules_have_the_pattern_and_target_of_the_topology(rendered: Aws) -> None:
    """Every rule is enabled, with its pattern, its one target, that target's DLQ and its role."""
    arns, events = arns_of(rendered), rendered.client("events")
    for bus in TOPOLOGY.buses:
        found = {rule["Name"]: rule for rule in events.list_rules(EventBusName=bus.name)["Rules"]}
        wanted = {rule.name: rule for rule in arns.topology.rules if rule.bus == bus.name}
        assert found.keys() == wanted.keys()
        for name, rule in wanted.items():
            assert json.loads(found[name]["EventPattern"]) == rule.pattern.as_json()
            assert found[name]["State"] == "ENABLED"
            (target,) = events.list_targets_by_rule(Rule=name, EventBusName=bus.name)["Targets"]
            assert target["Arn"] == arns.target(rule.target)
            assert target.get("RoleArn") == arns.role(rule)
            dlq = target.get("DeadLetterConfig", {}).get("Arn")
            assert dlq == (attributes_of(rendered, rule.dlq)["QueueArn"] if rule.dlq else None)


def test_buses_have_the_policies_and_archives_of_the_topology(rendered: Aws) -> None:
    """Each bus admits who publishes to it, and its archive keeps it for the agreed days."""
    arns, events = arns_of(rendered), rendered.client("events")
    for policy in TOPOLOGY.bus_policies:
        found = json.loads(events.describe_event_bus(Name=policy.bus)["Policy"])["Statement"]
        expected = bus_policy_document(policy, arns)["Statement"]
        # The emulator keeps an account as it was named, AWS its root user's ARN.
        account = account_of(events)
        assert sorted(found, key=lambda each: str(each["Sid"])) == sorted(
            ({**each, "Principal": account} for each in expected), key=lambda each: each["Sid"]
        )
    for archive in TOPOLOGY.archives:
        kept = events.describe_archive(ArchiveName=archive.name)
        assert kept["EventSourceArn"] == arns.bus(archive.bus)
        assert kept["RetentionDays"] == archive.retention_days
        assert not kept.get("EventPattern")


def test_log_groups_have_the_retention_and_policy_of_the_topology(rendered: Aws) -> None:
    """Each log group keeps its days, and EventBridge may write to it."""
    arns, logs = arns_of(rendered), rendered.client("logs")
    groups = {each["logGroupName"]: each for each in logs.describe_log_groups()["logGroups"]}
    assert {name: each["retentionInDays"] for name, each in groups.items()} == {
        group.name: group.retention_days for group in TOPOLOGY.log_groups
    }
    policies = logs.describe_resource_policies()["resourcePolicies"]
    assert {each["policyName"]: json.loads(each["policyDocument"]) for each in policies} == {
        log_group_policy_name(policy): log_group_policy_document(policy, arns)
        for policy in TOPOLOGY.log_group_policies
    }


def test_tables_have_the_keys_indexes_and_streams_of_the_topology(rendered: Aws) -> None:
    """Keys with their types, indexes with every attribute, and streams of new images."""
    dynamodb = rendered.client("dynamodb")
    for table in TOPOLOGY.tables:
        found = dynamodb.describe_table(TableName=table.name)["Table"]
        types = {
            each["AttributeName"]: each["AttributeType"] for each in found["AttributeDefinitions"]
        }

        def key(schema: Any, types: dict[str, Any] = types) -> list[tuple[str, str, str]]:
            return [
                (each["KeyType"], each["AttributeName"], types[each["AttributeName"]])
                for each in schema
            ]

        def expected(attributes: Any) -> list[tuple[str, str, str]]:
            kinds = ("HASH", "RANGE")
            return [(kind, a.name, a.type) for kind, a in zip(kinds, attributes, strict=False)]

        assert key(found["KeySchema"]) == expected(table.key.attributes)
        assert found["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        assert [
            (index["IndexName"], key(index["KeySchema"]), index["Projection"]["ProjectionType"])
            for index in found.get("GlobalSecondaryIndexes", [])
        ] == [(index.name, expected(index.key.attributes), "ALL") for index in table.indexes]
        stream = found.get("StreamSpecification")
        assert stream == (table.stream and {"StreamEnabled": True, "StreamViewType": table.stream})


def test_running_it_again_changes_nothing(ministack: MiniStack) -> None:
    """The second run finds everything in place and says so."""
    aws = empty_aws(ministack)
    first = provision(aws)
    made = observed(aws)
    assert {change.action for change in first.changes} == {"created"}
    assert str(provision(aws)) == "0 created, 0 updated, 0 removed"
    assert observed(aws) == made


@pytest.mark.parametrize("endpoint", [None, "https://events.eu-west-1.amazonaws.com"])
def test_aws_itself_is_refused(endpoint: str | None) -> None:
    """No call leaves for AWS, whether the endpoint is missing or spelled out."""
    with pytest.raises(NotAnEmulatorError, match="is AWS itself: set AWS_ENDPOINT_URL"):
        provision(Aws(region="eu-west-1", endpoint_url=endpoint))


def test_the_command_names_every_missing_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a region and an endpoint it ends with one message that names both."""
    for name in ("AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Misconfigured) as refusal:
        main()
    told = str(refusal.value)
    assert "AWS_REGION" in told
    assert "AWS_ENDPOINT_URL" in told


def test_the_command_tells_what_it_changed(
    ministack: MiniStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints each change and a summary, and next time only a summary of nothing."""
    monkeypatch.setenv("AWS_REGION", f"test-{uuid4().hex[:8]}")
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack.endpoint)
    assert main() == 0
    assert "created bus stock-event-bus\n" in capsys.readouterr().out
    assert main() == 0
    assert capsys.readouterr().out.startswith("0 created, 0 updated, 0 removed in ")


def test_the_command_says_when_the_emulator_is_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody listening is exit code 1 and a sentence with the address, not a traceback."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert main() == 1
    assert "http://127.0.0.1:1" in capsys.readouterr().err
