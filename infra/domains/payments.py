"""The payment domain: direct debits, in DocumentDB."""

from contracts.bank_details import SEALED_FOR
from contracts.names import EventType, Source
from infra.domains.parts import (
    PAYMENT_CANCELLED,
    SUBSCRIPTION_CREATED,
    SUBSCRIPTION_ENDED,
    SUBSCRIPTION_ERASED,
    WORK_VISIBILITY_TIMEOUT,
    dead_letter_queue,
    domain,
    work_queue,
)
from infra.lifecycle import Lifecycle, Transition
from infra.resources import (
    DAY,
    Collection,
    CollectionIndex,
    EventPattern,
    Queue,
    RedrivePolicy,
    Rule,
    SealingKey,
    ToBus,
    ToQueue,
)
from infra.workloads import (
    EVENT_VERSION,
    Consumes,
    EmptiesDocuments,
    Opens,
    OwnsDocuments,
    PublishesTo,
    SendsTo,
    Workload,
)

BANK_DETAILS = SealingKey("bank-details", SEALED_FOR)
"""Subscriptions seal them, and payments open them: no other process does either."""

WEBHOOK_PATH = "/webhooks/direct-debit"

LIFECYCLE = Lifecycle(
    domain="payments",
    about="Direct debits.",
    source=Source.PAYMENTS,
    transitions=(
        Transition(EventType.PAYMENT_CREATED, 1, "active"),
        Transition(EventType.PAYMENT_CANCELLED, 2, "cancelled", ends=True),
    ),
    kept_in="payments",
    may_begin_ended=True,
)

DOMAIN = domain(
    "payments",
    # A year: direct debits are disputed long after a razor has gone blunt.
    archive_days=365,
    # Not what came from subscriptions: its own archive has that, and bank details for 20 days.
    archived=EventPattern((Source.PAYMENTS,)),
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
            name="CancelPaymentRule",
            bus="payments-event-bus",
            pattern=SUBSCRIPTION_ENDED,
            target=ToQueue("payments-subscription-cancelled"),
            dlq="cancel-payment-subscription-dlq",
        ),
        Rule(
            name="ErasePaymentRule",
            bus="payments-event-bus",
            pattern=SUBSCRIPTION_ERASED,
            target=ToQueue("payments-subscription-erased"),
            dlq="erase-payment-subscription-dlq",
        ),
    ),
    queues=(
        work_queue("payments-subscription-created", dlq="create-payment-subscription-dlq"),
        work_queue("payments-subscription-cancelled", dlq="cancel-payment-subscription-dlq"),
        work_queue("payments-subscription-erased", dlq="erase-payment-subscription-dlq"),
        dead_letter_queue("create-payment-subscription-dlq"),
        dead_letter_queue("cancel-payment-subscription-dlq"),
        dead_letter_queue("erase-payment-subscription-dlq"),
        dead_letter_queue("payments-to-stock-dlq"),
        dead_letter_queue("payments-to-subscriptions-dlq"),
        # Between the change stream and the bus. The relay sets the deduplication id (the event id).
        Queue(
            "payment-events.fifo",
            visibility_timeout=WORK_VISIBILITY_TIMEOUT,
            retention=4 * DAY,
            redrive=RedrivePolicy("payment-events-dlq.fifo", 3),
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
    keys=(BANK_DETAILS,),
)

CONSUMES = {
    "SUBSCRIPTION_CREATED_QUEUE": "payments-subscription-created",
    "SUBSCRIPTION_CANCELLED_QUEUE": "payments-subscription-cancelled",
    "SUBSCRIPTION_ERASED_QUEUE": "payments-subscription-erased",
}
"""Queues, by the environment variables that the consumer reads them from."""

OWNS = OwnsDocuments("payments", "outbox")

WORKLOADS = (
    Workload(
        name="payment-api",
        domain="payments",
        command=("services.payment.main", "api"),
        uses=(OWNS,),
        port=8003,
        colour=35,
        settings=EVENT_VERSION,
        path="payments",
        webhook=WEBHOOK_PATH,
    ),
    Workload(
        name="payment-consumer",
        domain="payments",
        command=("services.payment.main", "consumer"),
        uses=(OWNS, *map(Consumes, CONSUMES.values()), Opens(BANK_DETAILS)),
        port=9103,
        colour=35,
        settings={**EVENT_VERSION, **CONSUMES, "SEALING_KEY": BANK_DETAILS.alias},
    ),
    Workload(
        name="payments-change-stream",
        domain="payments",
        command=("relay", "change-stream"),
        uses=(
            EmptiesDocuments("outbox"),
            SendsTo("payment-events.fifo", asks_depth=True),
            SendsTo("payment-events-dlq.fifo"),
        ),
        port=9106,
        colour=95,
        settings={
            "OUTBOX_COLLECTION": "outbox",
            "FIFO_QUEUE": "payment-events.fifo",
            "DEAD_LETTER_QUEUE": "payment-events-dlq.fifo",
        },
        relays_outbox=True,
    ),
    Workload(
        name="payments-forward",
        domain="payments",
        command=("relay", "forward"),
        uses=(Consumes("payment-events.fifo"), PublishesTo("payments-event-bus")),
        port=9107,
        colour=95,
        settings={"FIFO_QUEUE": "payment-events.fifo", "EVENT_BUS": "payments-event-bus"},
    ),
)
