"""Keeps account of every event, and objects the moment that a promise is broken.

It sees what no process sees: what was really committed, accepted, handled and deleted.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import takewhile

from contracts.outbox import OutboxRecord
from infra.topology import TOPOLOGY
from runtime.outbox.rows import Row, Unpublishable
from tests.memory_buses import Event
from tests.memory_custom_buses import DEDUPLICATED_WITHIN, Stored
from tests.memory_queues import Message
from tests.simulation.plans import FIFO
from tests.simulation.telling import Finding

BUS_OF = {
    "app.subscriptions": "subscriptions-event-bus",
    "app.stock": "stock-event-bus",
    "app.payments": "payments-event-bus",
}
"""Where each source's events are published first."""

WORK_QUEUES = frozenset(queue.name for queue in TOPOLOGY.queues if queue.redrive)
DEAD_LETTER_QUEUES = frozenset(queue.name for queue in TOPOLOGY.queues) - WORK_QUEUES

FEW_RECEIPTS = 2
"""Receives that a message can lose: with three for all, one is left to a forwarder."""

Key = tuple[str, str, int]
"""An event: its source, its aggregate and its sequence."""


def key_of(record: OutboxRecord) -> Key:
    return record.source, record.aggregate_id, record.sequence


def name_of(record: OutboxRecord) -> str:
    return f"{record.event_type} {record.aggregate_id[:4]}#{record.sequence}"


