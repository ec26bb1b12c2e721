"""The pipeline between an outbox and a target: what leaves the outbox was accepted, in order."""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from time import monotonic
from typing import Any

import pytest

from contracts.outbox import OutboxRecord
from relay.pipeline import DELETE_DEADLINE, DELETERS, PUBLISH_DEADLINE, PUBLISHERS, Pipeline
from relay.ports import Failure, NeverAccepted, RelayAdapters, StaysInOutbox
from relay.window import Window
from runtime.aws import patience
from runtime.congestion import LONGEST_TIMEOUT
from runtime.errors import Unavailable
from runtime.metrics import RelayMetrics, new_registry
from runtime.outbox.rows import Row
from runtime.process.shutdown import Stop
from tests.relay_fakes import (
    MALFORMED,
    THROTTLED,
    UNKNOWN,
    MemoryDeadLetters,
    MemoryOutbox,
    MemoryTarget,
    away,
    failing,
    poison,
    row_of,
    seldom,
    throttled_by,
)
from tests.threads import beside
from verification.testkit.waiting import eventually


@dataclass
class Relay:
    """A pipeline between fakes that share one journal."""

    max_rows: int = 2000
    publish_deadline: float = PUBLISH_DEADLINE
    delete_deadline: float = DELETE_DEADLINE
    stop: Stop = field(default_factory=Stop)
    metrics: RelayMetrics = field(default_factory=lambda: RelayMetrics(new_registry()))
    dead_letters: MemoryDeadLetters = field(default_factory=MemoryDeadLetters)
    journal: list[tuple[str, tuple[str, int]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.outbox = MemoryOutbox(journal=self.journal)
        self.target = MemoryTarget(journal=self.journal)
        self.pipeline = Pipeline(
            RelayAdapters(self.outbox, self.target, self.dead_letters),
            stop=self.stop,
            metrics=self.metrics,
            window=Window(max_rows=self.max_rows, max_bytes=16_000_000),
            longest_wait=0.02,
            publish_deadline=self.publish_deadline,
            delete_deadline=self.delete_deadline,
        )

    def commit(self, *rows: Row) -> None:
        """Put rows in the outbox and offer them to the pipeline."""
        self.outbox.put(*rows)
        self.pipeline.window.offer(rows)

    def drained(self) -> None:
        eventually(lambda: not len(self.pipeline.window), what="an empty window")

    @contextmanager
    def running(self) -> Iterator[threading.Thread]:
        with beside(self.pipeline.run, self.stop.request) as thread:
            yield thread

    def drain(self) -> None:
        with self.running():
            self.drained()


pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture
def relay_() -> Relay:
    return Relay()


def test_a_row_is_deleted_only_after_it_was_accepted(relay_: Relay) -> None:
    """For every row the journal says published, then deleted, once each."""
    rows = [row_of(f"a{n % 7}", n) for n in range(1, 101)]
    with relay_.running():
        relay_.commit(*rows)
        relay_.drained()
    assert not relay_.outbox.rows
    for row in rows:
        story = [what for what, key in relay_.journal if key == row.key]
        assert story == ["published", "deleted"]
    for aggregate in {row.aggregate_id for row in rows}:
        sequences = relay_.target.sequences(aggregate)
        assert sequences == sorted(sequences)


def test_only_the_failed_entries_of_a_batch_are_sent_again(relay_: Relay) -> None:
    """What a target accepted in a half-failed call is sent once; the rest until it is accepted."""
    tries: Counter[str] = Counter()

    def answer(record: OutboxRecord) -> Failure | None:
        tries[record.aggregate_id] += 1
        is_odd = int(record.aggregate_id[1:]) % 2 == 1
        return THROTTLED if is_odd and tries[record.aggregate_id] < 3 else None

    relay_.target.answer = answer
    relay_.commit(*(row_of(f"a{n}", 1) for n in range(10)))
    relay_.drain()
    sent = Counter(key for call in relay_.target.calls for key in call)
    assert len(relay_.target.calls[0]) == 10
    assert all(sent[f"a{n}", 1] == (3 if n % 2 else 1) for n in range(10))
    assert sorted(relay_.target.keys) == [(f"a{n}", 1) for n in range(10)]
    assert all(tries[f"a{n}"] == (3 if n % 2 else 1) for n in range(10))


def test_rows_that_meet_an_unknown_error_alone_hold_no_publisher(relay_: Relay) -> None:
    """More of them than there are publishers: others pass, and what is behind each waits for it."""
    odd = [f"odd{n}" for n in range(PUBLISHERS * 2)]
    refused = set(odd)
    relay_.target.answer = lambda record: UNKNOWN if record.aggregate_id in refused else None
    with relay_.running():
        relay_.commit(*(row_of(name, n) for name in odd for n in (1, 2)))
        relay_.commit(*(row_of(f"good{n}", 1) for n in range(100)))
        eventually(lambda: len(relay_.target.keys) == 100, what="the good rows")
        assert not any(name.startswith("odd") for name, _ in relay_.target.keys)
        refused.clear()
        relay_.drained()
    assert all(relay_.target.sequences(name) == [1, 2] for name in odd)
    assert not relay_.dead_letters.sent
    assert not relay_.outbox.rows


def test_of_one_call_what_is_throttled_and_what_is_unknown_both_come_again(relay_: Relay) -> None:
    """One entry too fast, another with an error in no list: neither is left in the window."""
    tries: Counter[str] = Counter()

    def answer(record: OutboxRecord) -> Failure | None:
        tries[record.aggregate_id] += 1
        first = {"fast": THROTTLED, "odd": UNKNOWN}
        return first.get(record.aggregate_id) if tries[record.aggregate_id] == 1 else None

    relay_.target.answer = answer
    relay_.commit(row_of("fast", 1), row_of("odd", 1), row_of("good", 1))
    relay_.drain()
    assert sorted(relay_.target.keys) == [("fast", 1), ("good", 1), ("odd", 1)]


def test_connections_that_break_lengthen_no_timeout(relay_: Relay) -> None:
    """Whether it was accepted is open, so it is sent again; but nothing was waited for."""
    waited: list[float | None] = []

    def fault(_: Sequence[Any]) -> None:
        waited.append(patience())
        if len(waited) < 6:
            raise Unavailable("the bus", "ConnectionClosedError", is_lost=True)

    relay_.target.fault = fault
    relay_.commit(row_of("a", 1))
    relay_.drain()
    assert relay_.target.keys == [("a", 1)]
    assert waited == [LONGEST_TIMEOUT] * 6


def test_an_unknown_error_of_the_whole_target_buries_nothing(relay_: Relay) -> None:
    """Every call fails with it for a while: all rows are there afterwards, in order and once."""
    failures = iter(range(300))
    relay_.target.answer = lambda _: UNKNOWN if next(failures, None) is not None else None
    with relay_.running():
        relay_.commit(*(row_of(f"a{n % 7}", n) for n in range(1, 101)))
        relay_.drained()
    assert sorted(relay_.target.keys) == sorted((f"a{n % 7}", n) for n in range(1, 101))
    for name in {name for name, _ in relay_.target.keys}:
        assert relay_.target.sequences(name) == sorted(relay_.target.sequences(name))
    assert not relay_.dead_letters.sent


def test_no_event_overtakes_a_failed_one_of_its_aggregate(relay_: Relay) -> None:
    """While an event is tried again its aggregate's later events wait; other aggregates go on."""
    refused = {"slow-1"}
    relay_.target.answer = lambda record: THROTTLED if record.event_id in refused else None
    with relay_.running():
        relay_.commit(*(row_of("slow", n) for n in (1, 2, 3)), *(row_of("fast", n) for n in (1, 2)))
        eventually(lambda: relay_.target.sequences("fast") == [1, 2], what="the fast aggregate")
        assert relay_.target.sequences("slow") == []
        refused.clear()
        relay_.drained()
    assert relay_.target.sequences("slow") == [1, 2, 3]


def test_an_entry_that_is_never_accepted_is_dead_lettered(relay_: Relay) -> None:
    """Its record goes to the dead letters, with the code, then the row goes; neighbours pass."""
    relay_.target.answer = lambda record: MALFORMED if record.aggregate_id == "bad" else None
    bad, good = row_of("bad", 1), row_of("good", 1)
    relay_.commit(bad, good)
    relay_.drain()
    assert not relay_.outbox.rows
    assert relay_.target.keys == [("good", 1)]
    ((aggregate, body, error),) = relay_.dead_letters.sent
    assert aggregate == "bad"
    assert isinstance(bad.content, OutboxRecord)
    assert body == bad.content.to_json()
    assert isinstance(error, NeverAccepted)
    assert str(error) == "MalformedDetail: Detail is malformed."


def test_dead_letters_that_are_away_do_not_undo_their_neighbours(relay_: Relay) -> None:
    """Neighbours in the batch were accepted: they are sent once, however long the queue is away."""
    relay_.dead_letters.fault = failing([away(), away()])
    relay_.target.answer = lambda record: MALFORMED if record.aggregate_id < "a2" else None
    relay_.commit(*(row_of(f"a{n}", sequence) for n in range(6) for sequence in (1, 2)))
    relay_.drain()
    assert Counter(relay_.target.keys) == Counter(
        (f"a{n}", sequence) for n in range(2, 6) for sequence in (1, 2)
    )
    aside = sorted(aggregate for aggregate, _, _ in relay_.dead_letters.sent)
    assert aside == ["a0", "a0", "a1", "a1"]
    assert not relay_.outbox.rows


def test_poison_is_dead_lettered_and_stops_no_other_row(relay_: Relay) -> None:
    """A malformed row goes to the dead letters as it was found; its aggregate goes on too."""
    relay_.commit(row_of("a", 1), poison("a", 2), row_of("a", 3), poison("b", 1), row_of("c", 1))
    relay_.drain()
    assert relay_.target.sequences("a") == [1, 3]
    assert relay_.target.sequences("c") == [1]
    assert {(aggregate, body) for aggregate, body, _ in relay_.dead_letters.sent} == {
        ("a", '{"broken":true}'),
        ("b", '{"broken":true}'),
    }
    assert not relay_.outbox.rows


def test_what_not_even_the_dead_letters_take_stays_and_holds_no_publisher(relay_: Relay) -> None:
    """More such rows than publishers, and the good one behind them still passes."""
    relay_.dead_letters.fault = failing(repeat(ValueError("too large for a message")))
    rows = [poison(f"bad{n}", 1) for n in range(PUBLISHERS + 4)]
    relay_.commit(*rows, row_of("good", 1))
    relay_.drain()
    assert relay_.target.keys == [("good", 1)]
    assert set(relay_.outbox.rows) == {row.key for row in rows}


def test_a_row_that_stays_is_reported_by_its_key_once(relay_: Relay) -> None:
    """However often it is met; it counts as stuck as long as it is."""

    def fault(bodies: Sequence[Any]) -> None:
        if "broken" in bodies[0]:
            raise ValueError("too large for a message")

    relay_.dead_letters.fault = fault
    with relay_.running():
        for _ in range(3):
            relay_.commit(poison("bad", 1))
            relay_.drained()
    ((aggregate_id, body, error),) = relay_.dead_letters.sent
    assert aggregate_id == "bad"
    assert json.loads(body) == {"aggregateId": "bad", "sequence": 1, "bsonId": None}
    assert relay_.dead_letters.encodings == ["row-key"]
    assert isinstance(error, StaysInOutbox)
    assert "detail is missing" in str(error)
    assert "too large for a message" in str(error)
    assert stuck_records(relay_) == 1


@pytest.mark.parametrize("error", [away(), RuntimeError("a bug")])
def test_a_target_that_fails_loses_nothing(relay_: Relay, error: Exception) -> None:
    """An outage, or a bug, holds rows where they are; when it is over all pass in order."""
    down = threading.Event()
    down.set()

    def fault(_: Sequence[Any]) -> None:
        if down.is_set():
            raise error

    relay_.target.fault = fault
    relay_.commit(*(row_of("a", n) for n in (1, 2, 3)))
    with relay_.running():
        eventually(lambda: len(relay_.target.calls) >= 2, what="two tries")
        assert len(relay_.outbox.rows) == 3
        assert not relay_.journal
        down.clear()
        relay_.drained()
    assert relay_.target.sequences("a") == [1, 2, 3]


@pytest.mark.parametrize("error", [away(), RuntimeError("a bug")])
def test_a_delete_that_fails_is_tried_again(relay_: Relay, error: Exception) -> None:
    """Nothing is published twice for it, and more failures than deleters hold no other row."""
    relay_.outbox.fault = failing(repeat(error, DELETERS + 2))
    with relay_.running():
        for n in range(20):
            relay_.commit(row_of(f"a{n}", 1))
        relay_.drained()
    assert not relay_.outbox.rows
    assert sorted(relay_.target.keys) == sorted((f"a{n}", 1) for n in range(20))


def test_a_deleter_waits_for_rows_that_follow(relay_: Relay) -> None:
    """Rows that are published one after the other leave the outbox in one call."""
    calls: list[int] = []
    relay_.outbox.fault = lambda rows: calls.append(len(rows))
    rows = [row_of(f"a{n}", 1) for n in range(25)]
    deleting = threading.Thread(target=relay_.pipeline.delete_next, kwargs={"linger": 10})
    deleting.start()
    for row in rows:
        relay_.pipeline._published.put([row])
    deleting.join(60)
    assert calls == [25]


def test_unprocessed_deletes_are_tried_again(relay_: Relay) -> None:
    """BatchWriteItem may leave part of its items: only those are deleted again."""
    calls: list[list[tuple[str, int]]] = []

    def unprocessed(rows: Sequence[Row]) -> Sequence[Row]:
        calls.append([row.key for row in rows])
        return rows[len(rows) // 2 :] if len(rows) > 1 else []

    relay_.outbox.unprocessed = unprocessed
    relay_.commit(*(row_of(f"a{n}", 1) for n in range(8)))
    relay_.drain()
    assert not relay_.outbox.rows
    deleted = [key for what, key in relay_.journal if what == "deleted"]
    assert len(deleted) == len(set(deleted)) == 8
    assert any(after == before[len(before) // 2 :] for before in calls for after in calls)


def test_a_stop_finishes_what_is_in_flight(relay_: Relay) -> None:
    """What is being published is deleted too; what was not taken stays in the outbox."""
    reached, go_on = threading.Event(), threading.Event()

    def fault(_: Sequence[Any]) -> None:
        reached.set()
        go_on.wait(60)

    relay_.target.fault = fault
    relay_.commit(*(row_of("a", n) for n in (1, 2, 3)))
    with relay_.running() as thread:
        assert reached.wait(60)
        relay_.stop.request()
        eventually(lambda: relay_.pipeline.window._closed, what="a closed window")
        go_on.set()
        thread.join(timeout=60)
    assert relay_.journal == [("published", ("a", 1)), ("deleted", ("a", 1))]
    assert set(relay_.outbox.rows) == {("a", 2), ("a", 3)}


def test_a_stop_in_an_outage_keeps_the_rows(relay_: Relay) -> None:
    """Publish and delete both fail: the pipeline stops at once, with every row in the outbox."""
    published = threading.Event()

    def fault(_: Sequence[Any]) -> None:
        if published.is_set():
            raise away()
        published.set()

    relay_.target.fault = fault
    relay_.outbox.fault = seldom(1, 1.0, away)
    with relay_.running():
        relay_.commit(row_of("a", 1))
        eventually(lambda: relay_.target.keys == [("a", 1)], what="the first")
        relay_.commit(row_of("b", 1))
        eventually(lambda: len(relay_.target.calls) >= 2, what="a failed try")
        since = monotonic()
    assert monotonic() - since < PUBLISH_DEADLINE
    assert set(relay_.outbox.rows) == {("a", 1), ("b", 1)}


def test_a_stop_does_not_wait_for_an_answer_that_never_comes() -> None:
    """A call that hangs is left behind: its row is in the outbox, or it was deleted."""
    relay_ = Relay(publish_deadline=0.1, delete_deadline=0.2)
    reached, never = threading.Event(), threading.Event()

    def fault(_: Sequence[Any]) -> None:
        reached.set()
        never.wait(100)

    relay_.target.fault = fault
    relay_.commit(row_of("a", 1))
    with relay_.running() as thread:
        assert reached.wait(60)
        relay_.stop.request()
        thread.join(timeout=60)
        assert not thread.is_alive()
    never.set()
    assert set(relay_.outbox.rows) == {("a", 1)}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_fails_and_however_often_all_arrive_in_order(seed: int) -> None:
    """Calls and entries fail at random: everything is published in order and nothing twice."""
    relay_ = Relay(max_rows=40)
    relay_.target.fault = seldom(seed, 0.2, away)
    relay_.outbox.fault = seldom(seed + 100, 0.2, away)
    relay_.target.answer = throttled_by(seldom(seed + 200, 0.05, away))
    rows = [row_of(f"a{n % 30}", n // 30 + 1) for n in range(150)]
    with relay_.running():
        relay_.commit(*rows)
        relay_.drained()
    assert not relay_.outbox.rows
    assert Counter(relay_.target.keys) == Counter(row.key for row in rows)
    for aggregate in {row.aggregate_id for row in rows}:
        assert relay_.target.sequences(aggregate) == [1, 2, 3, 4, 5]
    for row in rows:
        story = [what for what, key in relay_.journal if key == row.key]
        assert story == ["published", "deleted"]


def stuck_records(relay_: Relay) -> float:
    """What the gauge outbox_stuck_records says."""
    ((sample,),) = (metric.samples for metric in relay_.metrics.stuck.collect())
    return sample.value
