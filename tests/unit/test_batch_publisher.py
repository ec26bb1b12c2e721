"""A list of rows is published in rounds: tries, bounds, order per aggregate, what is left."""

import json
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

import relay.batch
from contracts.outbox import OutboxRecord
from relay.ports import Failure
from runtime.aws import patience
from runtime.batches import Limits
from runtime.congestion import LONGEST_TIMEOUT, TIMEOUTS
from runtime.errors import Unavailable
from runtime.outbox.rows import Row
from tests.lambda_relay import SUCCESS, LambdaRelay, events
from tests.relay_fakes import MALFORMED, THROTTLED, MemoryTarget, away, failing, record_of, seldom
from tests.stream_events import failures

pytestmark = pytest.mark.usefixtures("quiet")


def test_only_failed_entries_are_tried_again(relay_: LambdaRelay) -> None:
    """A throttle that passes is no failure, and between two tries there is a wait that grows."""
    tries: Counter[str] = Counter()

    def answer(record: OutboxRecord) -> Failure | None:
        tries[record.aggregate_id] += 1
        return THROTTLED if record.aggregate_id == "a3" and tries["a3"] < 4 else None

    relay_.target.answer = answer
    assert relay_.publish(relay_.commit(*events(*((f"a{n}", 1) for n in range(8))))) == SUCCESS
    assert tries.pop("a3") == 4
    assert set(tries.values()) == {1}
    first, second, third = relay_.waits
    assert 0 < first < second < third <= relay.batch.LONGEST_BATCH_WAIT


def test_each_row_has_its_own_tries(relay_: LambdaRelay) -> None:
    """Three in a row that need four tries each are more than one may have, and all pass."""
    tries: Counter[int] = Counter()

    def answer(record: OutboxRecord) -> Failure | None:
        tries[record.sequence] += 1
        return THROTTLED if tries[record.sequence] < 4 else None

    relay_.target.answer = answer
    assert relay_.publish(relay_.commit(*events(("a", 1), ("a", 2), ("a", 3)))) == SUCCESS
    assert relay_.target.sequences("a") == [1, 2, 3]


