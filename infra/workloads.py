"""The processes of this system as values: what runs, with which settings, and what it may touch.

What runs them on one machine and on AWS reads this table; a test holds compose.yaml to it. Where
a process finds its databases and AWS itself is added there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Owns:
    """Keeps aggregates in `table` and their events in `outbox`, in one transaction; `index` lists.

    Names of tables and of a global secondary index; None where nothing is listed.
    """

    table: str
    outbox: str
    index: str | None = None


@dataclass(frozen=True, slots=True)
class Consumes:
    """Receives and deletes a queue's messages, and dead-letters what can never be handled."""

    queue: str


@dataclass(frozen=True, slots=True)
class SendsTo:
    """Sends to a queue; `asks_depth`: and asks how much waits in it."""

    queue: str
    asks_depth: bool = False


@dataclass(frozen=True, slots=True)
class PublishesTo:
    bus: str


@dataclass(frozen=True, slots=True)
class Empties:
    """Follows the stream of a DynamoDB outbox, and deletes what is in durable hands."""

    outbox: str


@dataclass(frozen=True, slots=True)
class UsesDocuments:
    """Reads and writes the domain's DocumentDB."""


Use = Owns | Consumes | SendsTo | PublishesTo | Empties | UsesDocuments


@dataclass(frozen=True, slots=True)
class Workload:
    """`command` is what follows `python -m`; `settings` are environment variables of its own.

    `path` is the collection that an API serves; None for a process that serves only its health.
    `relays_outbox`: it is the one relay of an outbox; two would publish everything twice.
    """

    name: str
    domain: str
    command: tuple[str, ...]
    uses: tuple[Use, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    path: str | None = None
    relays_outbox: bool = False

    @property
    def uses_aws(self) -> bool:
        return any(not isinstance(use, UsesDocuments) for use in self.uses)

    @property
    def uses_documents(self) -> bool:
        return UsesDocuments() in self.uses

    @property
    def empties(self) -> str | None:
        """The DynamoDB outbox that this is the relay of: on AWS a Lambda function's work."""
        return next((use.outbox for use in self.uses if isinstance(use, Empties)), None)


_SUBSCRIPTIONS = Owns("subscriptions", "subscriptions-outbox", "by-account-number")
_SUBSCRIPTIONS_TABLES = {
    "SUBSCRIPTIONS_TABLE": _SUBSCRIPTIONS.table,
    "SUBSCRIPTIONS_OUTBOX_TABLE": _SUBSCRIPTIONS.outbox,
}
_STOCK = Owns("stock", "stock-outbox", "by-status")
_STOCK_TABLES = {"STOCK_TABLE": _STOCK.table, "STOCK_OUTBOX_TABLE": _STOCK.outbox}


def _dynamodb_relay(name: str, domain: str, outbox: str, bus: str, dlq: str) -> Workload:
    return Workload(
        name=name,
        domain=domain,
        command=("relay", "dynamodb"),
        uses=(Empties(outbox), PublishesTo(bus), SendsTo(dlq)),
        settings={"OUTBOX_TABLE": outbox, "EVENT_BUS": bus, "DEAD_LETTER_QUEUE": dlq},
        relays_outbox=True,
    )


WORKLOADS = (
    Workload(
        name="subscription-api",
        domain="subscriptions",
        command=("services.subscription.main", "api"),
        uses=(_SUBSCRIPTIONS,),
        settings=_SUBSCRIPTIONS_TABLES,
        path="subscriptions",
    ),
    Workload(
        name="stock-api",
        domain="stock",
        command=("services.stock.main", "api"),
        uses=(_STOCK,),
        settings=_STOCK_TABLES,
        path="stock",
    ),
    Workload(
        name="payment-api",
        domain="payments",
        command=("services.payment.main", "api"),
        uses=(UsesDocuments(),),
        path="payments",
    ),
    Workload(
        name="subscription-consumer",
        domain="subscriptions",
        command=("services.subscription.main", "consumer"),
        uses=(_SUBSCRIPTIONS, Consumes("subscriptions-payment-cancelled")),
        settings={
            **_SUBSCRIPTIONS_TABLES,
            "PAYMENT_CANCELLED_QUEUE": "subscriptions-payment-cancelled",
        },
    ),
    Workload(
        name="stock-consumer",
        domain="stock",
        command=("services.stock.main", "consumer"),
        uses=(
            _STOCK,
            Consumes("stock-subscription-created"),
            Consumes("stock-payment-cancelled"),
        ),
        settings={
            **_STOCK_TABLES,
            "SUBSCRIPTION_CREATED_QUEUE": "stock-subscription-created",
            "PAYMENT_CANCELLED_QUEUE": "stock-payment-cancelled",
        },
    ),
    Workload(
        name="payment-consumer",
        domain="payments",
        command=("services.payment.main", "consumer"),
        uses=(UsesDocuments(), Consumes("payments-subscription-created")),
        settings={"SUBSCRIPTION_CREATED_QUEUE": "payments-subscription-created"},
    ),
    _dynamodb_relay(
        "subscriptions-relay",
        "subscriptions",
        outbox="subscriptions-outbox",
        bus="subscriptions-event-bus",
        dlq="subscriptions-dlq",
    ),
    _dynamodb_relay(
        "stock-relay", "stock", outbox="stock-outbox", bus="stock-event-bus", dlq="stock-dlq"
    ),
    Workload(
        name="payments-change-stream",
        domain="payments",
        command=("relay", "change-stream"),
        uses=(
            UsesDocuments(),
            SendsTo("payment-events.fifo", asks_depth=True),
            SendsTo("payment-events-dlq.fifo"),
        ),
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
        settings={"FIFO_QUEUE": "payment-events.fifo", "EVENT_BUS": "payments-event-bus"},
    ),
)
