"""In-memory adapters for a relay: outbox, stream, target, dead letters, and a FIFO queue.

Each has one hook, `fault`: what it raises is what the relay sees, before anything has happened.
"""

# ruff: noqa: N803 (the fake queue's names are boto3's)

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from contracts.outbox import OutboxRecord
from infra.resources import Queue
from relay.ports import Failure
from runtime.batches import Limits
from runtime.errors import Unavailable
from runtime.ids import utc_now
from runtime.outbox.ports import never
from runtime.outbox.rows import EVER, Row, Unpublishable, is_old
from runtime.outbox.stats import OutboxStats
from tests.builders import a_record
from tests.memory_queues import Held, MemorySqs, Message

LIMITS = Limits(entries=10, total_bytes=1024 * 1024)

THROTTLED = Failure("ThrottlingException", "slow down")
UNKNOWN = Failure("NobodyKnowsThis", "it is in no list")
MALFORMED = Failure("MalformedDetail", "Detail is malformed.")

Fault = Callable[[Sequence[Any]], object]


def no_fault(_: Sequence[Any]) -> None:
    """Nothing goes wrong."""


def seldom(seed: int, share: float, error: Callable[[], Exception]) -> Fault:
    """A fault that strikes a share of the calls, the same ones for the same seed."""
    random, lock = Random(seed), threading.Lock()

    def fault(_: Sequence[Any]) -> None:
        with lock:
            strikes = random.random() < share
        if strikes:
            raise error()

    return fault


def failing(errors: Iterable[Exception]) -> Fault:
    """A fault that raises one of these after the other, call by call, and then nothing more."""
    left, lock = iter(errors), threading.Lock()

    def fault(_: Sequence[Any]) -> None:
        with lock:
            error = next(left, None)
        if error is not None:
            raise error

    return fault


def throttled_by(fault: Fault) -> Callable[[OutboxRecord], Failure | None]:
    """Answers of a target that throttles the entries for which a fault strikes."""

    def answer(record: OutboxRecord) -> Failure | None:
        try:
            fault([record])
        except Unavailable:
            return THROTTLED
        return None

    return answer


def away() -> Unavailable:
    return Unavailable("Fake", "away")


def record_of(aggregate_id: str, sequence: int, **changes: Any) -> OutboxRecord:
    values: dict[str, Any] = {
        "aggregate_id": aggregate_id,
        "sequence": sequence,
        "event_id": f"{aggregate_id}-{sequence}",
        "occurred_at": utc_now(),
    }
    return a_record(**values | changes)


def row_of(aggregate_id: str, sequence: int, **changes: Any) -> Row:
    content = record_of(aggregate_id, sequence, **changes)
    return Row(aggregate_id, sequence, (aggregate_id, sequence), content)


def poison(aggregate_id: str, sequence: int) -> Row:
    content = Unpublishable('{"broken":true}', ValueError("detail is missing"))
    return Row(aggregate_id, sequence, (aggregate_id, sequence), content)


@dataclass
class MemoryOutbox:
    """An Outbox. `journal` is what happened to which row, shared with the target.

    As DynamoDB does, it looks at `page` rows at a time and then leaves out the young ones, so any
    page may be short or empty with others behind it. `gaps` are pages that never hold anything.
    """

    max_deletes: int = 25
    page: int = 100
    gaps: int = 0
    fault: Fault = no_fault
    journal: list[tuple[str, tuple[str, int]]] = field(default_factory=list)
    unprocessed: Callable[[Sequence[Row]], Sequence[Row]] = lambda rows: ()
    rows: dict[tuple[str, int], Row] = field(default_factory=dict)

    def put(self, *rows: Row) -> None:
        self.rows |= {row.key: row for row in rows}

    def scan(self, before: datetime = EVER) -> Iterator[Sequence[Row]]:
        self.fault(())
        for _ in range(self.gaps):
            yield []
        rows = sorted(self.rows.values(), key=lambda row: row.key)
        for start in range(0, max(len(rows), 1), self.page):
            yield [row for row in rows[start : start + self.page] if is_old(row, before)]

    def stats(
        self,
        before: datetime = EVER,
        *,
        limit: int | None = None,
        stopped: Callable[[], bool] = never,
    ) -> OutboxStats:
        self.fault(())
        found = OutboxStats.of((row.occurred_at for row in self.rows.values()), before)
        found = replace(found, at_least=stopped())
        return found if limit is None else found.limited(limit)

    def delete(self, rows: Sequence[Row]) -> Sequence[Row]:
        assert 0 < len(rows) <= self.max_deletes
        self.fault(rows)
        left = self.unprocessed(rows)
        for row in rows:
            if row not in left:
                self.journal.append(("deleted", row.key))
                self.rows.pop(row.key, None)
        return left


