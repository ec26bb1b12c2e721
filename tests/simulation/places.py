"""What outlives every process: databases with their streams, buses, queues, and the way between.

Everything in them follows from the topology. What a call does here is whole and at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.outbox import OutboxRecord
from infra.resources import Rule, ToBus, ToLogGroup
from infra.topology import TOPOLOGY
from runtime.outbox.rows import Row
from services.stock.inventory import Inventory
from services.stock.model import STOCK_ID
from tests.fakes import MemoryPayments, MemoryStock, MemoryStore, MemorySubscriptions
from tests.memory_buses import Event, MemoryBuses
from tests.memory_queues import MemorySqs, Message, What
from tests.relay_fakes import MemoryOutbox
from tests.simulation.custom_places import CUSTOM, CustomPlaces
from tests.simulation.fates import Kind
from tests.simulation.feeds import Feed
from tests.simulation.ledger import DEAD_LETTER_QUEUES, WORK_QUEUES, Ledger, name_of
from tests.simulation.plans import FIFO, Plan
from tests.simulation.scheduling import Bell
from tests.simulation.wires import Weather

START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

DELIVERY = 0.01
"""Seconds in which EventBridge delivers if nothing befalls it."""

LATEST_DELIVERY = 90.0
SECOND_DELIVERY = 20.0

BEFALLS_DELIVERY = (Kind.LATE, Kind.TWICE, Kind.RETRIED, Kind.UNDELIVERABLE)


@dataclass(frozen=True)
class Database:
    """A service's rows, its outbox, and the stream that tells of it. It runs on `service`."""

    service: str
    outbox_name: str
    store: MemoryStore[Any]
    outbox: MemoryOutbox
    feed: Feed


def stocked(store: MemoryStock, on_hand: int | None) -> MemoryStock:
    """Set what is on hand, if there is a limit."""
    if on_hand is not None:
        nothing = Inventory(STOCK_ID)
        store.inventory.write(nothing.with_on_hand(on_hand), replaces=nothing)
    return store


