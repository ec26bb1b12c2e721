"""A stage on Custom Event Buses, as it is synthesized: nothing of it was deployed yet."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.custom_buses import on_custom_buses
from infra.resources import ToBus
from infra.topology import TOPOLOGY
from tests.service_models import faults
from tests.synthesis import NEXT, Assembly, Synthesize
from tests.templates import Stack

CUSTOM = on_custom_buses(TOPOLOGY)
BUS_ARN = "arn:aws:events:eu-west-1:000000000000:event-busv2/{name}/abcdefghijklmnopqrstuvwxy"
ROLE_ARN = "arn:aws:iam::000000000000:role/delivery"


@pytest.fixture(scope="module")
def assembly(synthesized: Synthesize) -> Assembly:
    return synthesized(NEXT)


def bus_of(imported: Any) -> str:
    """The name of the bus whose ARN a template imports from the shared stack."""
    export = imported["Fn::ImportValue"]
    (name,) = (
        bus.name
        for bus in CUSTOM.buses
        if f"custom{bus.name.replace('-', '')}EventBusArn" in export
    )
    return name


def subscribers(assembly: Assembly) -> Iterator[tuple[Stack, str, Mapping[str, Any]]]:
    """Each with its stack and the name of its bus."""
    for stack in assembly.stacks.values():
        for each in stack.resources("AWS::EventsV2::Subscriber"):
            yield stack, bus_of(each.properties["EventBusArn"]), each.properties


def statements(stack: Stack, role: str) -> Iterator[Mapping[str, Any]]:
    """What a role's own policies allow, by a part of its logical id."""
    for policy in stack.resources("AWS::IAM::Policy"):
        if role in policy.logical_id:
            yield from policy.properties["PolicyDocument"]["Statement"]


def test_cdk_nag_has_no_finding(assembly: Assembly) -> None:
    """As for the stages of cdk.json."""
    assert assembly.exit_code == 0, assembly.output
    assert assembly.violations == []


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_a_stage_on_classic_has_none_of_it(synthesized: Synthesize, stage: str) -> None:
    """The default does not know that there is another kind."""
    for stack in synthesized(stage).stacks.values():
        assert "EventsV2" not in json.dumps(stack.template)
        assert "event-busv2" not in json.dumps(stack.template)
        assert "EVENT_BUS_KIND" not in json.dumps(stack.template)


def test_every_bus_fits_the_services_model(assembly: Assembly) -> None:
    """CloudFormation's properties are the API's parameters, by the same names."""
    made = {
        each.properties["Name"]: each.properties
        for each in assembly.resources("AWS::EventsV2::EventBus")
    }
    assert {
        name: bus["StorageConfiguration"]["RetentionPeriodInDays"] for name, bus in made.items()
    } == {bus.name: bus.retention_days for bus in CUSTOM.buses}
    for bus in made.values():
        assert ":key/${Key" in bus["EncryptionConfiguration"]["KmsKeyIdentifier"]
        key = {"KmsKeyIdentifier": "arn:aws:kms:eu-west-1:000000000000:key/k"}
        request = {**bus, "EncryptionConfiguration": key}
        assert faults("eventbridgev2", "CreateEventBus", request) == []


def test_a_protected_stages_buses_outlive_their_stack(assembly: Assembly) -> None:
    """They hold what archives hold elsewhere."""
    buses = [
        resource
        for stack in assembly.stacks.values()
        for resource in stack.template["Resources"].values()
        if resource["Type"] == "AWS::EventsV2::EventBus"
    ]
    assert [bus["DeletionPolicy"] for bus in buses] == ["RetainExceptOnCreate"] * len(CUSTOM.buses)


def test_every_subscriber_fits_the_services_model(assembly: Assembly) -> None:
    """And is the one that the topology says: bus, pattern, target, dead-letter queue."""
    found = {}
    for _, bus, properties in subscribers(assembly):
        invoke = {**properties["InvokeConfiguration"], "RoleArn": ROLE_ARN}
        request = {
            **properties,
            "EventBusArn": BUS_ARN.format(name=bus),
            "InvokeConfiguration": invoke,
        }
        assert faults("eventbridgev2", "CreateSubscriber", request) == []
        filters = properties.get("FilterConfiguration", {}).get("Filters", [{"Pattern": "{}"}])
        (pattern,) = (json.loads(each["Pattern"]) for each in filters)
        target = invoke["TargetArn"].rpartition(":")[2].removeprefix("event-bus/")
        dlq = properties["OnFailureConfiguration"]["Arn"].rpartition(":")[2]
        found[properties["Name"]] = bus, pattern, target, dlq
    assert found == {
        each.name: (
            each.bus,
            {} if isinstance(each.target, ToBus) else each.pattern.as_json(),
            each.target.bus if isinstance(each.target, ToBus) else each.target.queue,
            each.dlq,
        )
        for each in CUSTOM.subscribers
    }


def test_retries_are_those_of_a_rule(assembly: Assembly) -> None:
    """A subscriber's own defaults would dead-letter what a target cannot take for five minutes."""
    for _, _, properties in subscribers(assembly):
        assert properties["RetryPolicy"] == {
            "MaxEventAgeInSeconds": 24 * 3600,
            "MaxRetryAttempts": 185,
        }


def test_a_new_subscriber_reads_what_the_bus_retains(assembly: Assembly) -> None:
    """Domains' stacks are made one after the other, and the first publishes before the last."""
    for _, _, properties in subscribers(assembly):
        assert properties["StartingPosition"] == "POINT_IN_TIME"
        assert properties["PointInTimeConfiguration"] == {"PointType": "HORIZON"}
        assert properties["Type"] == "UNORDERED"


