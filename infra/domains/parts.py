"""What the domains are made of: patterns, queues and tables of the usual kinds."""

from contracts.names import EventType, Source
from infra.resources import (
    DAY,
    Archive,
    Attribute,
    Bus,
    Collection,
    Domain,
    EventPattern,
    GlobalIndex,
    Key,
    LogGroup,
    Queue,
    RedrivePolicy,
    Rule,
    SealingKey,
    Table,
    ToLogGroup,
)

SUBSCRIPTION_CREATED = EventPattern((Source.SUBSCRIPTIONS,), (EventType.SUBSCRIPTION_CREATED,))
SUBSCRIPTION_ENDED = EventPattern(
    (Source.SUBSCRIPTIONS,),
    (EventType.SUBSCRIPTION_CANCELLED,),
    # Not the bank's: payments said that itself.
    (("cancelledBy", ("customer", "staff", "stock")),),
)
SUBSCRIPTION_ERASED = EventPattern((Source.SUBSCRIPTIONS,), (EventType.SUBSCRIPTION_ERASED,))
STOCK_REJECTED = EventPattern((Source.STOCK,), (EventType.STOCK_REJECTED,))
PAYMENT_CANCELLED = EventPattern((Source.PAYMENTS,), (EventType.PAYMENT_CANCELLED,))

WORK_VISIBILITY_TIMEOUT = 30
"""Seconds. A try at a message takes milliseconds and gives up after some 20 s; while a dependency
is away the consumer renews the timeout. A consumer that was killed delays its messages by it."""

LOG_RETENTION_DAYS = 30
"""A month of reading back; what must be kept longer is in the archives."""


def work_queue(name: str, dlq: str) -> Queue:
    """A consumer's queue: half a minute a try, five tries, four days for an outage."""
    return Queue(
        name,
        visibility_timeout=WORK_VISIBILITY_TIMEOUT,
        retention=4 * DAY,
        redrive=RedrivePolicy(dlq, 5),
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


def domain(
    name: str,
    *,
    rules: tuple[Rule, ...],
    queues: tuple[Queue, ...],
    tables: tuple[Table, ...] = (),
    collections: tuple[Collection, ...] = (),
    keys: tuple[SealingKey, ...] = (),
    archive_days: int = 20,
    archived: EventPattern | None = None,
    archives: tuple[Archive, ...] = (),
) -> Domain:
    """A domain with one bus, logged by a rule of its own; `archived` is what its archive keeps.

    `archives` are others of its bus.
    """
    bus, logs = f"{name}-event-bus", f"{name}-event-logs"
    unlogged = dead_letter_queue(f"{logs}-dlq")
    log_rule = Rule(f"{name.title()}LogRule", bus, EventPattern(), ToLogGroup(logs), unlogged.name)
    return Domain(
        name=name,
        buses=(Bus(bus),),
        archives=(Archive(f"{name}-bus-archive", bus, archive_days, archived), *archives),
        log_groups=(LogGroup(logs, LOG_RETENTION_DAYS),),
        rules=(*rules, log_rule),
        queues=(*queues, unlogged),
        tables=tables,
        collections=collections,
        keys=keys,
    )
