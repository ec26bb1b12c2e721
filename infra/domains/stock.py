"""The stock domain: razors are allocated for a subscription, and given back."""

from contracts.names import EventType, Source
from infra.domains.parts import (
    PAYMENT_CANCELLED,
    STOCK_REJECTED,
    SUBSCRIPTION_CREATED,
    by_creation,
    dead_letter_queue,
    domain,
    outbox_table,
    work_queue,
)
from infra.lifecycle import Lifecycle, Transition
from infra.resources import Attribute, Key, Rule, Table, ToBus, ToQueue
from infra.workloads import Owns, dynamodb_service

LIFECYCLE = Lifecycle(
    domain="stock",
    about="Razors put aside, and given back.",
    source=Source.STOCK,
    transitions=(
        Transition(EventType.STOCK_ALLOCATED, 1, "allocated"),
        Transition(EventType.STOCK_REJECTED, 1, "rejected", ends=True),
        Transition(EventType.STOCK_DEALLOCATED, 2, "deallocated", ends=True),
    ),
    kept_in="stock",
    may_begin_ended=True,
)

DOMAIN = domain(
    "stock",
    rules=(
        Rule(
            name="StockToSubscriptionsRule",
            bus="stock-event-bus",
            pattern=STOCK_REJECTED,
            target=ToBus("subscriptions-event-bus"),
            dlq="stock-to-subscriptions-dlq",
        ),
        Rule(
            name="SubscriptionCreatedRule",
            bus="stock-event-bus",
            pattern=SUBSCRIPTION_CREATED,
            target=ToQueue("stock-subscription-created"),
            dlq="subscriptions-created-dlq",
        ),
        Rule(
            name="PaymentCancelledRule",
            bus="stock-event-bus",
            pattern=PAYMENT_CANCELLED,
            target=ToQueue("stock-payment-cancelled"),
            dlq="payment-cancelled-dlq",
        ),
    ),
    queues=(
        work_queue("stock-subscription-created", dlq="subscriptions-created-dlq"),
        work_queue("stock-payment-cancelled", dlq="payment-cancelled-dlq"),
        dead_letter_queue("subscriptions-created-dlq"),
        dead_letter_queue("payment-cancelled-dlq"),
        dead_letter_queue("stock-to-subscriptions-dlq"),
        dead_letter_queue("stock-dlq"),  # what the outbox's stream could not publish
    ),
    tables=(
        Table(
            "stock",
            Key(Attribute("subscriptionId")),
            indexes=(by_creation("by-status", "status"),),
        ),
        outbox_table("stock-outbox"),
        Table("stock-inventory", Key(Attribute("item"), Attribute("shard", "N"))),
    ),
)

WORKLOADS = dynamodb_service(
    "stock",
    "stock",
    Owns("stock", "stock-outbox", ("by-status",)),
    consumes={
        "SUBSCRIPTION_CREATED_QUEUE": "stock-subscription-created",
        "PAYMENT_CANCELLED_QUEUE": "stock-payment-cancelled",
    },
    ports=(8002, 9102, 9105),
    colour=33,
    inventory="stock-inventory",
)
