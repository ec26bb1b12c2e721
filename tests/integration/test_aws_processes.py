"""How the processes run on AWS: services, functions, and the doors in front of them."""

from collections import Counter
from typing import Any

import pytest

from infra.documentdb_quotas import QUOTAS
from infra.scaling import scaling_of
from infra.topology import WORKLOADS
from runtime.http.app import API_STOP_SECONDS
from runtime.process.worker import STOP_WITHIN
from runtime.signatures import secrets_of
from tests.synthesis import Synthesize
from tests.templates import Resource, Stack

SERVICES = [workload for workload in WORKLOADS if not workload.empties]
ANSWERS_TO = "/?tls=true&tlsCAFile=/etc/ssl/rds/global-bundle.pem&replicaSet=rs0&retryWrites=false"

MOST_TASKS = {workload.name: scaling_of(workload).most for workload in SERVICES}

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
    relays = {"subscriptions-relay", "subscriptions-sweep", "stock-relay", "stock-sweep"}
    assert functions == {*relays, "payments-provision"}


@pytest.mark.parametrize("workload", SERVICES, ids=lambda workload: workload.name)
def test_a_task_runs_the_command_of_its_workload(synthesized: Synthesize, workload: Any) -> None:
    """With its settings, nothing it could write to, and no password: its role is who it is."""
    (container,) = _containers(synthesized, workload.name)

    environment = {each["Name"]: each["Value"] for each in container["Environment"]}
    assert container["Command"] == list(workload.command)
    assert environment.keys() >= workload.settings.keys()
    named = {each: value for each, value in workload.settings.items() if each != "SEALING_KEY"}
    assert environment.items() >= named.items()  # the key: test_aws_sealing.py
    assert environment["AWS_REGION"] == "eu-west-1"
    assert container["ReadonlyRootFilesystem"] is True
    assert container["LinuxParameters"]["InitProcessEnabled"] is True
    assert container["HealthCheck"]["Command"] == [
        "CMD",
        "python",
        "-m",
        "runtime.probe",
        "8000/startupz",
    ]
    # It drains, then finishes what it has begun, and is killed only after that.
    drains = int(environment.get("HTTP_DRAIN_SECONDS", "0"))
    assert (drains > 0) == bool(workload.path)
    assert container["StopTimeout"] >= drains + max(API_STOP_SECONDS, STOP_WITHIN) + 5
    secrets = {each["Name"] for each in container.get("Secrets", [])}
    assert secrets == ({"WEBHOOK_SECRETS"} if workload.webhook else set())
    assert not {"MONGODB_USERNAME", "MONGODB_PASSWORD"} & environment.keys()
    if workload.uses_documents:
        assert environment["MONGODB_URI"].endswith(
            f"{ANSWERS_TO}&authMechanism=MONGODB-AWS&authSource=%24external"
        )


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_provisioner_knows_the_role_of_each_process(
    synthesized: Synthesize, stage: str
) -> None:
    """Each that uses DocumentDB has a user there: the IAM role that its task runs in."""
    stack = synthesized(stage).stacks[f"streamed-events-{stage}-payments"]
    (made,) = stack.resources("Custom::DocumentDB")
    roles = {
        one.properties["Family"].removeprefix(f"streamed-events-{stage}-"): one.properties[
            "TaskRoleArn"
        ]
        for one in stack.resources("AWS::ECS::TaskDefinition")
    }

    assert made.properties["Users"] == {
        workload.name: roles[workload.name] for workload in SERVICES if workload.uses_documents
    }
    assert made.properties["Cluster"] == f"streamed-events-{stage}-payments"
    assert len(set(made.properties["Users"].values())) == 3
    assert made.properties["ServiceToken"] == f"${{{_provisioner(stack).logical_id}.Arn}}"


