"""The window: in order per aggregate, one batch at a time per aggregate, bounded, and awake."""

import threading
from collections import defaultdict
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from contracts.outbox import OutboxRecord
from relay.window import Window
from runtime.batches import Limits
from runtime.outbox.rows import Row
from tests.relay_fakes import MemoryTarget, poison, row_of
from tests.threads import ended, started
from verification.testkit.waiting import eventually

MAX_ROWS, MAX_BYTES = 6, 6000
START, SECOND = datetime(2026, 11, 23, 9, 30, tzinfo=UTC), timedelta(seconds=1)
TARGET = MemoryTarget(limits=Limits(entries=3, total_bytes=1500))


def sizes(rows: list[Row]) -> int:
    return sum(row.size for row in rows)


class WindowMachine(RuleBasedStateMachine):
    """Offers, takes, settles and removes in any order, beside a model that is plain lists."""

    def __init__(self) -> None:
        super().__init__()
        self.window = Window(max_rows=MAX_ROWS, max_bytes=MAX_BYTES)
        self.waiting: dict[str, list[int]] = defaultdict(list)
        self.rows: dict[tuple[str, int], Row] = {}
        self.batches: list[list[Row]] = []
        self.settled: list[list[Row]] = []

    def has_room(self, row: Row) -> bool:
        fits = sizes(list(self.rows.values())) + row.size <= MAX_BYTES
        return not self.rows or (len(self.rows) < MAX_ROWS and fits)

    @rule(
        aggregate=st.sampled_from("abc"),
        sequence=st.integers(1, 6),
        text=st.integers(0, 900),
        broken=st.booleans(),
    )
    def offer(self, aggregate: str, sequence: int, text: int, broken: bool) -> None:
        detail = f'{{"text":"{"x" * text}"}}'
        row = poison(aggregate, sequence) if broken else row_of(aggregate, sequence, detail=detail)
        if row.key in self.rows:
            assert self.window.offer([row]) == 0
        elif self.has_room(row):
            assert self.window.offer([row]) == 1
            self.rows[row.key] = row
            self.waiting[aggregate].append(sequence)

    def ready(self) -> set[str]:
        busy = {row.aggregate_id for batch in self.batches for row in batch}
        return {name for name, waiting in self.waiting.items() if waiting and name not in busy}

    @precondition(lambda self: self.ready())
    @rule()
    def take(self) -> None:
        ready = self.ready()
        batch = self.window.take(TARGET)
        names = [row.aggregate_id for row in batch]
        assert batch
        assert set(names) <= ready
        assert len(names) == len(set(names)) <= 3
        if len(batch) > 1:
            records = [row.content for row in batch if isinstance(row.content, OutboxRecord)]
            assert sum(map(TARGET.size_of, records)) <= 1500
            assert all(row.occurred_at for row in batch), "a row to set aside comes alone"
        for row in batch:
            assert row is self.rows[row.key]
            assert row.sequence == min(self.waiting[row.aggregate_id])
            self.waiting[row.aggregate_id].remove(row.sequence)
        self.batches.append(batch)

    @precondition(lambda self: self.batches)
    @rule(index=st.integers(0, 9), half=st.booleans())
    def settle(self, index: int, half: bool) -> None:
        """A batch may settle in parts, as when a target accepts half of it."""
        batch = self.batches[index % len(self.batches)]
        part = batch[: (len(batch) + 1) // 2] if half else list(batch)
        self.window.settle(part)
        self.settled.append(part)
        batch[:] = [row for row in batch if row not in part]
        self.batches = [each for each in self.batches if each]

    @precondition(lambda self: self.settled)
    @rule(index=st.integers(0, 9))
    def remove(self, index: int) -> None:
        rows = self.settled.pop(index % len(self.settled))
        self.window.remove(rows)
        for row in rows:
            del self.rows[row.key]

    @invariant()
    def bounded(self) -> None:
        assert len(self.window) == len(self.rows) <= MAX_ROWS
        assert len(self.rows) <= 1 or sizes(list(self.rows.values())) <= MAX_BYTES


TestWindow = WindowMachine.TestCase
TestWindow.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_row_larger_than_the_window_passes_alone() -> None:
    """An empty window has room for any one row, and then for no other."""
    window = Window(max_rows=10, max_bytes=100)
    large, small = row_of("a", 1), row_of("b", 1)
    assert large.size > 100
    assert window.offer([large]) == 1
    offering = started(lambda: window.offer([small]))
    batch = window.take(MemoryTarget())
    assert batch == [large]
    assert len(window) == 1
    window.settle(batch)
    window.remove(batch)
    assert ended(offering)
    assert window.take(MemoryTarget()) == [small]


def test_a_sweep_fills_no_more_than_half_of_the_window() -> None:
    """By rows and by bytes; the other half has room for what is new, which may take all of it."""
    size = row_of("a", 1).size
    for window in (
        Window(max_rows=4, max_bytes=100 * size),
        Window(max_rows=100, max_bytes=4 * size),
    ):
        backlog = started(lambda window=window: window.offer(map(_swept, range(3)), swept=True))  # type: ignore[misc]
        eventually(lambda: len(window) == 2, what="two of the backlog")  # noqa: B023
        assert window.offer([row_of("n", 1), row_of("n", 2)]) == 2
        assert backlog.is_alive()
        batch = window.take(MemoryTarget())
        assert [row.aggregate_id for row in batch] == ["0", "1", "n"]
        window.settle(batch)
        window.remove(batch)
        assert ended(backlog)
        assert len(window) == 2


def _swept(number: int) -> Row:
    return row_of(str(number), 1)


def test_the_oldest_row_is_told_until_it_is_removed() -> None:
    """Taken or not; one without a time is passed over."""
    window = Window(max_rows=10, max_bytes=10_000)
    assert window.oldest() is None
    first, second = (row_of(name, 1, occurred_at=START + n * SECOND) for n, name in enumerate("ab"))
    window.offer([poison("x", 1), second, first])
    assert window.oldest() == START
    window.remove([first])
    assert window.oldest() == START + SECOND


def test_an_offer_waits_until_rows_are_removed_and_not_only_settled() -> None:
    """A row that is published but not deleted still counts: a crash would send it again."""
    window = Window(max_rows=1, max_bytes=10_000)
    window.offer([row_of("a", 1)])
    batch = window.take(MemoryTarget())
    window.settle(batch)
    offering = started(lambda: window.offer([row_of("a", 2)]))
    offering.join(timeout=0.05)
    assert offering.is_alive()
    window.remove(batch)
    assert ended(offering)


def test_a_row_that_two_offer_while_both_wait_is_taken_once() -> None:
    """The feed and a sweep may find the same row while the window is full."""
    window = Window(max_rows=1, max_bytes=10_000)
    window.offer([row_of("a", 1)])
    new: list[int] = []
    offering = [started(lambda: new.append(window.offer([row_of("b", 1)]))) for _ in range(2)]
    batch = window.take(MemoryTarget())
    window.settle(batch)
    window.remove(batch)
    assert window.wait()
    assert [row.key for row in window.take(MemoryTarget())] == [("b", 1)]
    eventually(lambda: len(new) == 2, what="both offers return")
    assert sorted(new) == [0, 1]
    assert all(ended(thread) for thread in offering)


def test_close_releases_everybody() -> None:
    """Those who offer, those who take and those who wait for the end all return."""
    full, empty = (Window(max_rows=1, max_bytes=10_000) for _ in range(2))
    full.offer([row_of("a", 1)])
    threads = [
        started(lambda: full.offer([row_of("b", 1)])),
        started(full.wait_until_empty),
        *(started(empty.wait) for _ in range(3)),
    ]
    full.close()
    empty.close()
    assert all(ended(thread) for thread in threads)
    assert full.take(MemoryTarget()) == []
    assert full.offer([row_of("c", 1)]) == 0
    assert len(full) == 1


def test_no_wake_up_is_lost_between_many_threads() -> None:
    """Four that offer and eight that take move every row, in order, within the bounds."""
    window = Window(max_rows=20, max_bytes=1_000_000)
    target = MemoryTarget(limits=Limits(entries=3, total_bytes=1_000_000))
    taken: dict[str, list[int]] = defaultdict(list)
    in_flight: set[str] = set()
    lock = threading.Lock()
    widest = 0

    def offer(name: str) -> None:
        for sequence in range(1, 101):
            window.offer([row_of(f"{name}-{sequence % 5}", sequence)])

    def take() -> None:
        nonlocal widest
        while window.wait():
            batch = window.take(target)
            with lock:
                names = {row.aggregate_id for row in batch}
                assert not names & in_flight
                in_flight.update(names)
                widest = max(widest, len(window))
                for row in batch:
                    taken[row.aggregate_id].append(row.sequence)
            with lock:
                in_flight.difference_update(names)
            window.settle(batch)
            window.remove(batch)

    takers = [started(take) for _ in range(8)]
    offers = [started(lambda name=name: offer(name)) for name in "wxyz"]  # type: ignore[misc]
    assert all(ended(thread) for thread in offers)
    emptied = started(window.wait_until_empty)
    assert ended(emptied)
    window.close()
    assert all(ended(thread) for thread in takers)
    assert sum(map(len, taken.values())) == 400
    assert all(sequences == sorted(sequences) for sequences in taken.values())
    assert widest <= 20


def test_one_settlement_wakes_as_many_as_there_is_work_for() -> None:
    """Three aggregates are free at once, and each of three that wait gets its batch."""
    window = Window(max_rows=20, max_bytes=1_000_000)
    one = MemoryTarget(limits=Limits(entries=1, total_bytes=1_000_000))
    window.offer([row_of(name, sequence) for sequence in (1, 2) for name in "abc"])
    first = window.take(MemoryTarget())
    assert len(first) == 3
    taken: list[list[Row]] = []

    def take() -> None:
        assert window.wait()
        taken.append(window.take(one))

    takers = [started(take) for _ in range(3)]
    waiting = window._has_ready._waiters  # type: ignore[attr-defined]
    eventually(lambda: len(waiting) == 3, what="three that wait")
    window.settle(first)
    assert all(ended(thread) for thread in takers)
    assert sorted(row.key for batch in taken for row in batch) == [("a", 2), ("b", 2), ("c", 2)]
