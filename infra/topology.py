"""This system, as one value: docs/architecture.md tells the story, this is what is built."""

from contracts.names import EventType, Source
from infra.domains import Topology
from infra.resources import (
    DAY,
    Archive,
    Attribute,
    Bus,
    Collection,
    CollectionIndex,
    Domain,
    EventPattern,
    GlobalIndex,
    Key,
    LogGroup,
    Queue,
    Redrive,
    Rule,
    Table,
    ToBus,
    ToLogGroup,
    ToQueue,
)

EVERYTHING = EventPattern()
SUBSCRIPTION_CREATED = EventPattern((Source.SUBSCRIPTIONS,), (EventType.SUBSCRIPTION_CREATED,))
PAYMENT_CANCELLED = EventPattern((Source.PAYMENTS,), (EventType.PAYMENT_CANCELLED,))

VISIBILITY_TIMEOUT = 30
"""Seconds. A try at a message takes milliseconds and gives up after some 20 s; while a dependency
is away the consumer renews the timeout. A consumer that was killed delays its messages by it."""

LOG_RETENTION_DAYS = 30
"""A month of reading back; what must be kept longer is in the archives."""


def work_queue(name: str, dlq: str) -> Queue:
    """A consumer's queue: half a minute a try, five tries, four days for an outage."""
    return Queue(
        name, visibility_timeout=VISIBILITY_TIMEOUT, retention=4 * DAY, redrive=Redrive(dlq, 5)
    )


def dead_letter_queue(name: str) -> Queue:
    """The longest that SQS keeps anything: 14 days for a person to come and look."""
    return Queue(name, retention=14 * DAY)


def outbox_table(name: str) -> Table:
    """One aggregate's events share a partition; `sequence` is the aggregate's version."""
    key = Key(Attribute("aggregateId"), Attribute("sequence", "N"))
    return Table(name, key, stream="NEW_IMAGE")


def by_creation(name: str, attribute: str) -> GlobalIndex:
    """Lists the rows with one value of `attribute`, oldest first; `created` is ISO 8601 text."""
    return GlobalIndex(name, Key(Attribute(attribute), Attribute("created")))


SUBSCRIPTIONS = Domain(
    name="subscriptions",
    buses=(Bus("subscriptions-event-bus"),),
    archives=(Archive("subscriptions-bus-archive", "subscriptions-event-bus", retention_days=20),),
    log_groups=(LogGroup("subscriptions-event-logs", LOG_RETENTION_DAYS),),
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
        Rule(
            name="SubscriptionsLogRule",
            bus="subscriptions-event-bus",
            pattern=EVERYTHING,
            target=ToLogGroup("subscriptions-event-logs"),
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
            indexes=(by_creation("by-account-number", "accountNumber"),),
        ),
        outbox_table("subscriptions-outbox"),
    ),
)

STOCK = Domain(
    name="stock",
    buses=(Bus("stock-event-bus"),),
    archives=(Archive("stock-bus-archive", "stock-event-bus", retention_days=20),),
    log_groups=(LogGroup("stock-event-logs", LOG_RETENTION_DAYS),),
    rules=(
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
        Rule(
            name="StockLogRule",
            bus="stock-event-bus",
            pattern=EVERYTHING,
            target=ToLogGroup("stock-event-logs"),
        ),
    ),
    queues=(
        work_queue("stock-subscription-created", dlq="subscriptions-created-dlq"),
        work_queue("stock-payment-cancelled", dlq="payment-cancelled-dlq"),
        dead_letter_queue("subscriptions-created-dlq"),
        dead_letter_queue("payment-cancelled-dlq"),
        dead_letter_queue("stock-dlq"),  # what the outbox's stream could not publish
    ),
    tables=(
        Table(
            "stock",
            Key(Attribute("subscriptionId")),
            indexes=(by_creation("by-status", "status"),),
        ),
        outbox_table("stock-outbox"),
    ),
)

PAYMENTS = Domain(
    name="payments",
    buses=(Bus("payments-event-bus"),),
    # A year: direct debits are disputed long after a razor has gone blunt.
    archives=(Archive("payments-bus-archive", "payments-event-bus", retention_days=365),),
    log_groups=(LogGroup("payments-event-logs", LOG_RETENTION_DAYS),),
    rules=(
        Rule(
            name="PaymentsToStockRule",
            bus="payments-event-bus",
            pattern=PAYMENT_CANCELLED,
            target=ToBus("stock-event-bus"),
            dlq="payments-to-stock-dlq",
        ),
        Rule(
            name="PaymentsToSubscriptionsRule",
            bus="payments-event-bus",
            pattern=PAYMENT_CANCELLED,
            target=ToBus("subscriptions-event-bus"),
            dlq="payments-to-subscriptions-dlq",
        ),
        Rule(
            name="CreatePaymentRule",
            bus="payments-event-bus",
            pattern=SUBSCRIPTION_CREATED,
            target=ToQueue("payments-subscription-created"),
            dlq="create-payment-subscription-dlq",
        ),
        Rule(
            name="PaymentsLogRule",
            bus="payments-event-bus",
            pattern=EVERYTHING,
            target=ToLogGroup("payments-event-logs"),
        ),
    ),
    queues=(
        work_queue("payments-subscription-created", dlq="create-payment-subscription-dlq"),
        dead_letter_queue("create-payment-subscription-dlq"),
        dead_letter_queue("payments-to-stock-dlq"),
        dead_letter_queue("payments-to-subscriptions-dlq"),
        # Between the change stream and the bus. The relay sets the deduplication id (the event id).
        Queue(
            "payment-events.fifo",
            visibility_timeout=VISIBILITY_TIMEOUT,
            retention=4 * DAY,
            redrive=Redrive("payment-events-dlq.fifo", 3),
        ),
        dead_letter_queue("payment-events-dlq.fifo"),
    ),
    collections=(
        Collection(
            "payments",
            "payments",
            indexes=(CollectionIndex("by-status", (("status", 1), ("_id", 1))),),
        ),
        Collection(
            "payments",
            "outbox",
            indexes=(CollectionIndex("by-age", (("occurredAt", 1), ("sequence", 1))),),
            change_stream=True,
        ),
    ),
)

TOPOLOGY = Topology(domains=(SUBSCRIPTIONS, STOCK, PAYMENTS))