class Ledger:
    """Who committed, published, handled and dead-lettered what."""

    def __init__(self) -> None:
        self.committed: dict[Key, OutboxRecord] = {}
        self.accepted: dict[str, set[Key]] = defaultdict(set)
        """By bus or FIFO queue, what it took from a relay or a forwarder."""
        self.published: dict[str, list[Event]] = defaultdict(list)
        """By bus, every event that was ever on it."""
        self.handled: dict[str, set[str]] = defaultdict(set)
        """By work queue, the details that its consumer has handled."""
        self.dead: dict[str, set[str]] = defaultdict(set)
        """By dead-letter queue, every body that was ever in it."""
        self.poison: set[str] = set()
        """Bodies and details that can never succeed."""
        self._by_text: dict[str, OutboxRecord] = {}
        self._delivered: dict[str, Event] = {}
        self._fifo: dict[str, list[Key]] = defaultdict(list)
        self._in_fifo: set[str] = set()
        self._lost_receipts = Counter[str]()
        self.excused: set[str] = set()
        """Bodies that SQS buried because of receives that nobody got to see."""
        self._ahead: dict[Key, set[Key]] = {}
        self._taken_at: dict[tuple[str, Key], float] = {}
        self._read: dict[tuple[str, str], int] = {}

    def commit(self, record: OutboxRecord) -> None:
        """One event per version, whoever else wanted to write it."""
        key = key_of(record)
        if key in self.committed:
            raise Finding(f"P3: version {record.sequence} was committed twice: {name_of(record)}")
        self.committed[key] = self._by_text[record.detail] = record
        if record.source == "app.payments":
            self._by_text[record.to_json()] = record

    def record_of(self, text: str) -> OutboxRecord | None:
        """The committed event of a detail or of a FIFO queue's body."""
        return self._by_text.get(text)

    def event_of(self, body: str) -> Event | None:
        """The event that EventBridge delivered as this body."""
        return self._delivered.get(body)

    def deliver(self, event: Event) -> str:
        """An event is on its way to a queue; returns the body that it has there."""
        body = event.to_json()
        self._delivered[body] = event
        return body

    def take_together(self, rows: Iterable[Row], beside: Iterable[tuple[str, int]]) -> None:
        """A relay takes rows while it has others: none may overtake an earlier one of those."""
        others = list(beside)
        for row in rows:
            if isinstance(row.content, OutboxRecord):
                source = row.content.source
                self._ahead[key_of(row.content)] = {
                    (source, name, sequence)
                    for name, sequence in others
                    if name == row.aggregate_id and sequence < row.sequence
                }

    def on_bus(self, bus: str, event: Event) -> None:
        record = self._by_text.get(event.detail)
        if record is None:
            raise Finding(f"P1: on {bus}, but never committed: {event.detail}")
        self.published[bus].append(event)
        if bus == BUS_OF[record.source]:
            key = key_of(record)
            if key not in self.accepted[bus]:
                self._in_order(record, self._ahead_in_fifo(key), bus)
                self.accepted[bus].add(key)

    def take_once(self, bus: str, stored: Stored) -> None:
        """A Custom Event Bus takes an event: within the window it does so once."""
        key = key_of(self._by_text[stored.event.detail])
        before = self._taken_at.get((bus, key))
        if before is not None and stored.at - before < DEDUPLICATED_WITHIN:
            name = name_of(self.committed[key])
            raise Finding(f"once: {name} twice on {bus}, after {stored.at - before:.0f} s")
        self._taken_at[bus, key] = stored.at

    def read_in_order(self, bus: str, stored: Stored) -> None:
        """A reader that asked for order gets an event: none of its aggregate that came after it.

        An answer of the reader's that is lost brings the same one again.
        """
        record = self._by_text[stored.event.detail]
        place = bus, record.aggregate_id
        if stored.sequence < self._read.get(place, 0):
            raise Finding(f"order: {name_of(record)} is read from {bus} after a later one")
        self._read[place] = stored.sequence

    def in_fifo(self, message: Message) -> None:
        self._in_fifo.add(message.body)
        record = self._by_text.get(message.body)
        if record is None:
            return
        key = key_of(record)
        if key not in self.accepted[FIFO]:
            self._in_order(record, (), FIFO)
            self.accepted[FIFO].add(key)
            self._fifo[record.aggregate_id].append(key)

    def lose_receipt(self, message_id: str) -> None:
        """SQS handed a message out, and the answer was lost."""
        self._lost_receipts[message_id] += 1

    def dead_letter(self, queue: str, message: Message) -> None:
        self.dead[queue].add(message.body)
        if self._lost_receipts[message.message_id] >= FEW_RECEIPTS:
            self.excused.add(message.body)

    def leave(self, rows: Sequence[Row]) -> None:
        """Rows leave an outbox: their events have to be in durable hands."""
        for row in rows:
            content = row.content
            if isinstance(content, Unpublishable):
                if not self._is_dead(content.body):
                    raise Finding(f"P2: poison left its outbox unseen: {content.body}")
            elif not self._is_durable(content):
                raise Finding(
                    f"P2: left its outbox and was not found elsewhere: {name_of(content)}"
                )

    def delete(self, queue: str, message: Message) -> None:
        """A message leaves a work queue: it was handled, or is in a dead-letter queue."""
        if self._is_dead(message.body):
            return
        if queue == FIFO:
            record = self._by_text.get(message.body)
            done = record is not None and key_of(record) in self.accepted[BUS_OF[record.source]]
        else:
            event = self._delivered.get(message.body)
            done = event is not None and event.detail in self.handled[queue]
        if not done:
            raise Finding(f"P6: deleted from {queue}, neither handled nor set aside: {message}")

    def _is_durable(self, record: OutboxRecord) -> bool:
        place = FIFO if record.source == "app.payments" else BUS_OF.get(record.source, "")
        if key_of(record) in self.accepted[place]:
            return True
        body = record.to_json()
        return body in self._in_fifo or self._is_dead(body)

    def _is_dead(self, body: str) -> bool:
        return any(body in bodies for bodies in self.dead.values())

    def _ahead_in_fifo(self, key: Key) -> Iterable[Key]:
        """Events of the same aggregate that the FIFO queue took before this one."""
        return takewhile(lambda each: each != key, self._fifo[key[1]])

    def _in_order(self, record: OutboxRecord, also: Iterable[Key], place: str) -> None:
        if place == FIFO or record.source != "app.payments":
            also = self._ahead.get(key_of(record), ())
        for key in also:
            earlier = self.committed.get(key)
            if (
                earlier is not None
                and key[2] < record.sequence
                and key not in self.accepted[place]
                and not self._is_dead(earlier.to_json())
            ):
                raise Finding(f"order: {name_of(record)} overtook {name_of(earlier)} on {place}")
