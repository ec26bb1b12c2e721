"""What the model says stands on AWS is what the templates of stage dev declare."""

import re
from collections.abc import Iterable
from typing import Any

import pytest

from tests.synthesis import Synthesize
from tests.templates import Resource
from verification.benchmarks.calls.drain import LAMBDA_BATCH_SIZE
from verification.benchmarks.costs import deployment


@pytest.fixture(scope="module")
def resources(synthesized: Synthesize) -> list[Resource]:
    return list(synthesized("dev").resources())


def of(resources: Iterable[Resource], kind: str) -> list[Any]:
    """Properties of the resources of a type."""
    return [each.properties for each in resources if each.type == kind]


def test_tasks_and_functions_are_the_templates(resources: list[Resource]) -> None:
    """As many, of that size, one of each."""
    services = of(resources, "AWS::ECS::Service")
    definitions = of(resources, "AWS::ECS::TaskDefinition")
    assert sorted(each["ServiceName"] for each in services) == sorted(deployment.TASK_NAMES)
    assert {each["DesiredCount"] for each in services} == {1}
    assert {int(each["Cpu"]) / 1024 for each in definitions} == {deployment.TASK_PROCESSORS}
    assert {int(each["Memory"]) / 1024 for each in definitions} == {deployment.TASK_GIGABYTES}
    functions = of(resources, "AWS::Lambda::Function")
    relays = [each for each in functions if "relay.aws_lambda" in str(each.get("ImageConfig"))]
    assert len(relays) == 2 * len(deployment.FUNCTION_NAMES)
    assert {each["MemorySize"] / 1024 for each in relays} == {deployment.FUNCTION_GIGABYTES}


def test_what_is_paid_by_the_hour_or_the_month_is_the_templates(resources: list[Resource]) -> None:
    """One database instance, one NAT instance; keys, secrets, zone, dashboard and metrics."""
    counts = {
        "AWS::DocDB::DBInstance": 1,
        "AWS::EC2::Instance": 1,
        "AWS::EC2::NatGateway": 0,
        "AWS::EC2::EIP": 0,
        "AWS::KMS::Key": deployment.KEY_COUNT,
        "AWS::SecretsManager::Secret": deployment.SECRET_COUNT - 1,  # DocumentDB makes its own
        "AWS::ServiceDiscovery::PrivateDnsNamespace": 1,
        "AWS::CloudWatch::Dashboard": 1,
        "AWS::Logs::MetricFilter": deployment.OUTBOX_COUNT,
        "AWS::EC2::VPCEndpoint": 2,  # of DynamoDB and S3: gateways, which are free
    }
    assert {kind: len(of(resources, kind)) for kind in counts} == counts
    (instance,) = of(resources, "AWS::DocDB::DBInstance")
    assert instance["DBInstanceClass"] == "db.t4g.medium"
    (nat,) = of(resources, "AWS::EC2::Instance")
    assert nat["InstanceType"] == "t4g.nano"
    assert nat["NetworkInterfaces"][0]["AssociatePublicIpAddress"] is True
    (cluster,) = of(resources, "AWS::ECS::Cluster")
    assert cluster["ClusterSettings"] == [{"Name": "containerInsights", "Value": "disabled"}]
    strategies = [each["CapacityProviderStrategy"] for each in of(resources, "AWS::ECS::Service")]
    assert {each["CapacityProvider"] for one in strategies for each in one} == {"FARGATE_SPOT"}


def test_alarms_watch_as_many_metrics(resources: list[Resource]) -> None:
    """One with an expression is billed for each metric in it."""
    watched = 0
    for alarm in of(resources, "AWS::CloudWatch::Alarm"):
        metrics = alarm.get("Metrics", [{"MetricStat": {}}])
        watched += sum("MetricStat" in each for each in metrics)
    assert watched == deployment.alarm_metrics()


def test_lambda_hands_over_batches_of_that_size(resources: list[Resource]) -> None:
    """The counted drain cuts its records as the event source mapping does."""
    mappings = of(resources, "AWS::Lambda::EventSourceMapping")
    assert {each["BatchSize"] for each in mappings} == {LAMBDA_BATCH_SIZE}


def test_functions_sweep_as_often(resources: list[Resource]) -> None:
    """On a schedule in whole minutes."""
    rules = of(resources, "AWS::Events::Rule")
    schedules = {each["ScheduleExpression"] for each in rules if "ScheduleExpression" in each}
    (minutes,) = (int(re.findall(r"rate\((\d+) minutes?\)", each)[0]) for each in schedules)
    assert minutes * deployment.SWEEPS_AN_HOUR == 60
