"""The subscription domain: customers subscribe, and their subscriptions may be cancelled."""

from contracts.names import EventType, Source
from infra.domains.parts import (
    PAYMENT_CANCELLED,
    SUBSCRIPTION_CREATED,
    by_creation,
    dead_letter_queue,
    domain,
    outbox_table,
    work_queue,
)
from infra.lifecycle import Lifecycle
from infra.resources import Attribute, Key, Rule, Table, ToBus, ToQueue
from infra.workloads import Owns, dynamodb_service

LIFECYCLE = Lifecycle(
    domain="subscriptions",
    about="Who gets razors, and who no longer does.",
    source=Source.SUBSCRIPTIONS,
    events=(EventType.SUBSCRIPTION_CREATED, EventType.SUBSCRIPTION_CANCELLED),
    kept_in="subscriptions",
)

DOMAIN = domain(
    "subscriptions",
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
            name="CancelSubscriptionRule",
            bus="subscriptions-event-bus",
            pattern=PAYMENT_CANCELLED,
            target=ToQueue("subscriptions-payment-cancelled"),
            dlq="cancel-subscription-dlq",
        ),
    ),
    queues=(
        work_queue("subscriptions-payment-cancelled", dlq="cancel-subscription-dlq"),
        dead_letter_queue("cancel-subscription-dlq"),
        dead_letter_queue("subscriptions-to-stock-dlq"),
        dead_letter_queue("subscriptions-to-payments-dlq"),
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
    consumes={"PAYMENT_CANCELLED_QUEUE": "subscriptions-payment-cancelled"},
    ports=(8001, 9101, 9104),
    colour=36,
)