def test_a_new_image_provisions_again(synthesized: Synthesize) -> None:
    """CloudFormation calls a function once more when its properties have changed."""
    stack = synthesized("dev").stacks["streamed-events-dev-payments"]
    (made,) = stack.resources("Custom::DocumentDB")
    function = _provisioner(stack).properties

    assert function["Code"]["ImageUri"].endswith(f":{made.properties['Image']}")
    assert function["ImageConfig"]["Command"] == [
        "awslambdaric",
        "infra.documentdb_function.handle",
    ]
    assert function["Environment"]["Variables"].keys() == {
        "MONGODB_DATABASE",
        "MONGODB_URI",
    }
    assert function["Environment"]["Variables"]["MONGODB_URI"].endswith(ANSWERS_TO)
    assert int(made.properties["ServiceTimeout"]) > function["Timeout"]


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_a_service_waits_for_its_database(synthesized: Synthesize, stage: str) -> None:
    """For every instance, for the port to be open and for its user: else its first tasks fail, and
    with them the deployment. The provisioner waits likewise, but for the user.
    """
    stack = synthesized(stage).stacks[f"streamed-events-{stage}-payments"]
    resources = stack.template["Resources"]
    instances = {one.logical_id for one in stack.resources("AWS::DocDB::DBInstance")}
    ports = {
        one.logical_id
        for one in stack.resources("AWS::EC2::SecurityGroupIngress")
        if "Documents" in one.logical_id
    }
    (made,) = [one.logical_id for one in stack.resources("Custom::DocumentDB")]
    assert instances
    assert len(ports) == 4
    assert instances | ports <= set(resources[made]["DependsOn"])
    for workload in SERVICES:
        if workload.uses_documents:
            (service,) = [
                resource
                for resource in resources.values()
                if resource["Type"] == "AWS::ECS::Service"
                and resource["Properties"]["ServiceName"] == workload.name
            ]
            waits_for = set(service["DependsOn"])
            assert instances | {made} <= waits_for
            assert waits_for & ports


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_all_tasks_together_are_within_documentdbs_quotas(
    synthesized: Synthesize, stage: str
) -> None:
    """As many as autoscaling may want, doubled by a deployment; and the provisioner's call."""
    assembly = synthesized(stage)
    classes = {
        one.properties["DBInstanceClass"] for one in assembly.resources("AWS::DocDB::DBInstance")
    }
    quotas = QUOTAS[classes.pop()]
    assert not classes
    environments = {
        one.properties["ContainerDefinitions"][0]["Name"]: {
            each["Name"]: each["Value"]
            for each in one.properties["ContainerDefinitions"][0]["Environment"]
        }
        for one in assembly.resources("AWS::ECS::TaskDefinition")
    }
    opened = Counter[str]()
    for service in assembly.resources("AWS::ECS::Service"):
        environment = environments[service.properties["ServiceName"]]
        most = service.properties["DeploymentConfiguration"]["MaximumPercent"]
        # What scales has no number of its own: infra/scaling.py has the most of it.
        name = service.properties["ServiceName"]
        tasks = service.properties.get("DesiredCount", MOST_TASKS[name]) * most // 100
        for what in ("TRANSACTIONS", "CURSORS", "CONNECTIONS"):
            opened[what] += tasks * int(environment.get(f"MONGODB_MAX_{what}", 0))
    assert 0 < opened["TRANSACTIONS"] <= quotas.transactions
    assert 0 < opened["CURSORS"] < quotas.cursors
    assert 0 < opened["CONNECTIONS"] < quotas.active_connections


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
        "MaximumRecordAgeInSeconds": 120,
        "MaximumRetryAttempts": 10,
        "StartingPosition": "TRIM_HORIZON",
        "Tags": [{"Key": "service", "Value": workload.name}],
    }
    assert mapping.properties["EventSourceArn"].endswith(".StreamArn}")


