"""The messaging and database parts of synthesized stacks, deployed through CloudFormation."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from runtime.aws import CachingAws
from tests.templates import Stack
from verification.testkit.waiting import eventually

DEPLOYED = frozenset(
    [
        "AWS::DynamoDB::Table",
        "AWS::Events::EventBus",
        "AWS::Events::Rule",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::Logs::ResourcePolicy",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
    ]
)
"""Messaging and databases, and what they need to stand."""

LEFT_OUT = {
    "AWS::Events::Archive": "MiniStack 1.5.33 rejects every template that has one",
    "AWS::ApiGatewayV2::": "the APIs run here as processes, and listen on a port",
    "AWS::CloudWatch::": "alarms and dashboards carry no event",
    "AWS::Cognito::": "the APIs run here as processes that ask for no token",
    "AWS::DocDB::": "mongod stands for DocumentDB: MiniStack would start a container",
    "AWS::EC2::": "loopback is the network",
    "AWS::ECS::": "consumers and relays run here as processes",
    "AWS::IAM::InstanceProfile": "of the NAT instance: loopback is the network",
    "AWS::IAM::Policy": "of processes; the roles of rules have theirs in them",
    "AWS::Lambda::": "the relays run here as daemons: MiniStack loses batchItemFailures",
    "AWS::Logs::MetricFilter": "alarms and dashboards carry no event",
    "AWS::SNS::": "alarms and dashboards carry no event",
    "AWS::SecretsManager::": "the API of payments runs here as a process without a webhook",
    "AWS::ServiceDiscovery::": "the APIs run here as processes, and listen on a port",
    "Custom::DocumentDB": "mongod stands for DocumentDB, and the tests provision it",
}
"""Types of resource, or the services they begin with, that are not deployed, and why."""

BOOTSTRAP_VERSION = "/cdk-bootstrap/hnb659fds/version"
"""Each template asks for it: `cdk bootstrap` leaves it in the account that it prepared."""


def deployable(stack: Stack) -> Stack:
    """The stack as it was synthesized, less LEFT_OUT and what only that needs.

    So go the roles of processes, the schedules of Lambda functions, the logs of the network, the
    image of its NAT instance, and the outputs, by which stacks tell each other of the network.
    """
    kept = {resource.logical_id for resource in stack.resources(*DEPLOYED)}
    roles = {role.logical_id for role in stack.resources("AWS::IAM::Role")}
    kept -= roles - set(_roles_of_rules(stack))
    kept -= set(_without(stack, "AWS::Events::Rule", "EventBusName"))
    kept -= set(_without(stack, "AWS::Logs::LogGroup", "LogGroupName"))
    resources = {name: _less(stack.template["Resources"][name], kept) for name in kept}
    parameters = {
        name: each
        for name, each in stack.template["Parameters"].items()
        if "AWS::EC2::Image" not in each["Type"]
    }
    template = {**stack.template, "Resources": resources, "Parameters": parameters}
    template.pop("Outputs", None)
    return replace(stack, template=template)


def deploy(aws: CachingAws, stacks: Iterable[Stack]) -> None:
    """Create the stacks, each after the one before; raises AssertionError with what failed."""
    aws.client("ssm").put_parameter(Name=BOOTSTRAP_VERSION, Value="21", Type="String")
    cloudformation = aws.client("cloudformation")
    for stack in stacks:
        cloudformation.create_stack(
            StackName=stack.name,
            TemplateBody=json.dumps(stack.template),
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )

        status = eventually(
            partial(_ended, cloudformation, stack.name), timeout=30, what=f"{stack.name} is there"
        )
        assert status == "CREATE_COMPLETE", list(_failures(cloudformation, stack.name))


def keys(aws: CachingAws, stacks: Iterable[Stack]) -> Mapping[str, str]:
    """The logical ids of the KMS keys that were made, by key id."""
    cloudformation = aws.client("cloudformation")
    return {
        resource["PhysicalResourceId"].rsplit("/", 1)[-1]: resource["LogicalResourceId"]
        for stack in stacks
        for resource in cloudformation.describe_stack_resources(StackName=stack.name)[
            "StackResources"
        ]
        if resource["ResourceType"] == "AWS::KMS::Key"
    }


def _roles_of_rules(stack: Stack) -> Iterator[str]:
    for resource in stack.template["Resources"].values():
        if resource["Type"] == "AWS::Events::Rule":
            for target in resource["Properties"]["Targets"]:
                match target.get("RoleArn"):
                    case {"Fn::GetAtt": [role, "Arn"]}:
                        yield role


def _without(stack: Stack, kind: str, name: str) -> Iterator[str]:
    for resource in stack.resources(kind):
        if name not in resource.properties:
            yield resource.logical_id


def _less(resource: Mapping[str, Any], kept: set[str]) -> dict[str, Any]:
    """The resource without its dependencies on what is left out."""
    depends_on = resource.get("DependsOn", [])
    listed = [depends_on] if isinstance(depends_on, str) else depends_on
    return {**resource, "DependsOn": [name for name in listed if name in kept]}


def _ended(cloudformation: Any, stack: str) -> str | None:
    """How; None while it is under way."""
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    status = str(found["StackStatus"])
    return None if status.endswith("IN_PROGRESS") else status


def _failures(cloudformation: Any, stack: str) -> Iterator[str]:
    for event in cloudformation.describe_stack_events(StackName=stack)["StackEvents"]:
        if "FAILED" in event["ResourceStatus"]:
            yield f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
