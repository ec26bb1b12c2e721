"""The topology, held against the tables of the design: the names there are fixed."""

from dataclasses import replace
from typing import Any

import pytest

from infra.arns import AccountRegion, Arns
from infra.faults import LONGEST_BACKUP_DAYS
from infra.policies import (
    bus_policy_document,
    log_group_policy_document,
    queue_policy_document,
)
from infra.resources import (
    DAY,
    Archive,
    Attribute,
    Bus,
    Collection,
    CollectionIndex,
    EventPattern,
    GlobalIndex,
    Key,
    Queue,
    RedrivePolicy,
    Table,
    ToBus,
    ToLogGroup,
    ToQueue,
)
from infra.topology import TOPOLOGY
from services.subscription.model import CancelledBy
from tests.stack_constants import constants

SUBSCRIPTION_CREATED = {"source": ["app.subscriptions"], "detail-type": ["SubscriptionCreated"]}
PAYMENT_CANCELLED = {"source": ["app.payments"], "detail-type": ["PaymentCancelled"]}
SUBSCRIPTION_ENDED = {
    "source": ["app.subscriptions"],
    "detail-type": ["SubscriptionCancelled"],
    "detail": {"cancelledBy": ["customer", "staff", "stock"]},
}
SUBSCRIPTION_ERASED = {"source": ["app.subscriptions"], "detail-type": ["SubscriptionErased"]}
STOCK_REJECTED = {"source": ["app.stock"], "detail-type": ["StockRejected"]}
EVERYTHING = {"source": [{"prefix": ""}]}

RULES: dict[str, tuple[str, dict[str, Any], ToBus | ToQueue | ToLogGroup, str | None]] = {
    "SubscriptionToStockRule": (
        "subscriptions-event-bus",
        SUBSCRIPTION_CREATED,
        ToBus("stock-event-bus"),
        "subscriptions-to-stock-dlq",
    ),
    "SubscriptionToPaymentsRule": (
        "subscriptions-event-bus",
        SUBSCRIPTION_CREATED,
        ToBus("payments-event-bus"),
        "subscriptions-to-payments-dlq",
    ),
    "PaymentsToStockRule": (
        "payments-event-bus",
        PAYMENT_CANCELLED,
        ToBus("stock-event-bus"),
        "payments-to-stock-dlq",
    ),
    "PaymentsToSubscriptionsRule": (
        "payments-event-bus",
        PAYMENT_CANCELLED,
        ToBus("subscriptions-event-bus"),
        "payments-to-subscriptions-dlq",
    ),
    "SubscriptionCreatedRule": (
        "stock-event-bus",
        SUBSCRIPTION_CREATED,
        ToQueue("stock-subscription-created"),
        "subscriptions-created-dlq",
    ),
    "PaymentCancelledRule": (
        "stock-event-bus",
        PAYMENT_CANCELLED,
        ToQueue("stock-payment-cancelled"),
        "payment-cancelled-dlq",
    ),
    "CreatePaymentRule": (
        "payments-event-bus",
        SUBSCRIPTION_CREATED,
        ToQueue("payments-subscription-created"),
        "create-payment-subscription-dlq",
    ),
    "SubscriptionCancelledToPaymentsRule": (
        "subscriptions-event-bus",
        SUBSCRIPTION_ENDED,
        ToBus("payments-event-bus"),
        "subscriptions-cancelled-to-payments-dlq",
    ),
    "SubscriptionErasedToPaymentsRule": (
        "subscriptions-event-bus",
        SUBSCRIPTION_ERASED,
        ToBus("payments-event-bus"),
        "subscriptions-erased-to-payments-dlq",
    ),
    "StockToSubscriptionsRule": (
        "stock-event-bus",
        STOCK_REJECTED,
        ToBus("subscriptions-event-bus"),
        "stock-to-subscriptions-dlq",
    ),
    "RejectSubscriptionRule": (
        "subscriptions-event-bus",
        STOCK_REJECTED,
        ToQueue("subscriptions-stock-rejected"),
        "reject-subscription-dlq",
    ),
    "CancelPaymentRule": (
        "payments-event-bus",
        SUBSCRIPTION_ENDED,
        ToQueue("payments-subscription-cancelled"),
        "cancel-payment-subscription-dlq",
    ),
    "ErasePaymentRule": (
        "payments-event-bus",
        SUBSCRIPTION_ERASED,
        ToQueue("payments-subscription-erased"),
        "erase-payment-subscription-dlq",
    ),
    "CancelSubscriptionRule": (
        "subscriptions-event-bus",
        PAYMENT_CANCELLED,
        ToQueue("subscriptions-payment-cancelled"),
        "cancel-subscription-dlq",
    ),
    "SubscriptionsLogRule": (
        "subscriptions-event-bus",
        EVERYTHING,
        ToLogGroup("subscriptions-event-logs"),
        "subscriptions-event-logs-dlq",
    ),
    "StockLogRule": (
        "stock-event-bus",
        EVERYTHING,
        ToLogGroup("stock-event-logs"),
        "stock-event-logs-dlq",
    ),
    "PaymentsLogRule": (
        "payments-event-bus",
        EVERYTHING,
        ToLogGroup("payments-event-logs"),
        "payments-event-logs-dlq",
    ),
}