class Places:
    """All that is durable."""

    def __init__(self, weather: Weather, plan: Plan, stock: type[MemoryStock]) -> None:
        self._weather, self._scheduler, self._story = weather, weather.scheduler, weather.story
        self._plan, self.ledger = plan, Ledger()
        self.sqs = MemorySqs(TOPOLOGY.queues, now=self.seconds, journal=self._on_queue)
        self.custom: CustomPlaces | None = None
        if plan.is_custom:
            self.buses = MemoryBuses(CUSTOM.classic, self._deliver)
            self.custom = CustomPlaces(weather, self.ledger, self.sqs, self.buses, self._on_bus)
        else:
            self.buses = MemoryBuses(TOPOLOGY, self._deliver, journal=self._on_bus)
        self.bells = {name: Bell(weather.scheduler) for name in WORK_QUEUES}
        self.databases = {
            "subscriptions": self._database(
                "DynamoDB", "subscriptions-outbox", MemorySubscriptions()
            ),
            "stock": self._database("DynamoDB", "stock-outbox", stocked(stock(), plan.on_hand)),
            "payments": self._database("MongoDB", "payments.outbox", MemoryPayments()),
        }
        self.in_transit = 0
        self.cursed: dict[str, set[str]] = {domain: set() for domain in self.databases}
        """By domain, the aggregates that cannot be committed, for a reason nobody knows."""
        self._moment, self._now = 0, START

    def seconds(self) -> float:
        return self._scheduler.now

    def now(self) -> datetime:
        """The time to the millisecond, as runtime.ids.utc_now tells it."""
        moment = int(self._scheduler.now * 1000)
        if moment != self._moment:
            self._moment, self._now = moment, START + timedelta(milliseconds=moment)
        return self._now

    def commit(self, database: Database, process: str, record: OutboxRecord) -> None:
        """Put a record in the outbox, in the same moment as its aggregate's row was written."""
        if self._story.is_told:
            self._story.tell(process, f"commits {name_of(record)}")
        self.ledger.commit(record)
        key = record.aggregate_id, record.sequence
        self.insert(database, Row(*key, key, record))

    def insert(self, database: Database, row: Row) -> None:
        database.outbox.put(row)
        database.feed.commit(row)

    def leave(self, process: str, rows: Sequence[Row]) -> None:
        """Rows are deleted from an outbox, in this moment."""
        if self._story.is_told:
            names = (f"{row.aggregate_id[:4]}#{row.sequence}" for row in rows)
            self._story.tell(process, f"deletes {', '.join(names)} from its outbox")
        self.ledger.leave(rows)

    def is_empty(self) -> bool:
        """Whether nothing is on its way any more: all outboxes and work queues are empty."""
        return (
            not self.in_transit
            and (self.custom is None or self.custom.is_idle)
            and not any(each.outbox.rows for each in self.databases.values())
            and not any(self.sqs.queues[name].messages for name in WORK_QUEUES)
        )

    def _database(self, service: str, outbox: str, store: MemoryStore[Any]) -> Database:
        rows = MemoryOutbox(page=self._plan.page, gaps=self._plan.gaps)
        return Database(service, outbox, store, rows, Feed(outbox, self._weather))

    def _deliver(self, rule: Rule, event: Event) -> None:
        """Bring an event to a rule's target, at least once, in time or not, or to its DLQ."""
        if isinstance(rule.target, ToLogGroup):
            return
        fate = self._weather.fate(f"rule {rule.name}", BEFALLS_DELIVERY)
        if fate is None:
            self._send(DELIVERY, rule, event)
            return
        if self._story.is_told:
            self._story.tell(rule.name, f"its delivery {fate.kind}")
        if fate.kind is Kind.UNDELIVERABLE:
            self.in_transit += 1
            self._scheduler.after(DELIVERY, lambda: self._give_up(rule, event))
            return
        share = fate.amount**2
        self._send(DELIVERY + share * LATEST_DELIVERY * (fate.kind is not Kind.TWICE), rule, event)
        if fate.kind is Kind.TWICE:
            self._send(DELIVERY + share * SECOND_DELIVERY, rule, event)

    def _send(self, seconds: float, rule: Rule, event: Event) -> None:
        self.in_transit += 1
        self._scheduler.after(seconds, lambda: self._arrive(rule, event))

    def _arrive(self, rule: Rule, event: Event) -> None:
        self.in_transit -= 1
        if isinstance(rule.target, ToBus):
            self.buses.accept(rule.target.bus, event)
        elif not isinstance(rule.target, ToLogGroup):
            body = self.ledger.deliver(event)
            self.sqs.send_message(QueueUrl=rule.target.queue, MessageBody=body)

    def _give_up(self, rule: Rule, event: Event) -> None:
        """After 24 hours and 185 tries EventBridge dead-letters, and says why."""
        self.in_transit -= 1
        attributes = {"ERROR_CODE": _text("SDK_CLIENT_ERROR"), "RULE_ARN": _text(rule.name)}
        self.sqs.send_message(
            QueueUrl=str(rule.dlq),
            MessageBody=self.ledger.deliver(event),
            MessageAttributes=attributes,
        )

    def _on_bus(self, bus: str, event: Event) -> None:
        if self._story.is_told:
            record = self.ledger.record_of(event.detail)
            self._story.tell(bus, f"has {name_of(record) if record else event.detail}")
        self.ledger.on_bus(bus, event)

    def _on_queue(self, what: What, queue: str, message: Message) -> None:
        if self._story.is_told:
            self._story.tell(queue, f"{self._name(message.body)} {what}")
        if queue in DEAD_LETTER_QUEUES:
            if what in ("sent", "dead-lettered"):
                self.ledger.dead_letter(queue, message)
            return
        if what == "deleted":
            self.ledger.delete(queue, message)
        elif what == "sent" and queue == FIFO:
            self.ledger.in_fifo(message)
        # What is received or deleted shows nothing, but to those behind it in its group.
        if what in ("sent", "shown") or (what == "deleted" and queue == FIFO):
            self.bells[queue].ring()

    def _name(self, body: str) -> str:
        event = self.ledger.event_of(body)
        record = self.ledger.record_of(event.detail if event else body)
        return name_of(record) if record else body[:60]


def _text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}
