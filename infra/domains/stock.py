"""The stock domain: razors are allocated for a subscription, and given back."""

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
    ToLogGroup,
    ToQueue,
)
from infra.workloads import Consumes, Owns, Workload, dynamodb_relay

LIFECYCLE = Lifecycle(
    domain="stock",
    about="Razors put aside, and given back.",
    source=Source.STOCK,
    events=(EventType.STOCK_ALLOCATED, EventType.STOCK_DEALLOCATED),
    kept_in="stock",
    may_begin_ended=True,
)

DOMAIN = Domain(
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

_OWNS = Owns("stock", "stock-outbox", "by-status")
_TABLES = {"STOCK_TABLE": _OWNS.table, "STOCK_OUTBOX_TABLE": _OWNS.outbox}

WORKLOADS = (
    Workload(
        name="stock-api",
        domain="stock",
        command=("services.stock.main", "api"),
        uses=(_OWNS,),
        port=8002,
        colour=33,
        settings=_TABLES,
        path="stock",
    ),
    Workload(
        name="stock-consumer",
        domain="stock",
        command=("services.stock.main", "consumer"),
        uses=(
            _OWNS,
            Consumes("stock-subscription-created"),
            Consumes("stock-payment-cancelled"),
        ),
        port=9102,
        colour=33,
        settings={
            **_TABLES,
            "SUBSCRIPTION_CREATED_QUEUE": "stock-subscription-created",
            "PAYMENT_CANCELLED_QUEUE": "stock-payment-cancelled",
        },
    ),
    dynamodb_relay(
        "stock-relay",
        "stock",
        outbox="stock-outbox",
        bus="stock-event-bus",
        dlq="stock-dlq",
        port=9105,
        colour=93,
    ),
)