def test_subscribers_of_one_bus_are_made_one_after_the_other(assembly: Assembly) -> None:
    """AWS refuses a second one meanwhile, whichever account asks."""
    for stack in assembly.stacks.values():
        template = stack.template["Resources"]
        before: dict[str, str] = {}
        for name, resource in template.items():
            if resource["Type"] == "AWS::EventsV2::Subscriber":
                bus = bus_of(resource["Properties"]["EventBusArn"])
                if bus in before:
                    assert before[bus] in resource["DependsOn"]
                before[bus] = name


def test_a_delivery_role_may_deliver_and_dead_letter_and_no_more(assembly: Assembly) -> None:
    """By the names of the queue, the bus and the key."""
    for stack, _, properties in subscribers(assembly):
        role_id = properties["InvokeConfiguration"]["RoleArn"]
        (role,) = (
            each.properties
            for each in stack.resources("AWS::IAM::Role")
            if each.logical_id in str(role_id)
        )
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "events.amazonaws.com"}
        (policy,) = role["Policies"]
        target = properties["InvokeConfiguration"]["TargetArn"]
        dlq = properties["OnFailureConfiguration"]["Arn"]
        *puts, sends, uses_key = policy["PolicyDocument"]["Statement"]
        if ":event-bus/" in target:
            assert [(each["Action"], each["Resource"]) for each in puts] == [
                ("events:PutEvents", target)
            ]
            assert sends["Resource"] == [dlq]
        else:
            assert puts == []
            assert sends["Resource"] == [target, dlq]
        assert sends["Action"] == "sqs:SendMessage"
        assert uses_key["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
        assert ":key/${Key" in uses_key["Resource"]


RELAYS = {
    "subscriptions": ("subscriptionsrelay", "subscriptions-event-bus"),
    "stock": ("stockrelay", "stock-event-bus"),
    "payments": ("paymentsforward", "payments-event-bus"),
}


@pytest.mark.parametrize("domain", RELAYS)
def test_what_publishes_knows_its_bus_and_may_publish_on_it_alone(
    assembly: Assembly, domain: str
) -> None:
    """By its ARN; and may decrypt with the bus's key through EventBridge, as PutEvents asks."""
    process, bus = RELAYS[domain]
    stack = assembly.stacks[f"streamed-events-{NEXT}-{domain}"]
    environments = [
        dict(each.properties["Environment"]["Variables"])
        for each in stack.resources("AWS::Lambda::Function")
        if "EVENT_BUS" in json.dumps(each.properties)
    ] + [
        {each["Name"]: each["Value"] for each in container["Environment"]}
        for definition in stack.resources("AWS::ECS::TaskDefinition")
        for container in definition.properties["ContainerDefinitions"]
        if "EVENT_BUS" in json.dumps(container)
    ]
    assert len(environments) == (1 if domain == "payments" else 2)
    for environment in environments:
        assert environment["EVENT_BUS_KIND"] == "custom"
        assert bus_of(environment["EVENT_BUS"]) == bus
    allowed = list(statements(stack, process))
    publishing = [each for each in allowed if "events:PutEvents" in each["Action"]]
    decrypting = [each for each in allowed if each["Action"] == "kms:Decrypt"]
    assert len(publishing) == len(decrypting) == len(environments)
    for statement in publishing:
        assert bus_of(statement["Resource"]) == bus
        assert statement["Action"] == ["events:DescribeEventBus", "events:PutEvents"]
    for statement in decrypting:
        equals = statement["Condition"]["StringEquals"]
        assert equals["kms:ViaService"] == "events.eu-west-1.amazonaws.com"
        assert bus_of(equals["kms:EncryptionContext:aws:events:event-busv2:arn"]) == bus


def test_eventbridge_may_use_the_buses_key_for_these_buses_alone(assembly: Assembly) -> None:
    """By the encryption context, in which the bus's id is not known yet."""
    shared = assembly.stacks[f"streamed-events-{NEXT}-shared"]
    (key,) = shared.resources("AWS::KMS::Key")
    (statement,) = (
        each
        for each in key.properties["KeyPolicy"]["Statement"]
        if each.get("Sid") == "CustomEventBusesMayEncrypt"
    )
    like = statement["Condition"]["StringLike"]["kms:EncryptionContext:aws:events:event-busv2:arn"]
    assert like == [
        f"arn:aws:events:eu-west-1:000000000000:event-busv2/{bus.name}/*" for bus in CUSTOM.buses
    ]


def test_each_subscriber_has_an_alarm_for_what_it_loses(assembly: Assembly) -> None:
    """A record that cannot be written is the only trace of an event that was not delivered."""
    alarmed = {
        dimension["Value"]
        for alarm in assembly.resources("AWS::CloudWatch::Alarm")
        for metric in alarm.properties.get("Metrics", ())
        if metric.get("MetricStat", {}).get("Metric", {}).get("MetricName")
        == "OnFailureDestinationFailed"
        for dimension in metric["MetricStat"]["Metric"]["Dimensions"]
        if dimension["Name"] == "Subscriber"
    }
    assert len(alarmed) == len(CUSTOM.subscribers)


def test_what_is_left_of_rules_and_archives_is_what_stays_on_classic(assembly: Assembly) -> None:
    """Log groups, and the way of an erasure."""
    rules = {
        each.properties["Name"]
        for each in assembly.resources("AWS::Events::Rule")
        if "EventPattern" in each.properties
    }
    assert rules == {rule.name for rule in CUSTOM.classic.rules}
    archives = {
        each.properties["ArchiveName"] for each in assembly.resources("AWS::Events::Archive")
    }
    assert archives == {"subscriptions-erasures-archive"}
