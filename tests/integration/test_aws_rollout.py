"""A first deployment and every later one: zones, rollback, scaling, costs' tags, protection."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.scaling import scaling_of
from infra.topology import TOPOLOGY, WORKLOADS
from infra.workloads import Consumes, Workload
from runtime.process.command import MISCONFIGURED
from tests.synthesis import NEXT, OF_NEXT, Assembly, Synthesize, context_of, synthesize

SERVICES = [workload for workload in WORKLOADS if not workload.empties]
SCALED = [workload for workload in SERVICES if not scaling_of(workload).is_fixed]
DLQS = {queue.name: queue.redrive.dlq for queue in TOPOLOGY.queues if queue.redrive}

each_service = pytest.mark.parametrize("workload", SERVICES, ids=lambda workload: workload.name)
each_scaled = pytest.mark.parametrize("workload", SCALED, ids=lambda workload: workload.name)
each_stage = pytest.mark.parametrize("stage", ["dev", "prod"])


def properties_of(assembly: Assembly, kind: str) -> Iterator[Mapping[str, Any]]:
    return (each.properties for each in assembly.resources(kind))


def service(assembly: Assembly, name: str) -> Mapping[str, Any]:
    (found,) = (
        each for each in properties_of(assembly, "AWS::ECS::Service") if each["ServiceName"] == name
    )
    return found


def in_paris(**given: Any) -> dict[str, Any]:
    """A context whose stage is in a region where a zone has no VPC link."""
    return {
        **context_of("dev"),
        "stage": "paris",
        "stages": {"paris": {"region": "eu-west-3", **given}},
    }


def test_subnets_are_in_the_zones_that_a_stage_names(synthesized: Synthesize) -> None:
    """By their ids, two for each kind of subnet; a name would be another zone in each account."""
    zones, assembly = OF_NEXT["zones"], synthesized(NEXT)
    subnets = list(properties_of(assembly, "AWS::EC2::Subnet"))
    assert sorted(each["AvailabilityZoneId"] for each in subnets) == sorted(3 * zones)
    assert not any("AvailabilityZone" in each for each in subnets)
    assert assembly.violations == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "stage paris: zones: not every zone of eu-west-3 has an API Gateway VPC link"),
        ({"zones": ["euw3-az2", "euw3-az3"]}, "zones: euw3-az2: no API Gateway VPC link can be"),
    ],
)
def test_zones_without_a_vpc_link_fail_the_synthesis(
    sample_credentials: None, tmp_path: Path, given: dict[str, Any], sentence: str
) -> None:
    """With a sentence that names the setting, and before anything is rendered."""
    assembly = synthesize(tmp_path, in_paris(**given))
    assert assembly.exit_code == MISCONFIGURED
    assert sentence in assembly.output
    assert not (tmp_path / "manifest.json").exists()


@each_stage
@each_service
def test_a_release_that_does_harm_is_rolled_back(
    synthesized: Synthesize, stage: str, workload: Workload
) -> None:
    """By the circuit breaker, and by alarms of its own work, which are there before it."""
    stack = synthesized(stage).stacks[f"streamed-events-{stage}-{workload.domain}"]
    ids = {
        each.properties["AlarmName"]: each.logical_id
        for each in stack.resources("AWS::CloudWatch::Alarm")
    }
    consumed = [use.queue for use in workload.uses if isinstance(use, Consumes)]
    wanted = [
        *([f"{workload.path}-5xx"] if workload.path else []),
        *([f"{workload.name}-oldest-row"] if workload.relays_outbox else []),
        *(f"{queue}-too-old" for queue in consumed),
        *(f"{DLQS[queue]}-not-empty" for queue in consumed),
    ]
    names = {f"streamed-events-{stage}-{name.replace('.', '-')}" for name in wanted}

    configuration = service(synthesized(stage), workload.name)["DeploymentConfiguration"]
    assert {*configuration["Alarms"].pop("AlarmNames")} == names != set()
    assert configuration["Alarms"] == {"Enable": True, "Rollback": True}
    assert configuration["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    (dependencies,) = (
        {*each["DependsOn"]}
        for each in stack.template["Resources"].values()
        if each.get("Properties", {}).get("ServiceName") == workload.name
    )
    assert {ids[name] for name in names} <= dependencies


def test_a_service_that_no_alarm_watches_fails_the_synthesis(
    sample_credentials: None, tmp_path: Path
) -> None:
    """Nothing would roll a release of it back; the sentence says what to do."""
    assembly = synthesize(tmp_path, context_of("dev"), app="tests.unwatched")
    assert assembly.exit_code == MISCONFIGURED
    assert "workload idler: a release of it that fails could not be rolled back" in assembly.output
    assert "infra/aws/alarms.py" in assembly.output


def test_only_a_protected_stage_scales(synthesized: Synthesize) -> None:
    """Each target is tracked by two alarms; dev has one task of each and pays for none."""
    kinds = ("AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ECS::Service")
    assert list(properties_of(synthesized("dev"), kinds[0])) == []
    assert {each["DesiredCount"] for each in properties_of(synthesized("dev"), kinds[1])} == {1}
    targets = list(properties_of(synthesized("prod"), kinds[0]))
    assert len(targets) == len(SCALED) >= 6


@each_scaled
def test_apis_and_consumers_scale_as_the_table_says(
    synthesized: Synthesize, workload: Workload
) -> None:
    """From the least to the most tasks; a deployment leaves their number as it is."""
    stack = synthesized("prod").stacks[f"streamed-events-prod-{workload.domain}"]
    scaling = scaling_of(workload)
    (target,) = (
        each
        for each in stack.resources("AWS::ApplicationAutoScaling::ScalableTarget")
        if _tag(each.properties, "service") == workload.name
    )
    policies = [
        each.properties["TargetTrackingScalingPolicyConfiguration"]
        for each in stack.resources("AWS::ApplicationAutoScaling::ScalingPolicy")
        if each.properties["ScalingTargetId"] == f"${{{target.logical_id}}}"
    ]
    assert target.properties["MinCapacity"] == scaling.least
    assert target.properties["MaxCapacity"] == scaling.most
    assert "DesiredCount" not in service(synthesized("prod"), workload.name)
    wanted = (scaling.processor, (scaling.requests or 0) * 60, scaling.backlog)
    assert sorted(each["TargetValue"] for each in policies) == sorted(filter(None, wanted))
    assert {(each["ScaleOutCooldown"], each["ScaleInCooldown"]) for each in policies} == {(60, 300)}


@each_scaled
def test_work_is_divided_by_the_tasks_that_run(synthesized: Synthesize, workload: Workload) -> None:
    """An API's requests, or all of a consumer's queues, by measurements without Insights."""
    (metrics,) = (
        each["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]["Metrics"]
        for each in properties_of(synthesized("prod"), "AWS::ApplicationAutoScaling::ScalingPolicy")
        if workload.name in json.dumps(each) and "Customized" in json.dumps(each)
    )
    *work, tasks, each_task = metrics
    stat, metric = tasks["MetricStat"]["Stat"], tasks["MetricStat"]["Metric"]
    assert (metric["Namespace"], metric["MetricName"], stat) == (
        "AWS/ECS",
        "CPUUtilization",
        "SampleCount",
    )
    measured = [each["MetricStat"]["Metric"] for each in work]
    if workload.path:
        assert [each["MetricName"] for each in measured] == ["Count"]
    else:
        assert [each["Dimensions"][0]["Value"] for each in measured] == [
            use.queue for use in workload.uses if isinstance(use, Consumes)
        ]
        assert {each["MetricName"] for each in measured} == {"ApproximateNumberOfMessagesVisible"}
    names = [each["Id"] for each in work]
    total = " + ".join(f"FILL({name}, 0)" for name in names)
    assert each_task["Expression"] == f"({total}) / {tasks['Id']}"
    assert [each["ReturnData"] for each in metrics] == [*(False for _ in metrics[1:]), True]


def test_relays_do_not_scale(synthesized: Synthesize) -> None:
    """One reader of a change stream; of a shard one batch at a time, of a sweep one."""
    targets = json.dumps(
        list(properties_of(synthesized("prod"), "AWS::ApplicationAutoScaling::ScalableTarget"))
    )
    assert [each.name for each in WORKLOADS if each.is_relay and f'"{each.name}"' in targets] == []
    assert service(synthesized("prod"), "payments-change-stream")["DesiredCount"] == 1
    assert service(synthesized("prod"), "payments-forward")["DesiredCount"] == 2
    for mapping in properties_of(synthesized("prod"), "AWS::Lambda::EventSourceMapping"):
        assert "ParallelizationFactor" not in mapping


def test_relays_have_concurrency_of_their_own_where_the_stage_says_so(
    synthesized: Synthesize,
) -> None:
    """A new account has too little for it, so a stage that says nothing reserves none."""
    reserved = {
        stage: {
            each["FunctionName"]: each.get("ReservedConcurrentExecutions")
            for each in properties_of(synthesized(stage), "AWS::Lambda::Function")
        }
        for stage in ("dev", "prod")
    }
    assert {*reserved["dev"].values()} == {None}
    assert reserved["prod"] == {
        "subscriptions-relay": 10,
        "subscriptions-sweep": 1,
        "stock-relay": 10,
        "stock-sweep": 1,
        "payments-provision": None,
    }


@each_stage
def test_costs_are_booked_by_stage_domain_and_service(synthesized: Synthesize, stage: str) -> None:
    """Stacks carry the first two; what a process is made of carries its name, its tasks too."""
    assembly = synthesized(stage)
    for stack in assembly.stacks.values():
        assert stack.tags == {
            "system": "streamed-events",
            "stage": stage,
            "domain": stack.tags["domain"],
        }
    domains = {domain.name for domain in TOPOLOGY.domains}
    assert {stack.tags["domain"] for stack in assembly.stacks.values()} == {*domains, "shared"}
    tagged = {
        kind: {_tag(each, "service") for each in properties_of(assembly, kind)}
        for kind in ("AWS::ECS::Service", "AWS::ApiGatewayV2::Api", "AWS::Lambda::Function")
    }
    assert tagged["AWS::ECS::Service"] == {each.name for each in SERVICES}
    assert tagged["AWS::ApiGatewayV2::Api"] == {each.name for each in SERVICES if each.path}
    assert tagged["AWS::Lambda::Function"] >= {each.name for each in WORKLOADS if each.empties}
    for each in properties_of(assembly, "AWS::ECS::Service"):
        assert each["PropagateTags"] == "SERVICE"


@each_stage
def test_the_stacks_of_a_protected_stage_are_not_deleted_by_mistake(
    synthesized: Synthesize, stage: str
) -> None:
    """All of them refuse it; those of dev go at once."""
    protected = {stack.termination_protection for stack in synthesized(stage).stacks.values()}
    assert protected == {stage == "prod"}


@each_stage
def test_nothing_is_open_to_everybody(synthesized: Synthesize, stage: str) -> None:
    """There is no bucket, and no statement that allows something has `*` for a principal."""
    assert list(synthesized(stage).resources("AWS::S3::Bucket")) == []
    statements = [
        statement
        for each in synthesized(stage).resources()
        for statement in _statements(each.properties)
        if statement.get("Effect") == "Allow" and "Principal" in statement
    ]
    assert len(statements) > len(TOPOLOGY.queue_policies)
    for statement in statements:
        principal = statement["Principal"]
        assert principal != "*"
        assert "*" not in (principal.values() if isinstance(principal, dict) else ())


def _tag(properties: Mapping[str, Any], key: str) -> str | None:
    """Of a resource, whose tags are a list in some types and an object in others."""
    tags = properties.get("Tags", ())
    if isinstance(tags, Mapping):
        return tags.get(key)
    return next((each["Value"] for each in tags if each["Key"] == key), None)


def _statements(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every statement of every policy within, but for those that are written as text."""
    if isinstance(value, Mapping):
        if "Effect" in value:
            yield value
        for each in value.values():
            yield from _statements(each)
    elif isinstance(value, list):
        for each in value:
            yield from _statements(each)
