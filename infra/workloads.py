"""A process of this system as a value: what runs, with which settings, and what it may touch.

What runs them on one machine and on AWS reads these values; a test holds compose.yaml to them.
Where a process finds its databases and AWS itself is added there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.resources import SealingKey

EVENT_VERSION = {"EVENT_VERSION": "2"}
"""The setting of a process that publishes events of which there are two versions."""


@dataclass(frozen=True, slots=True)
class Owns:
    """Keeps aggregates in `table` and their events in `outbox`, in one transaction.

    Names of tables; `indexes` are the global secondary indexes that lists are read from.
    """

    table: str
    outbox: str
    indexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reserves:
    """Takes from the rows of `inventory`, and gives back to them, in its aggregates' transactions.

    An API sets and deletes them.
    """

    inventory: str


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
    """Follows the stream of a DynamoDB outbox, and deletes what EventBridge has accepted."""

    outbox: str


@dataclass(frozen=True, slots=True)
class OwnsDocuments:
    """Keeps aggregates in `collection` and their events in `outbox`, in one transaction."""

    collection: str
    outbox: str


@dataclass(frozen=True, slots=True)
class EmptiesDocuments:
    """Follows the change stream of an outbox collection, and deletes what the queue accepted."""

    outbox: str


@dataclass(frozen=True, slots=True)
class Seals:
    """Seals texts under a key, which is another domain's; as SEALING_KEY it knows the alias."""

    key: SealingKey


@dataclass(frozen=True, slots=True)
class Opens:
    """Opens what was sealed under a key of its own domain."""

    key: SealingKey


UsesDocuments = OwnsDocuments | EmptiesDocuments

Use = Owns | Reserves | Consumes | SendsTo | PublishesTo | Empties | UsesDocuments | Seals | Opens


@dataclass(frozen=True, slots=True)
class Workload:
    """`command` is what follows `python -m`; `settings` are environment variables of its own.

    `path` is the collection that an API serves; None for a process that serves only its health.
    `webhook` is the path at which another system calls it, signing with one of WEBHOOK_SECRETS.
    `relays_outbox`: it is the one relay of an outbox; two would publish everything twice. On one
    machine it serves HTTP on `port`, and its log has an ANSI `colour`: one for each domain, its
    relays bright.
    """

    name: str
    domain: str
    command: tuple[str, ...]
    uses: tuple[Use, ...]
    port: int
    colour: int
    settings: Mapping[str, str] = field(default_factory=dict)
    path: str | None = None
    webhook: str | None = None
    relays_outbox: bool = False

    @property
    def is_relay(self) -> bool:
        return self.command[0] == "relay"

    @property
    def is_consumer(self) -> bool:
        return not self.is_relay and self.path is None

    @property
    def uses_aws(self) -> bool:
        return any(not isinstance(use, UsesDocuments) for use in self.uses)

    @property
    def uses_documents(self) -> bool:
        return any(isinstance(use, UsesDocuments) for use in self.uses)

    @property
    def empties(self) -> str | None:
        """The DynamoDB outbox that this is the relay of: on AWS a Lambda function's work."""
        return next((use.outbox for use in self.uses if isinstance(use, Empties)), None)


BRIGHT = 60
"""From an ANSI colour to its bright one."""


def dynamodb_service(
    service: str,
    domain: str,
    owns: Owns,
    *,
    consumes: Mapping[str, str],
    ports: tuple[int, int, int],
    colour: int,
    inventory: str | None = None,
    settings: Mapping[str, str] | None = None,
    seals: SealingKey | None = None,
) -> tuple[Workload, Workload, Workload]:
    """The API, the consumer and the relay of a service that keeps its aggregates in DynamoDB.

    `consumes` names a queue by the environment variable that the consumer reads it from;
    `inventory` is a table of what its aggregates take from, if they do. `settings` are those of API
    and consumer, `seals` is the key that the API seals under. The relay knows no domain, only
    names.
    """
    prefix = domain.upper()
    tables = {f"{prefix}_TABLE": owns.table, f"{prefix}_OUTBOX_TABLE": owns.outbox}
    keeps: tuple[Use, ...] = (owns,)
    if inventory is not None:
        tables[f"{prefix}_INVENTORY_TABLE"] = inventory
        keeps += (Reserves(inventory),)
    both = {**tables, **(settings or {})}
    bus, dlq = f"{domain}-event-bus", f"{domain}-dlq"
    api_port, consumer_port, relay_port = ports
    return (
        Workload(
            name=f"{service}-api",
            domain=domain,
            command=(f"services.{service}.main", "api"),
            uses=(*keeps, Seals(seals)) if seals else keeps,
            port=api_port,
            colour=colour,
            settings={**both, "SEALING_KEY": seals.alias} if seals else both,
            path=domain,
        ),
        Workload(
            name=f"{service}-consumer",
            domain=domain,
            command=(f"services.{service}.main", "consumer"),
            uses=(*keeps, *map(Consumes, consumes.values())),
            port=consumer_port,
            colour=colour,
            settings={**both, **consumes},
        ),
        Workload(
            name=f"{domain}-relay",
            domain=domain,
            command=("relay", "dynamodb"),
            uses=(Empties(owns.outbox), PublishesTo(bus), SendsTo(dlq)),
            port=relay_port,
            colour=colour + BRIGHT,
            settings={"OUTBOX_TABLE": owns.outbox, "EVENT_BUS": bus, "DEAD_LETTER_QUEUE": dlq},
            relays_outbox=True,
        ),
    )