def test_an_outage_gives_everything_back(relay_: LambdaRelay) -> None:
    """The bus is away: all is reported, nothing dead-lettered, and every row stays."""
    relay_.target.fault = seldom(1, 1.0, away)
    records = relay_.commit(*events(*((f"a{n % 5}", n // 5 + 1) for n in range(20))))
    assert relay_.publish(records) == failures(records)
    assert len(relay_.outbox.rows) == 20
    assert not relay_.dead_letters.sent
    assert len(relay_.target.calls) == relay.batch.BATCH_TRIES
    assert sum(relay_.waits) < 10


def test_what_has_no_time_is_given_back(relay_: LambdaRelay) -> None:
    """No call begins whose answer might come after the end; what was published is deleted."""
    records = relay_.commit(*events(("a", 1), ("b", 1), ("a", 2), ("c", 1), ("a", 3)))

    def fault(records: Sequence[Any]) -> None:
        relay_.seconds_left = 5  # it took that long

    relay_.target.fault = fault
    relay_.target.answer = lambda record: THROTTLED if record.aggregate_id == "c" else None
    assert relay_.publish(records) == failures([records[2], records[3], records[4]])
    assert sorted(relay_.target.keys) == [("a", 1), ("b", 1)]
    assert set(relay_.outbox.rows) == {("a", 2), ("a", 3), ("c", 1)}


def test_a_call_that_might_not_be_answered_in_time_is_not_made(relay_: LambdaRelay) -> None:
    """Nothing is known of the bus yet, so its first answer is given the longest time."""
    relay_.seconds_left = LONGEST_TIMEOUT - 1
    records = relay_.commit(*events(("a", 1), ("b", 1)))
    assert relay_.publish(records) == failures(records)
    assert not relay_.target.calls


def test_a_row_without_an_answer_is_sent_again_with_more_time_for_it(relay_: LambdaRelay) -> None:
    """Also in a later invocation; and none begins whose answer would come after the end."""
    relay_.publish(relay_.commit(*events(("before", 1))))
    waited: list[float | None] = []

    def fault(records: Sequence[Any]) -> None:
        waited.append(patience())
        relay_.seconds += waited[-1] or 0
        raise Unavailable("the bus", "ReadTimeoutError", is_lost=True)

    relay_.target.fault = fault
    records = relay_.commit(*events(("a", 1)))
    for _ in range(2):
        assert relay_.publish(records) == failures(records)
    assert waited == [*TIMEOUTS]


def test_large_entries_go_in_calls_of_their_own(relay_: LambdaRelay) -> None:
    """A call carries no more bytes than the target takes."""
    relay_.target.limits = Limits(entries=10, total_bytes=3000)
    large = [record_of(f"a{n}", 1, detail=json.dumps({"text": "x" * 1200})) for n in range(5)]
    assert relay_.publish(relay_.commit(*large)) == SUCCESS
    assert sorted(len(call) for call in relay_.target.calls) == [1, 2, 2]


def test_rows_that_cannot_be_deleted_are_no_failure(relay_: LambdaRelay) -> None:
    """Their events were accepted: reported, they would be sent again at once."""
    relay_.outbox.fault = seldom(1, 1.0, away)
    records = relay_.commit(*events(("a", 1), ("b", 1)))
    assert relay_.publish(records) == SUCCESS
    assert len(relay_.outbox.rows) == 2
    assert len(relay_.waits) == relay.batch.BATCH_TRIES - 1
    relay_.outbox.fault = lambda rows: None
    relay_.sweep()
    assert not relay_.outbox.rows


@pytest.mark.parametrize("error", [away(), RuntimeError("a bug")])
def test_a_delete_is_tried_again(relay_: LambdaRelay, error: Exception) -> None:
    """In batches of 25, those that failed and those that were left unprocessed."""

    def unprocessed(rows: Sequence[Row]) -> Sequence[Row]:
        return rows[-3:] if len(rows) > 3 else []

    relay_.outbox.fault, relay_.outbox.unprocessed = failing([error]), unprocessed
    assert relay_.publish(relay_.commit(*events(*((f"a{n}", 1) for n in range(60))))) == SUCCESS
    assert not relay_.outbox.rows


def test_without_time_a_delete_is_tried_once(relay_: LambdaRelay) -> None:
    """Lambda ends the invocation whatever is under way in it."""
    calls: list[int] = []

    def fault(rows: Sequence[Any]) -> None:
        calls.append(len(rows))
        relay_.seconds_left = 0
        raise away()

    relay_.outbox.fault = fault
    assert relay_.publish(relay_.commit(record_of("a", 1))) == SUCCESS
    assert calls == [1]


@dataclass
class Watched(MemoryTarget):
    """A target that sees whether two entries of one aggregate are ever under way together."""

    under_way: Counter[str] = field(default_factory=Counter)
    met: list[str] = field(default_factory=list)

    def publish(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None]:
        names = [record.aggregate_id for record in records]
        with self._lock:
            self.under_way.update(names)
            self.met += [name for name in names if self.under_way[name] > 1]
        threading.Event().wait(0.002)  # so that calls do overlap
        try:
            return super().publish(records)
        finally:
            with self._lock:
                self.under_way.subtract(names)
                self.under_way = +self.under_way


def test_calls_are_in_flight_together() -> None:
    """100 aggregates are not ten calls one after the other."""
    together = threading.Barrier(10)

    def fault(_: Sequence[Any]) -> None:
        together.wait(60)

    relay_ = LambdaRelay(target=MemoryTarget(fault=fault))
    records = relay_.commit(*events(*((f"a{n}", 1) for n in range(100))))
    assert relay_.publish(records) == SUCCESS


@settings(max_examples=150, deadline=None)
@given(
    names=st.lists(st.sampled_from("abcdefghijklmnop"), min_size=1, max_size=60),
    bad_luck=st.dictionaries(
        st.tuples(st.sampled_from("abcdefghijklmnop"), st.integers(1, 6)),
        st.integers(1, 8) | st.just(MALFORMED),
        max_size=20,
    ),
    calls_fail=st.sampled_from([0.0, 0.0, 0.2, 0.6]),
    seed=st.integers(0, 1000),
)
def test_whatever_fails_order_holds_and_the_answer_is_exact(
    names: list[str], bad_luck: dict[tuple[str, int], Any], calls_fail: float, seed: int
) -> None:
    """Entries fail now and then, for long or for ever, and calls as a whole.

    Per aggregate what arrived is a beginning, in order; the rest is reported and in the outbox.
    """
    tries: Counter[tuple[str, int]] = Counter()

    def answer(record: OutboxRecord) -> Failure | None:
        key = record.aggregate_id, record.sequence
        tries[key] += 1
        luck = bad_luck.get(key, 0)
        return luck if isinstance(luck, Failure) else THROTTLED if tries[key] <= luck else None

    relay_ = LambdaRelay(target=Watched(answer=answer, fault=seldom(seed, calls_fail, away)))
    seen: Counter[str] = Counter()
    keys: list[tuple[str, int]] = []
    for name in names:
        seen[name] += 1
        keys.append((name, seen[name]))
    records = relay_.commit(*events(*keys))
    with capture_logs():
        answered = relay_.publish(records)
    watched = relay_.target
    assert isinstance(watched, Watched)
    assert not watched.met, "two entries of one aggregate were under way together"
    aside = {
        (aggregate, json.loads(body)["sequence"]) for aggregate, body, _ in relay_.dead_letters.sent
    }
    published = set(watched.keys)
    assert len(published) == len(watched.keys), "an entry was accepted twice"
    for name, count in seen.items():
        assert watched.sequences(name) == sorted(watched.sequences(name))
        arrived = [n for n in range(1, count + 1) if (name, n) in published | aside]
        assert arrived == list(range(1, len(arrived) + 1)), "an event overtook an earlier one"
    left = {key for key in keys if key not in published | aside}
    reported = [record for key, record in zip(keys, records, strict=True) if key in left]
    assert answered == failures(reported)
    assert set(relay_.outbox.rows) == left
