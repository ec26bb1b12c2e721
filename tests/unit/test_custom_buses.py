"""The topology on Custom Event Buses: a subscriber in the place of each rule, and what stays."""

from dataclasses import replace

import pytest

from infra.arns import Arns
from infra.custom_buses import CustomBus, on_custom_buses
from infra.resources import Archive, EventPattern, Rule, ToBus, ToLogGroup, ToQueue
from infra.stages import Stage, StageError
from infra.topology import TOPOLOGY, Topology, TopologyError

CUSTOM = on_custom_buses(TOPOLOGY)
ACCOUNTS = {"subscriptions": "111111111111", "stock": "222222222222", "payments": "333333333333"}


def changed(name: str, **changes: object) -> Topology:
    """The topology with one domain changed."""
    return Topology(
        tuple(
            replace(domain, **changes) if domain.name == name else domain  # type: ignore[arg-type]
            for domain in TOPOLOGY.domains
        )
    )


def test_each_queue_that_rules_fill_is_filled_by_a_subscriber_or_stays_on_classic() -> None:
    """None twice, none forgotten: by the pattern and the dead-letter queue of its rule."""
    rules = {rule for rule in TOPOLOGY.rules if isinstance(rule.target, ToQueue)}
    stay = {rule for rule in CUSTOM.classic.rules if isinstance(rule.target, ToQueue)}
    found = {
        (each.target, each.pattern, each.dlq)
        for each in CUSTOM.subscribers
        if isinstance(each.target, ToQueue)
    }
    assert found == {(rule.target, rule.pattern, rule.dlq) for rule in rules - stay}
    assert {rule.name for rule in stay} == {"ErasePaymentRule"}


def test_a_subscriber_is_on_the_bus_of_the_events_source() -> None:
    """There is no bus to bus: what payments wants of subscriptions it reads there."""
    assert {each.name: each.bus for each in CUSTOM.subscribers} == {
        "subscriptions-to-classic": "subscriptions-event-bus",
        "stock-to-classic": "stock-event-bus",
        "payments-to-classic": "payments-event-bus",
        "subscriptions-stock-rejected": "stock-event-bus",
        "subscriptions-payment-cancelled": "payments-event-bus",
        "stock-subscription-created": "subscriptions-event-bus",
        "stock-payment-cancelled": "payments-event-bus",
        "payments-subscription-created": "subscriptions-event-bus",
        "payments-subscription-cancelled": "subscriptions-event-bus",
    }


def test_each_bus_is_copied_whole_to_the_classic_bus_of_its_name() -> None:
    """For its log group, and for the archive that outlives backups."""
    copies = [each for each in CUSTOM.subscribers if isinstance(each.target, ToBus)]
    assert [(each.bus, each.target, each.pattern) for each in copies] == [
        (bus.name, ToBus(bus.name), EventPattern()) for bus in TOPOLOGY.buses
    ]


def test_what_stays_on_classic_is_the_log_and_the_way_of_an_erasure() -> None:
    """A restored database has erasures replayed: from an archive, through rules."""
    kept = [rule for rule in CUSTOM.classic.rules if not isinstance(rule.target, ToLogGroup)]
    assert [rule.name for rule in kept] == ["SubscriptionErasedToPaymentsRule", "ErasePaymentRule"]
    assert [each.name for each in CUSTOM.classic.archives] == ["subscriptions-erasures-archive"]
    assert CUSTOM.classic.queues == TOPOLOGY.queues
    logged = [rule.bus for rule in CUSTOM.classic.rules if isinstance(rule.target, ToLogGroup)]
    assert logged == [bus.name for bus in TOPOLOGY.buses]


def test_a_bus_retains_what_its_archive_kept() -> None:
    """For as long."""
    assert CUSTOM.buses == (
        CustomBus("subscriptions-event-bus", 20),
        CustomBus("stock-event-bus", 20),
        CustomBus("payments-event-bus", 365),
    )


def test_a_dead_letter_queue_of_a_subscriber_is_of_its_own_domain() -> None:
    """And a standard queue, which a subscriber that keeps no order dead-letters to."""
    arns = Arns.in_one_account(CUSTOM.classic, "1" * 12, "eu-west-1")
    for each in CUSTOM.subscribers:
        assert CUSTOM.classic.domain_of_queue(each.dlq) == each.domain
        assert not arns.queue(each.dlq).endswith(".fifo")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"archives": (Archive("stock-bus-archive", "stock-event-bus", 366),)},
            "Custom Event Bus stock-event-bus: a retention of 366 days",
        ),
        (
            {
                "rules": (
                    *TOPOLOGY.domains[1].rules,
                    Rule(
                        "Any",
                        "stock-event-bus",
                        EventPattern(),
                        ToQueue("stock-payment-cancelled"),
                        "payment-cancelled-dlq",
                    ),
                )
            },
            "rule Any: a subscriber needs one source, and a DLQ",
        ),
        (
            {
                "rules": (
                    *TOPOLOGY.domains[1].rules,
                    Rule(
                        "Unsent",
                        "stock-event-bus",
                        EventPattern(("app.payments",), ("PaymentCreated",)),
                        ToQueue("stock-payment-cancelled"),
                        "payment-cancelled-dlq",
                    ),
                )
            },
            "rule Unsent: payments does not send it that",
        ),
    ],
)
def test_what_cannot_be_on_custom_buses_is_named(changes: dict[str, object], sentence: str) -> None:
    """Before anything is rendered."""
    with pytest.raises(TopologyError, match=sentence):
        on_custom_buses(changed("stock", **changes))


def test_a_stage_with_several_accounts_is_refused() -> None:
    """A subscriber names another account's bus by an ARN that exists only once the bus does."""
    given = {
        "region": "eu-west-1",
        "eventBusKind": "custom",
        "accounts": ACCOUNTS,
        "issuer": {"url": "https://login.example.com/", "audiences": ["apis"]},
    }
    stage = Stage.of("next", {"next": given})
    with pytest.raises(StageError, match="with eventBusKind custom, keep all domains in one"):
        stage.account_regions(TOPOLOGY, "000000000000")
    one = Stage.of("next", {"next": {**given, "accounts": dict.fromkeys(ACCOUNTS, "1" * 12)}})
    assert one.account_regions(TOPOLOGY, "000000000000")


def test_a_kind_that_nobody_knows_is_refused() -> None:
    """With the two that there are."""
    with pytest.raises(StageError, match="'classic' or 'custom'"):
        Stage.of("next", {"next": {"region": "eu-west-1", "eventBusKind": "pipes"}})