@dataclass
class MemoryTarget:
    """A Target that remembers, in order, what it accepted; `answer` decides entry by entry."""

    limits: Limits = LIMITS
    fault: Fault = no_fault
    journal: list[tuple[str, tuple[str, int]]] = field(default_factory=list)
    answer: Callable[[OutboxRecord], Failure | None] = lambda record: None
    accepted: list[OutboxRecord] = field(default_factory=list)
    calls: list[list[tuple[str, int]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def size_of(self, record: OutboxRecord) -> int:
        return record.size

    def publish(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None]:
        keys = [(record.aggregate_id, record.sequence) for record in records]
        with self._lock:
            self.calls.append(keys)
        self.fault(records)
        answers = [self.answer(record) for record in records]
        with self._lock:
            for record, key, failure in zip(records, keys, answers, strict=True):
                if failure is None:
                    self.accepted.append(record)
                    self.journal.append(("published", key))
        return answers

    @property
    def keys(self) -> list[tuple[str, int]]:
        return [(record.aggregate_id, record.sequence) for record in self.accepted]

    def sequences(self, aggregate_id: str) -> list[int]:
        return [sequence for name, sequence in self.keys if name == aggregate_id]


@dataclass
class MemoryDeadLetters:
    """DeadLetters: (aggregate id, body, error), and beside them how each body is written."""

    fault: Fault = no_fault
    sent: list[tuple[str, str, Exception]] = field(default_factory=list)
    encodings: list[str | None] = field(default_factory=list)

    def send(
        self,
        aggregate_id: str,
        body: str,
        error: Exception,
        *,
        encoding: str | None = None,
        once: bool = False,
    ) -> None:
        if once and body in [sent for _, sent, _ in self.sent]:
            return
        self.fault([body])
        self.sent.append((aggregate_id, body, error))
        self.encodings.append(encoding)


@dataclass
class ScriptedFeed:
    """A ChangeFeed: each read takes what was delivered next, or raises it if it is an error."""

    on_open: Callable[[], object] = lambda: None
    opened: int = 0
    pending: deque[Row | Exception] = field(default_factory=deque)

    def deliver(self, *what: Row | Exception) -> None:
        self.pending.extend(what)

    def open(self) -> None:
        self.opened += 1
        self.on_open()

    def read(self) -> list[Row]:
        try:
            found = self.pending.popleft()
        except IndexError:
            threading.Event().wait(0.005)
            return []
        if isinstance(found, Exception):
            raise found
        return [found]


class LazyOutbox(MemoryOutbox):
    """An Outbox with a backlog that is made while it is read; counts what was read ahead of it."""

    def __init__(self, count: int, *, page: int, detail: str) -> None:
        super().__init__(page=page)
        self._count, self._detail = count, detail
        self._lock = threading.Lock()
        self.deleted: set[tuple[str, int]] = set()
        self.read = self.most_ahead = 0

    def scan(self, before: datetime = EVER) -> Iterator[Sequence[Row]]:
        then = before - timedelta(hours=1)
        for start in range(0, self._count, self.page):
            numbers = range(start, min(start + self.page, self._count))
            with self._lock:
                self.read += len(numbers)
                self.most_ahead = max(self.most_ahead, self.read - len(self.deleted))
            yield [row_of(f"a{n}", 1, occurred_at=then, detail=self._detail) for n in numbers]

    def delete(self, rows: Sequence[Row]) -> Sequence[Row]:
        with self._lock:
            self.deleted |= {row.key for row in rows}
        return []


class MemoryQueue(MemorySqs):
    """One FIFO queue for forwarders in threads, with a fault for each operation.

    Time passes by `pass_time`; a message that was received is hidden until it passes. A fault that
    answers a delete with a bool has it fail behind HTTP 200: by whose fault says the bool.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.fault: Callable[[str], object] = lambda operation: None
        self._lock = threading.RLock()
        super().__init__((), now=lambda: self.now)
        self._held = self.queues["url"] = Held(Queue("events.fifo", visibility_timeout=30))

    def put(self, group: str, body: str) -> None:
        with self._lock:
            unique = str(len(self._held.taken))
            self.send_message(
                QueueUrl="url",
                MessageBody=body,
                MessageGroupId=group,
                MessageDeduplicationId=unique,
            )

    def pass_time(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds

    @property
    def messages(self) -> list[Message]:
        return self._held.messages

    @property
    def receives(self) -> dict[str, int]:
        return {message.message_id: message.receives for message in self.messages}

    def receive_message(self, **request: Any) -> dict[str, list[dict[str, Any]]]:
        self.fault("receive")
        with self._lock:
            answer = super().receive_message(**request)
        if not answer:
            threading.Event().wait(0.005)
        return answer

    def delete_message_batch(
        self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        assert 0 < len(Entries) <= 10
        failed = self.fault("delete")
        if isinstance(failed, bool):
            return {
                "Failed": [{"Id": each["Id"], "SenderFault": failed} for each in Entries],
                "Successful": [],
            }
        with self._lock:
            return super().delete_message_batch(QueueUrl=QueueUrl, Entries=Entries)

    def change_message_visibility_batch(
        self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        assert 0 < len(Entries) <= 10
        self.fault("visibility")
        with self._lock:
            return super().change_message_visibility_batch(QueueUrl=QueueUrl, Entries=Entries)
