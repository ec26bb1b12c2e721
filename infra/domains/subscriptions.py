"""The subscription domain: customers subscribe, and their subscriptions may be cancelled."""

from contracts.names import EventType, Source
from infra.domains.parts import (
    EVERYTHING,
    LOG_RETENTION_DAYS,
    PAYMENT_CANCELLED,
    SUBSCRIPTION_CREATED,
    by_creation,
    dead_letter_queue,
    outbox_table,
    work_queue,
)
from infra.lifecycle import Lifecycle
from infra.resources import (
    Archive,
    Attribute,
    Bus,
    Domain,
    Key,
    LogGroup,
    Rule,
    Table,
    ToBus,
    ToLogGroup,
    ToQueue,
)
from infra.workloads import Consumes, Owns, Workload, dynamodb_relay

LIFECYCLE = Lifecycle(
    domain="subscriptions",
    about="Who gets razors, and who no longer does.",
    source=Source.SUBSCRIPTIONS,
    events=(EventType.SUBSCRIPTION_CREATED, EventType.SUBSCRIPTION_CANCELLED),
    kept_in="subscriptions",
)

DOMAIN = Domain(
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

_OWNS = Owns("subscriptions", "subscriptions-outbox", "by-account-number")
_TABLES = {
    "SUBSCRIPTIONS_TABLE": _OWNS.table,
    "SUBSCRIPTIONS_OUTBOX_TABLE": _OWNS.outbox,
}

WORKLOADS = (
    Workload(
        name="subscription-api",
        domain="subscriptions",
        command=("services.subscription.main", "api"),
        uses=(_OWNS,),
        port=8001,
        colour=36,
        settings=_TABLES,
        path="subscriptions",
    ),
    Workload(
        name="subscription-consumer",
        domain="subscriptions",
        command=("services.subscription.main", "consumer"),
        uses=(_OWNS, Consumes("subscriptions-payment-cancelled")),
        port=9101,
        colour=36,
        settings={
            **_TABLES,
            "PAYMENT_CANCELLED_QUEUE": "subscriptions-payment-cancelled",
        },
    ),
    dynamodb_relay(
        "subscriptions-relay",
        "subscriptions",
        outbox="subscriptions-outbox",
        bus="subscriptions-event-bus",
        dlq="subscriptions-dlq",
        port=9104,
        colour=96,
    ),
)
