"""A topology that changed under an emulator: followed, or refused with the mend."""

from dataclasses import replace

import pytest

from infra.changes import CannotChangeError
from infra.local import provision
from infra.resources import EventPattern, Rule
from infra.topology import TOPOLOGY, Topology
from runtime.aws import Aws
from tests.conftest import MiniStack
from tests.integration.emulated import empty_aws


@pytest.fixture
def aws(ministack: MiniStack) -> Aws:
    return empty_aws(ministack)


def changed(rule: Rule) -> Topology:
    """The topology with `rule` in place of the stock domain's PaymentCancelledRule."""
    return Topology(
        tuple(
            replace(
                domain,
                rules=tuple(
                    rule if each.name == "PaymentCancelledRule" else each for each in domain.rules
                ),
            )
            for domain in TOPOLOGY.domains
        )
    )


def test_a_changed_topology_is_followed(aws: Aws) -> None:
    """A new pattern updates the rule; a new name replaces it, and the old one delivers no more."""
    provision(aws)
    (rule,) = [rule for rule in TOPOLOGY.rules if rule.name == "PaymentCancelledRule"]
    wider = replace(rule, pattern=EventPattern(("app.payments",)))
    assert [str(each) for each in provision(aws, changed(wider)).changes] == [
        "updated rule PaymentCancelledRule (EventPattern)"
    ]
    renamed = replace(wider, name="AnyPaymentRule")
    assert [str(each) for each in provision(aws, changed(renamed)).changes] == [
        # the queues' policies name the rule that may send to them
        "updated queue stock-payment-cancelled (Policy)",
        "updated queue payment-cancelled-dlq (Policy)",
        "created rule AnyPaymentRule",
        "removed rule PaymentCancelledRule",
    ]


def test_a_table_with_another_key_is_refused(aws: Aws) -> None:
    """A key cannot be changed in place: the error names the table, both keys and the mend."""
    provision(aws)
    dynamodb = aws.client("dynamodb")
    dynamodb.delete_table(TableName="stock-outbox")
    dynamodb.create_table(
        TableName="stock-outbox",
        KeySchema=[{"AttributeName": "eventId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "eventId", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(CannotChangeError) as refused:
        provision(aws)
    message = str(refused.value)
    assert "table stock-outbox: its key is eventId (S)" in message
    assert "aggregateId (S) + sequence (N)" in message
    assert "delete the table" in message


def test_an_archive_of_another_bus_is_refused(aws: Aws) -> None:
    """An archive stays with its bus: the error names both."""
    provision(aws)
    events = aws.client("events")
    arn = events.describe_event_bus(Name="payments-event-bus")["Arn"]
    events.delete_archive(ArchiveName="stock-bus-archive")
    events.create_archive(ArchiveName="stock-bus-archive", EventSourceArn=arn)
    with pytest.raises(CannotChangeError, match="stock-bus-archive: it keeps the events of"):
        provision(aws)


def test_an_archive_can_have_a_pattern(aws: Aws) -> None:
    """An archive's pattern is made, kept and taken away again."""
    pattern = EventPattern(("app.stock",))
    narrow = Topology(
        tuple(
            replace(
                domain,
                archives=tuple(replace(each, pattern=pattern) for each in domain.archives),
            )
            for domain in TOPOLOGY.domains
        )
    )
    provision(aws, narrow)
    assert provision(aws, narrow).changes == ()
    changes = [str(each) for each in provision(aws).changes]
    assert changes == [f"updated archive {each.name} (EventPattern)" for each in TOPOLOGY.archives]