WORK_QUEUES = {
    "stock-subscription-created": "subscriptions-created-dlq",
    "stock-payment-cancelled": "payment-cancelled-dlq",
    "payments-subscription-created": "create-payment-subscription-dlq",
    "subscriptions-payment-cancelled": "cancel-subscription-dlq",
    "subscriptions-stock-rejected": "reject-subscription-dlq",
    "payments-subscription-cancelled": "cancel-payment-subscription-dlq",
    "payments-subscription-erased": "erase-payment-subscription-dlq",
}

DEAD_LETTER_QUEUES = {
    *WORK_QUEUES.values(),
    "subscriptions-to-stock-dlq",
    "subscriptions-to-payments-dlq",
    "subscriptions-cancelled-to-payments-dlq",
    "subscriptions-erased-to-payments-dlq",
    "stock-to-subscriptions-dlq",
    "payments-to-stock-dlq",
    "payments-to-subscriptions-dlq",
    "subscriptions-dlq",
    "stock-dlq",
    "payment-events-dlq.fifo",
    "subscriptions-event-logs-dlq",
    "stock-event-logs-dlq",
    "payments-event-logs-dlq",
}

SEQUENCE_KEY = Key(Attribute("aggregateId"), Attribute("sequence", "N"))

THREE_ACCOUNTS = {
    "subscriptions": AccountRegion("subscriptions-account", "eu-west-1"),
    "stock": AccountRegion("stock-account", "eu-west-1"),
    "payments": AccountRegion("payments-account", "eu-west-1"),
}
"""An account id is only text to us; a CDK token is no number either."""


def queue(name: str) -> Queue:
    return next(queue for queue in TOPOLOGY.queues if queue.name == name)


@pytest.mark.parametrize(
    ("bus", "archive", "days", "archived", "log_group"),
    [
        (
            "subscriptions-event-bus",
            "subscriptions-bus-archive",
            20,
            None,
            "subscriptions-event-logs",
        ),
        ("stock-event-bus", "stock-bus-archive", 20, None, "stock-event-logs"),
        (
            "payments-event-bus",
            "payments-bus-archive",
            365,
            EventPattern(("app.payments",)),
            "payments-event-logs",
        ),
    ],
)
def test_every_bus_is_archived_and_logged(
    bus: str, archive: str, days: int, archived: EventPattern | None, log_group: str
) -> None:
    """Each bus has an archive, for as many days as agreed, and its log group.

    What is kept for a year is what payments published, not the bank details that it was sent.
    """
    assert Bus(bus) in TOPOLOGY.buses
    assert Archive(archive, bus, days, archived) in TOPOLOGY.archives
    assert log_group in {group.name for group in TOPOLOGY.log_groups}
    assert len(TOPOLOGY.buses) == len(TOPOLOGY.log_groups) == 3


def test_erasures_are_kept_for_longer_than_any_backup() -> None:
    """In an archive of their own, which has ids alone."""
    (own,) = [each for each in TOPOLOGY.archives if each.outlives_backups]
    assert (own.bus, own.retention_days) == ("subscriptions-event-bus", 400)
    assert own.pattern is not None
    assert own.pattern.as_json() == SUBSCRIPTION_ERASED
    backup = constants("documents")
    longest = max(backup["BACKUP_DAYS"], backup["BACKUP_DAYS_PROTECTED"])
    assert longest <= LONGEST_BACKUP_DAYS < own.retention_days
    assert len(TOPOLOGY.archives) == 4


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_as_designed(name: str) -> None:
    """A rule stands on its bus with its pattern, its one target and the target's DLQ."""
    (rule,) = [rule for rule in TOPOLOGY.rules if rule.name == name]
    assert (rule.bus, rule.pattern.as_json(), rule.target, rule.dlq) == RULES[name]


