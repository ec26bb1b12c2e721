"""The subscription domain: customers subscribe; a subscription may be cancelled, and erased."""

from contracts.names import EventType, Source
from infra.domains.parts import (
    PAYMENT_CANCELLED,
    STOCK_REJECTED,
    SUBSCRIPTION_CREATED,
    SUBSCRIPTION_ENDED,
    SUBSCRIPTION_ERASED,
    by_creation,
    dead_letter_queue,
    domain,
    outbox_table,
    work_queue,
)
from infra.domains.payments import BANK_DETAILS
from infra.lifecycle import Lifecycle, Transition
from infra.resources import Archive, Attribute, Key, Rule, Table, ToBus, ToQueue
from infra.workloads import EVENT_VERSION, Owns, dynamodb_service

LIFECYCLE = Lifecycle(
    domain="subscriptions",
    about="Who gets razors, and who no longer does.",
    source=Source.SUBSCRIPTIONS,
    transitions=(
        Transition(EventType.SUBSCRIPTION_CREATED, 1, "active"),
        Transition(EventType.SUBSCRIPTION_CANCELLED, 2, "cancelled", ends=True),
        Transition(EventType.SUBSCRIPTION_ERASED, 3, "erased", ends=True),
    ),
    kept_in="subscriptions",
)

DOMAIN = domain(
    "subscriptions",
    archives=(
        # Ids alone, for longer than any backup: a database that is restored is erased again.
        Archive(
            "subscriptions-erasures-archive",
            "subscriptions-event-bus",
            400,
            SUBSCRIPTION_ERASED,
            outlives_backups=True,
        ),
    ),
    rules=(
        Rule(
            name="SubscriptionToStockRule",
            bus="subscriptions-event-bus",
            pattern=SUBSCRIPTION_CREATED,
            target=ToBus("stock-event-bus"),
            dlq="subscriptions-to-stock-dlq",
        ),
        Rule(
            name="SubscriptionToPaymentsRule",
            bus="subscriptions-event-bus",
            pattern=SUBSCRIPTION_CREATED,
            target=ToBus("payments-event-bus"),
            dlq="subscriptions-to-payments-dlq",
        ),
        Rule(
            name="SubscriptionCancelledToPaymentsRule",
            bus="subscriptions-event-bus",
            pattern=SUBSCRIPTION_ENDED,
            target=ToBus("payments-event-bus"),
            dlq="subscriptions-cancelled-to-payments-dlq",
        ),
        Rule(
            name="SubscriptionErasedToPaymentsRule",
            bus="subscriptions-event-bus",
            pattern=SUBSCRIPTION_ERASED,
            target=ToBus("payments-event-bus"),
            dlq="subscriptions-erased-to-payments-dlq",
        ),
        Rule(
            name="RejectSubscriptionRule",
            bus="subscriptions-event-bus",
            pattern=STOCK_REJECTED,
            target=ToQueue("subscriptions-stock-rejected"),
            dlq="reject-subscription-dlq",
        ),
        Rule(
            name="CancelSubscriptionRule",
            bus="subscriptions-event-bus",
            pattern=PAYMENT_CANCELLED,
            target=ToQueue("subscriptions-payment-cancelled"),
            dlq="cancel-subscription-dlq",
        ),
    ),
    queues=(
        work_queue("subscriptions-payment-cancelled", dlq="cancel-subscription-dlq"),
        work_queue("subscriptions-stock-rejected", dlq="reject-subscription-dlq"),
        dead_letter_queue("cancel-subscription-dlq"),
        dead_letter_queue("reject-subscription-dlq"),
        dead_letter_queue("subscriptions-to-stock-dlq"),
        dead_letter_queue("subscriptions-to-payments-dlq"),
        dead_letter_queue("subscriptions-cancelled-to-payments-dlq"),
        dead_letter_queue("subscriptions-erased-to-payments-dlq"),
        dead_letter_queue("subscriptions-dlq"),  # what the outbox's stream could not publish
    ),
    tables=(
        Table(
            "subscriptions",
            Key(Attribute("subscriptionId")),
            indexes=(
                by_creation("by-account-number", "accountNumber"),
                by_creation("by-owner", "owner"),
            ),
        ),
        outbox_table("subscriptions-outbox"),
    ),
)

WORKLOADS = dynamodb_service(
    "subscription",
    "subscriptions",
    Owns("subscriptions", "subscriptions-outbox", ("by-account-number", "by-owner")),
    consumes={
        "PAYMENT_CANCELLED_QUEUE": "subscriptions-payment-cancelled",
        "STOCK_REJECTED_QUEUE": "subscriptions-stock-rejected",
    },
    ports=(8001, 9101, 9104),
    colour=36,
    settings=EVENT_VERSION,
    seals=BANK_DETAILS,
)
