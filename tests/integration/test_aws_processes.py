"""How the processes run on AWS: services, functions, and the doors in front of them."""

from typing import Any

import pytest

from infra.topology import WORKLOADS
from runtime.signatures import secrets_of
from tests.synthesis import Synthesize

SERVICES = [workload for workload in WORKLOADS if not workload.empties]
RELAYS = [workload for workload in WORKLOADS if workload.empties]


def test_every_process_is_a_service_or_two_functions(synthesized: Synthesize) -> None:
    """The table of workloads is what runs: a DynamoDB relay as functions, the rest as services."""
    services = {
        one.properties["ServiceName"] for one in synthesized("dev").resources("AWS::ECS::Service")
    }
    functions = {
        one.properties["FunctionName"]
        for one in synthesized("dev").resources("AWS::Lambda::Function")
    }

    assert services == {workload.name for workload in SERVICES}
    assert functions == {"subscriptions-relay", "subscriptions-sweep", "stock-relay", "stock-sweep"}


@pytest.mark.parametrize("workload", SERVICES, ids=lambda workload: workload.name)
def test_a_task_runs_the_command_of_its_workload(synthesized: Synthesize, workload: Any) -> None:
    """With its settings, nothing it could write to, and secrets only where a database is."""
    container = _containers(synthesized, workload.name)[workload.name]

    environment = {each["Name"]: each["Value"] for each in container["Environment"]}
    assert container["Command"] == list(workload.command)
    assert environment.items() >= workload.settings.items()
    assert environment["AWS_REGION"] == "eu-west-1"
    assert container["ReadonlyRootFilesystem"] is True
    assert container["LinuxParameters"]["InitProcessEnabled"] is True
    assert container["HealthCheck"]["Command"] == [
        "CMD",
        "python",
        "-m",
        "runtime.probe",
        "8000/healthz",
    ]
    secrets = {each["Name"] for each in container.get("Secrets", [])}
    wanted = {"MONGODB_USERNAME", "MONGODB_PASSWORD"} if workload.uses_documents else set()
    assert secrets == wanted | ({"WEBHOOK_SECRETS"} if workload.webhook else set())


@pytest.mark.parametrize(
    "name", [workload.name for workload in SERVICES if workload.uses_documents]
)
def test_collections_are_made_before_a_process_uses_them(
    synthesized: Synthesize, name: str
) -> None:
    """A container that ends comes first, with TLS and the same credentials."""
    containers = _containers(synthesized, name)

    assert containers["provision"]["Command"] == ["infra.documentdb"]
    assert containers["provision"]["Essential"] is False
    assert containers[name]["DependsOn"] == [{"Condition": "SUCCESS", "ContainerName": "provision"}]
    for container in containers.values():
        environment = {each["Name"]: each["Value"] for each in container["Environment"]}
        assert environment["MONGODB_URI"].endswith(
            "/?tls=true&tlsCAFile=/etc/ssl/rds/global-bundle.pem&replicaSet=rs0&retryWrites=false"
        )


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_a_service_waits_for_its_database(synthesized: Synthesize, stage: str) -> None:
    """For every instance, and for the port to be open: else its first tasks fail, and with them
    the deployment.
    """
    stack = synthesized(stage).stacks[f"streamed-events-{stage}-payments"]
    resources = stack.template["Resources"]
    instances = {one.logical_id for one in stack.resources("AWS::DocDB::DBInstance")}
    ports = {
        one.logical_id
        for one in stack.resources("AWS::EC2::SecurityGroupIngress")
        if "Documents" in one.logical_id
    }
    assert instances
    assert len(ports) == 3
    for workload in SERVICES:
        if workload.uses_documents:
            (service,) = [
                resource
                for resource in resources.values()
                if resource["Type"] == "AWS::ECS::Service"
                and resource["Properties"]["ServiceName"] == workload.name
            ]
            waits_for = set(service["DependsOn"])
            assert instances <= waits_for
            assert waits_for & ports


def test_of_an_outboxs_relay_there_is_never_a_second_one(synthesized: Synthesize) -> None:
    """While it is deployed the old one stops first, in a protected stage too."""
    for stage in ("dev", "prod"):
        (service,) = [
            one.properties
            for one in synthesized(stage).resources("AWS::ECS::Service")
            if one.properties["ServiceName"] == "payments-change-stream"
        ]
        assert service["DesiredCount"] == 1
        assert service["DeploymentConfiguration"]["MaximumPercent"] == 100
        assert service["DeploymentConfiguration"]["MinimumHealthyPercent"] == 0


