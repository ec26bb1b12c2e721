"""What infra.local makes on an emulator is what the synthesized templates declare for AWS."""

from collections.abc import Iterable, Mapping

import pytest

from infra.local import provision
from runtime.aws import Aws
from tests.agreement import Difference, Meant, World, differences, unexpected
from tests.conftest import MiniStack
from tests.declared import KINDS, declared
from tests.integration.emulated import empty_aws, url_of
from tests.mutations import LOSSES, MUTATIONS, Mutation
from tests.observed import observed
from tests.synthesis import Synthesize
from tests.templates import Stack

MEANT = (
    Meant("on AWS", "queue *", "Policy.NobodyMayWithoutTls.*", "loopback is reached without TLS"),
    Meant("on AWS", "queue *", "Kms*", "an emulator holds samples: there is nothing to encrypt"),
    Meant("on AWS", "log group *", "KmsKeyId", "likewise"),
    Meant("on AWS", "bus *", "KmsKeyIdentifier", "likewise"),
    Meant("on AWS", "archive *", "KmsKeyIdentifier", "likewise"),
    Meant("on AWS", "bus *", "Policy.*.Condition.*", "MiniStack takes no whole bus policy"),
    Meant("on AWS", "table *", "SSESpecification.*", "likewise"),
    Meant("on AWS", "table *", "PointInTimeRecovery*", "`make clean` is how samples are recovered"),
    Meant("on AWS", "log group /streamed-events/*", "*", "locally processes log to a terminal"),
    Meant("on AWS", "log group /aws/docdb/*", "*", "mongod, in its place, has no audit log"),
    Meant("on AWS", "log group NetworkFlowLogs*", "*", "loopback is no network with flow logs"),
    Meant("on AWS", "rule *Schedule*", "*", "locally the relays are daemons with a timer"),
    Meant("on the emulator", "queue local-tap-*", "*", "it writes no log groups: local.tap does"),
    Meant("on the emulator", "rule LocalTap-*", "*", "likewise: these fill the taps' queues"),
)
"""Every difference there may be."""

NOT_RENDERED_LOCALLY = {
    "AWS::ApiGatewayV2::": "APIs listen on a port",
    "AWS::CloudWatch::": "nobody is on call, and every process serves /metrics",
    "AWS::Cognito::": "local.issuer gives the tokens, where they are asked for",
    "AWS::DocDB::": "mongod, with the collections of infra.documentdb",
    "AWS::EC2::": "loopback is the network",
    "AWS::ECS::": "local.supervisor runs the processes",
    "AWS::IAM::": "the emulator checks no permissions",
    "AWS::KMS::": "there is nothing to encrypt at rest; infra.local_keys makes the sealing key",
    "AWS::Lambda::": "locally the relays are daemons",
    "AWS::Logs::MetricFilter": "nobody is on call",
    "AWS::SNS::": "nobody is on call",
    "AWS::SecretsManager::": "`make up` keeps the webhook's secret in a file",
    "AWS::ServiceDiscovery::": "APIs listen on a port",
    "Custom::DocumentDB": "infra.documentdb makes the collections; mongod asks for no user",
}
"""AWS services, or types of resource, that only the templates have; what stands for them here."""

REGION = "eu-west-1"
"""Of the stage dev."""


@pytest.fixture(scope="module")
def stacks(synthesized: Synthesize) -> Mapping[str, Stack]:
    return synthesized("dev").stacks


@pytest.fixture(scope="module")
def templates(stacks: Mapping[str, Stack]) -> World:
    return declared(stacks.values())


@pytest.fixture(scope="module")
def emulator(ministack: MiniStack) -> World:
    aws = empty_aws(ministack)
    provision(aws)
    return observed(aws, region=REGION)


def test_nothing_differs_that_is_not_meant_to(templates: World, emulator: World) -> None:
    """No resource is on one side only, and no attribute has two values, but for MEANT."""
    found = list(differences(templates, emulator))
    assert unexpected(found, MEANT) == []
    unused = [meant for meant in MEANT if not any(map(meant.covers, found))]
    assert unused == []


def test_what_only_aws_has_is_of_a_service_that_something_else_stands_for(
    stacks: Mapping[str, Stack],
) -> None:
    """A type of resource is compared, or named with what does its work on a laptop."""
    types = {resource.type for stack in stacks.values() for resource in stack.resources()}
    known = tuple(NOT_RENDERED_LOCALLY)
    assert [each for each in sorted(types - KINDS.keys()) if not each.startswith(known)] == []
    assert [each for each in known if not any(one.startswith(each) for one in types)] == []


@pytest.mark.parametrize("mutation", [*MUTATIONS, *LOSSES], ids=str)
def test_a_template_that_says_something_else_is_found_out(
    mutation: Mutation, stacks: Mapping[str, Stack], templates: World, emulator: World
) -> None:
    """The comparison names each attribute of the resource that changed, and no other resource."""
    changed, here = declared(mutation.of(stacks.values())), f"{mutation.resource}, "
    named, expected = (
        _named(differences(changed, emulator)),
        _named(differences(templates, changed)),
    )
    assert {each for each in named if each.startswith(here)} == {
        each for each in expected if each.startswith(here)
    }
    assert any(each.startswith(here) for each in named)
    if mutation not in LOSSES:  # what named the lost resource differs as well
        assert all(each.startswith(here) for each in named)


def test_one_of_each_kind_is_dropped() -> None:
    """The losses above leave no kind out."""
    assert {loss.kind for loss in LOSSES} == KINDS.keys()


def test_an_emulator_that_holds_something_else_is_found_out(
    ministack: MiniStack, templates: World
) -> None:
    """What infra.local made differently, or not at all, is named as well."""
    aws = empty_aws(ministack)
    provision(aws)
    _drift(aws)
    assert _named(differences(templates, observed(aws, region=REGION))) >= {
        "queue stock-dlq, (exists)",
        "queue stray, (exists)",
        "queue payment-cancelled-dlq, MessageRetentionPeriod",
        "rule PaymentCancelledRule, State",
        "bus stray-bus, (exists)",
        "bus stock-event-bus, Policy.Anyone.Principal",
        "archive stock-bus-archive, RetentionDays",
        "log group stock-event-logs, RetentionInDays",
        "table stock-outbox, (exists)",
    }


def _named(found: Iterable[Difference]) -> set[str]:
    """Resource and attribute of each difference that was not meant."""
    return {each.partition(":")[0] for each in unexpected(found, MEANT)}


def _drift(aws: Aws) -> None:
    sqs, events = aws.client("sqs"), aws.client("events")
    sqs.delete_queue(QueueUrl=url_of(aws, "stock-dlq"))
    sqs.create_queue(QueueName="stray")
    sqs.set_queue_attributes(
        QueueUrl=url_of(aws, "payment-cancelled-dlq"), Attributes={"MessageRetentionPeriod": "60"}
    )
    events.disable_rule(Name="PaymentCancelledRule", EventBusName="stock-event-bus")
    events.create_event_bus(Name="stray-bus")
    events.put_permission(
        EventBusName="stock-event-bus",
        Action="events:PutEvents",
        Principal="*",
        StatementId="Anyone",
    )
    events.update_archive(ArchiveName="stock-bus-archive", RetentionDays=1)
    aws.client("logs").delete_retention_policy(logGroupName="stock-event-logs")
    aws.client("dynamodb").delete_table(TableName="stock-outbox")