def test_every_end_but_the_banks_goes_back_to_payments() -> None:
    """The pattern names who else can end a subscription."""
    others = {*CancelledBy} - {CancelledBy.BANK}
    assert set(SUBSCRIPTION_ENDED["detail"]["cancelledBy"]) == others  # type: ignore[index]


def test_there_are_no_other_rules() -> None:
    """Nothing is delivered that the design does not know."""
    assert {rule.name for rule in TOPOLOGY.rules} == set(RULES)


@pytest.mark.parametrize(("name", "dlq"), WORK_QUEUES.items())
def test_a_work_queue_gives_up_after_five_receives(name: str, dlq: str) -> None:
    """A consumer's queue redrives to the DLQ of the rule that feeds it."""
    assert queue(name) == Queue(
        name, visibility_timeout=30, retention=4 * DAY, redrive=RedrivePolicy(dlq, 5)
    )
    assert [rule.dlq for rule in TOPOLOGY.rules if rule.target == ToQueue(name)] == [dlq]


@pytest.mark.parametrize("name", sorted(DEAD_LETTER_QUEUES))
def test_a_dead_letter_queue_keeps_messages_for_fourteen_days(name: str) -> None:
    """What ended there waits as long as SQS can keep it."""
    assert queue(name).retention == 14 * DAY
    assert queue(name).redrive is None


def test_the_fifo_queue_is_as_designed() -> None:
    """Payment events keep their order, give up after three receives, and dedupe by event id."""
    fifo = queue("payment-events.fifo")
    assert fifo.fifo
    assert fifo.redrive == RedrivePolicy("payment-events-dlq.fifo", 3)
    assert not fifo.content_based_deduplication


def test_there_are_no_other_queues() -> None:
    """Every queue is a work queue, a DLQ or the FIFO queue."""
    names = {queue.name for queue in TOPOLOGY.queues}
    assert names == {*WORK_QUEUES, *DEAD_LETTER_QUEUES, "payment-events.fifo"}


def test_tables_are_as_agreed() -> None:
    """State tables have the index their lists are served by, outbox tables have a stream."""
    assert TOPOLOGY.tables == (
        Table(
            "subscriptions",
            Key(Attribute("subscriptionId")),
            (
                GlobalIndex(
                    "by-account-number", Key(Attribute("accountNumber"), Attribute("created"))
                ),
                GlobalIndex("by-owner", Key(Attribute("owner"), Attribute("created"))),
            ),
        ),
        Table("subscriptions-outbox", SEQUENCE_KEY, stream="NEW_IMAGE"),
        Table(
            "stock",
            Key(Attribute("subscriptionId")),
            (GlobalIndex("by-status", Key(Attribute("status"), Attribute("created"))),),
        ),
        Table("stock-outbox", SEQUENCE_KEY, stream="NEW_IMAGE"),
        Table("stock-inventory", Key(Attribute("item"), Attribute("shard", "N"))),
    )


def test_collections_are_as_agreed() -> None:
    """Both collections are in database payments, and only the outbox is watched."""
    by_status = CollectionIndex("by-status", (("status", 1), ("_id", 1)))
    by_age = CollectionIndex("by-age", (("occurredAt", 1), ("sequence", 1)))
    assert TOPOLOGY.collections == (
        Collection("payments", "payments", (by_status,)),
        Collection("payments", "outbox", (by_age,), change_stream=True),
    )


def test_a_bus_admits_the_rules_that_deliver_to_it_and_no_other() -> None:
    """Bus policies follow from the rules that cross a border."""
    admitted = {
        policy.bus: [rule.name for rule in policy.rules] for policy in TOPOLOGY.bus_policies
    }
    assert admitted == {
        "subscriptions-event-bus": ["StockToSubscriptionsRule", "PaymentsToSubscriptionsRule"],
        "stock-event-bus": ["SubscriptionToStockRule", "PaymentsToStockRule"],
        "payments-event-bus": [
            "SubscriptionToPaymentsRule",
            "SubscriptionCancelledToPaymentsRule",
            "SubscriptionErasedToPaymentsRule",
        ],
    }