@pytest.mark.parametrize("workload", RELAYS, ids=lambda workload: workload.name)
def test_a_relays_functions_run_the_one_image(synthesized: Synthesize, workload: Any) -> None:
    """One handler follows the stream; the other sweeps every four minutes, and never again."""
    stack = synthesized("dev").stacks[f"streamed-events-dev-{workload.domain}"]
    functions = {
        one.properties["FunctionName"]: one.properties
        for one in stack.resources("AWS::Lambda::Function")
    }
    sweep = workload.name.replace("-relay", "-sweep")

    quiet = {"LOG_LEVEL": "WARNING"}
    for name, handler, more in ((workload.name, "publish", quiet), (sweep, "sweep", {})):
        assert functions[name]["PackageType"] == "Image"
        assert functions[name]["ImageConfig"]["Command"] == [
            "awslambdaric",
            f"relay.aws_lambda.{handler}",
        ]
        # The sweep leaves what `publish` may still be at: records of two minutes, for four more.
        added = {"SWEEP_MIN_AGE_SECONDS": "360"} if handler == "sweep" else {}
        variables = {**workload.settings, **more, **added}
        assert functions[name]["Environment"]["Variables"] == variables
        assert functions[name]["Timeout"] == (240 if handler == "publish" else 230)
    (asynchronous,) = stack.resources("AWS::Lambda::EventInvokeConfig")
    assert asynchronous.properties["MaximumRetryAttempts"] == 0
    assert asynchronous.properties["MaximumEventAgeInSeconds"] == 240
    schedules = [
        rule.properties["ScheduleExpression"]
        for rule in stack.resources("AWS::Events::Rule")
        if "ScheduleExpression" in rule.properties
    ]
    assert schedules == ["rate(4 minutes)"]


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


def test_a_stage_of_low_cost_runs_on_spot_and_a_protected_one_does_not(
    synthesized: Synthesize,
) -> None:
    """AWS may take Spot's tasks back with two minutes' notice: every process stops within ten s."""
    spot = [{"CapacityProvider": "FARGATE_SPOT", "Weight": 1}]
    for service in synthesized("dev").resources("AWS::ECS::Service"):
        assert service.properties["CapacityProviderStrategy"] == spot
        assert "LaunchType" not in service.properties
    for service in synthesized("prod").resources("AWS::ECS::Service"):
        assert service.properties["LaunchType"] == "FARGATE"


def test_a_nat_instance_lets_the_network_out_and_nothing_in(synthesized: Synthesize) -> None:
    """One in place of a gateway: disks are encrypted, metadata needs a token, no port is open."""
    (stack,) = (
        each for name, each in synthesized("dev").stacks.items() if name.endswith("-shared")
    )
    (instance,) = stack.resources("AWS::EC2::Instance")
    (disk,) = instance.properties["BlockDeviceMappings"]
    assert disk["Ebs"]["Encrypted"] is True
    assert instance.properties["MetadataOptions"] == {"HttpTokens": "required"}
    assert instance.properties["SourceDestCheck"] is False
    (group,) = (
        each
        for each in stack.resources("AWS::EC2::SecurityGroup")
        if "NAT" in each.properties["GroupDescription"]
    )
    (rule,) = group.properties["SecurityGroupIngress"]
    assert "CidrBlock" in str(rule["CidrIp"])
    assert not list(synthesized("dev").resources("AWS::EC2::NatGateway"))


def test_functions_log_without_lambdas_own_lines(synthesized: Synthesize) -> None:
    """What our code logs stays: the oldest row's metric is made of its lines at INFO."""
    for function in synthesized("dev").resources("AWS::Lambda::Function"):
        logging = function.properties["LoggingConfig"]
        assert logging["LogFormat"] == "JSON"
        assert logging["SystemLogLevel"] == "WARN"
        assert logging["ApplicationLogLevel"] == "INFO"


def test_no_alarm_and_no_graph_needs_container_insights(synthesized: Synthesize) -> None:
    """It is off, and nothing reads its namespace; a service's own metrics are free."""
    for stage in ("dev", "prod"):
        for cluster in synthesized(stage).resources("AWS::ECS::Cluster"):
            settings = cluster.properties["ClusterSettings"]
            assert settings == [{"Name": "containerInsights", "Value": "disabled"}]
        watching = synthesized(stage).resources(
            "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"
        )
        for each in watching:
            assert "ECS/ContainerInsights" not in str(each.properties)


def _provisioner(stack: Stack) -> Resource:
    (found,) = (
        one
        for one in stack.resources("AWS::Lambda::Function")
        if one.properties["FunctionName"] == "payments-provision"
    )
    return found


def _containers(synthesized: Synthesize, name: str) -> list[dict[str, Any]]:
    (definition,) = [
        one.properties
        for one in synthesized("dev").resources("AWS::ECS::TaskDefinition")
        if one.properties["Family"] == f"streamed-events-dev-{name}"
    ]
    found: list[dict[str, Any]] = definition["ContainerDefinitions"]
    return found