def test_a_protected_stage_runs_two_of_what_may_run_twice(synthesized: Synthesize) -> None:
    """So that the loss of a zone or a task is not an outage."""
    counts = {
        one.properties["ServiceName"]: one.properties["DesiredCount"]
        for one in synthesized("prod").resources("AWS::ECS::Service")
    }

    assert counts == {workload.name: 1 if workload.relays_outbox else 2 for workload in SERVICES}


@pytest.mark.parametrize("workload", RELAYS, ids=lambda workload: workload.name)
def test_a_relays_mapping_holds_its_place_and_gives_up_into_its_own_queue(
    synthesized: Synthesize, workload: Any
) -> None:
    """It reads only insertions, from the first on, and its last resort is the relay's own queue."""
    stack = synthesized("dev").stacks[f"streamed-events-dev-{workload.domain}"]
    (mapping,) = stack.resources("AWS::Lambda::EventSourceMapping")

    expected = workload.settings["DEAD_LETTER_QUEUE"]
    assert mapping.properties == {
        "BatchSize": 100,
        "BisectBatchOnFunctionError": True,
        "DestinationConfig": {
            "OnFailure": {"Destination": f"arn:aws:sqs:eu-west-1:000000000000:{expected}"}
        },
        "EventSourceArn": mapping.properties["EventSourceArn"],
        "FilterCriteria": {"Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]},
        "FunctionName": mapping.properties["FunctionName"],
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "MaximumRetryAttempts": 10,
        "StartingPosition": "TRIM_HORIZON",
    }
    assert mapping.properties["EventSourceArn"].endswith(".StreamArn}")


@pytest.mark.parametrize("workload", RELAYS, ids=lambda workload: workload.name)
def test_a_relays_functions_run_the_one_image(synthesized: Synthesize, workload: Any) -> None:
    """One handler follows the stream; the other sweeps every minute, and is never run again."""
    stack = synthesized("dev").stacks[f"streamed-events-dev-{workload.domain}"]
    functions = {
        one.properties["FunctionName"]: one.properties
        for one in stack.resources("AWS::Lambda::Function")
    }
    sweep = workload.name.replace("-relay", "-sweep")

    for name, handler in ((workload.name, "publish"), (sweep, "sweep")):
        assert functions[name]["PackageType"] == "Image"
        assert functions[name]["ImageConfig"]["Command"] == [
            "awslambdaric",
            f"relay.aws_lambda.{handler}",
        ]
        assert functions[name]["Environment"]["Variables"] == workload.settings
    (asynchronous,) = stack.resources("AWS::Lambda::EventInvokeConfig")
    assert asynchronous.properties["MaximumRetryAttempts"] == 0
    assert asynchronous.properties["MaximumEventAgeInSeconds"] == 60
    schedules = [
        rule.properties["ScheduleExpression"]
        for rule in stack.resources("AWS::Events::Rule")
        if "ScheduleExpression" in rule.properties
    ]
    assert schedules == ["rate(1 minute)"]


def test_the_webhooks_secret_is_one_that_the_service_takes(synthesized: Synthesize) -> None:
    """Random until the bank's is put there, and encrypted with the domain's own key."""
    stack = synthesized("dev").stacks["streamed-events-dev-payments"]
    (secret,) = [
        one.properties
        for one in stack.resources("AWS::SecretsManager::Secret")
        if "WEBHOOK_SECRETS" in one.properties["Description"]
    ]
    assert secret["KmsKeyId"]
    generated = secret["GenerateSecretString"]
    assert generated == {"ExcludePunctuation": True, "PasswordLength": 32}
    assert secrets_of("aZ09" * (generated["PasswordLength"] // 4))


def test_no_task_has_a_public_address(synthesized: Synthesize) -> None:
    """Services leave by the NAT gateway and are entered by the VPC link."""
    services = list(synthesized("dev").resources("AWS::ECS::Service"))
    assert len(services) == len(SERVICES)
    for service in services:
        network = service.properties["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert network["AssignPublicIp"] == "DISABLED"
    for subnet in synthesized("dev").resources("AWS::EC2::Subnet"):
        assert subnet.properties["MapPublicIpOnLaunch"] is False


def _containers(synthesized: Synthesize, name: str) -> dict[str, dict[str, Any]]:
    """The containers of a process's task, by name."""
    (definition,) = [
        one.properties
        for one in synthesized("dev").resources("AWS::ECS::TaskDefinition")
        if one.properties["Family"] == f"streamed-events-dev-{name}"
    ]
    return {each["Name"]: each for each in definition["ContainerDefinitions"]}