def test_a_bus_policy_names_the_account_the_source_and_the_type() -> None:
    """It allows PutEvents on the bus of what the rule matches, to the account of the rule alone."""
    arns = Arns(TOPOLOGY, THREE_ACCOUNTS)
    _, statement = bus_policy_document(TOPOLOGY.bus_policies[0], arns)["Statement"]
    assert statement == (
        {
            "Sid": "PaymentsToSubscriptionsRuleMayPutEvents",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::payments-account:root"},
            "Action": "events:PutEvents",
            "Resource": arns.bus("subscriptions-event-bus"),
            "Condition": {
                "ForAllValues:StringEquals": {
                    "events:source": ["app.payments"],
                    "events:detail-type": ["PaymentCancelled"],
                },
                "Null": {"events:source": "false", "events:detail-type": "false"},
            },
        }
    )


def test_a_bus_policy_asks_for_no_more_than_the_rule() -> None:
    """A rule for every event of a source names no type, and one for every event nothing at all."""
    arns, (policy, *_) = Arns(TOPOLOGY, THREE_ACCOUNTS), TOPOLOGY.bus_policies
    rule = policy.rules[0]
    conditions = [
        bus_policy_document(
            replace(policy, rules=(replace(rule, pattern=EventPattern(sources)),)), arns
        )["Statement"][0].get("Condition")
        for sources in (("app.payments",), ())
    ]
    assert conditions == [
        {
            "ForAllValues:StringEquals": {"events:source": ["app.payments"]},
            "Null": {"events:source": "false"},
        },
        None,
    ]


def test_eventbridge_may_send_only_for_the_rules_that_use_a_queue() -> None:
    """Work queues and rules' DLQs admit EventBridge for their rule; the relays' queues do not."""
    senders = {
        policy.queue: [rule.name for rule in policy.rules] for policy in TOPOLOGY.queue_policies
    }
    expected: dict[str, list[str]] = {}
    for name, (_, _, target, dlq) in RULES.items():
        for used in (target.queue if isinstance(target, ToQueue) else None, dlq):
            if used:
                expected[used] = [name]
    assert senders == expected

    (policy,) = [each for each in TOPOLOGY.queue_policies if each.queue == "payments-to-stock-dlq"]
    (statement,) = queue_policy_document(policy, Arns(TOPOLOGY, THREE_ACCOUNTS))["Statement"]
    rule = "arn:aws:events:eu-west-1:payments-account:rule/payments-event-bus/PaymentsToStockRule"
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Resource"] == "arn:aws:sqs:eu-west-1:payments-account:payments-to-stock-dlq"
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": [rule]}}


def test_eventbridge_may_write_to_each_log_group() -> None:
    """Each bus's log group admits the rule that logs everything, and only that group's streams."""
    arns = Arns(TOPOLOGY, THREE_ACCOUNTS)
    for policy, bus in zip(TOPOLOGY.log_group_policies, TOPOLOGY.buses, strict=True):
        assert [rule.bus for rule in policy.rules] == [bus.name]
        for statement in log_group_policy_document(policy, arns)["Statement"]:
            assert statement["Resource"] == f"{arns.log_group(policy.log_group)}:*"


def test_only_rules_to_a_bus_carry_a_role() -> None:
    """EventBridge assumes a role to put events on another bus, and uses policies for the rest."""
    arns = Arns(TOPOLOGY, THREE_ACCOUNTS)
    roles = {rule.name: arns.role(rule) for rule in TOPOLOGY.rules if arns.role(rule)}
    assert set(roles) == {name for name, rule in RULES.items() if isinstance(rule[2], ToBus)}
    assert (
        roles["PaymentsToStockRule"] == "arn:aws:iam::payments-account:role/PaymentsToStockRuleRole"
    )


def test_arns_follow_the_domain_that_owns_the_resource() -> None:
    """A target in another domain is addressed where that domain lives."""
    arns = Arns(TOPOLOGY, THREE_ACCOUNTS)
    events, sqs = "arn:aws:events:eu-west-1:stock-account", "arn:aws:sqs:eu-west-1:stock-account"
    assert arns.target(ToBus("stock-event-bus")) == f"{events}:event-bus/stock-event-bus"
    assert arns.target(ToQueue("stock-dlq")) == f"{sqs}:stock-dlq"
    assert arns.target(ToLogGroup("stock-event-logs")) == (
        "arn:aws:logs:eu-west-1:stock-account:log-group:stock-event-logs"
    )
    with pytest.raises(KeyError):
        arns.queue("stock-event-bus")
