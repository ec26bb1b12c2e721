"""The forwarder between a FIFO queue and a bus: order per group, and no group waits for another."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from contracts.outbox import MalformedRecord, OutboxRecord
from relay.forwarder import MOST_STRIKES, Forwarder, run_together
from relay.ports import CallRefused
from runtime.batches import Limits
from runtime.metrics import RelayMetrics, new_registry
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.sqs.queue import SourceQueue
from tests.builders import START
from tests.hostile import Odd, document_of, times
from tests.relay_fakes import (
    MALFORMED,
    THROTTLED,
    UNKNOWN,
    MemoryDeadLetters,
    MemoryQueue,
    MemoryTarget,
    away,
    failing,
    no_fault,
    record_of,
    seldom,
    throttled_by,
)
from tests.threads import beside
from verification.testkit.waiting import eventually

QUEUE = SourceQueue("events.fifo", "url", "events-dlq.fifo", "dlq-url", 3, 30)


class Forwarding:
    """Forwarders over one fake queue and one fake bus."""

    def __init__(self) -> None:
        self.queue, self.target = MemoryQueue(), MemoryTarget()
        self.dead_letters, self.stop = MemoryDeadLetters(), Stop()
        self.readiness = Readiness(QUEUE.name)
        self.metrics = RelayMetrics(new_registry())

    def forwarder(self, **how: Any) -> Forwarder:
        return Forwarder(
            cast("Any", self.queue),
            QUEUE,
            self.target,
            self.dead_letters,
            stop=self.stop,
            metrics=self.metrics,
            readiness=self.readiness,
            wait_seconds=1,
            longest_wait=0.02,
            now=lambda: self.queue.now,
            **how,
        )

    def put(self, group: str, *sequences: int) -> None:
        for sequence in sequences:
            self.queue.put(group, record_of(group, sequence).to_json())

    @contextmanager
    def running(self, count: int = 1, **how: Any) -> Iterator[None]:
        forwarders = [self.forwarder(**how) for _ in range(count)]
        with beside(lambda: run_together(forwarders, self.stop), self.stop.request):
            yield

    def drain(self, count: int = 1) -> None:
        with self.running(count):
            self.drained()

    def drained(self) -> None:
        eventually(lambda: not self.queue.messages, what="an empty queue")


pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture
def forwarding() -> Forwarding:
    return Forwarding()


def test_publishes_in_order_and_deletes(forwarding: Forwarding) -> None:
    """Each group's events are on the bus in their order, once, and the queue is empty."""
    for group in "abc":
        forwarding.put(group, *range(1, 13))
    forwarding.drain()
    for group in "abc":
        assert forwarding.target.sequences(group) == list(range(1, 13))


def test_what_was_accepted_is_logged_as_forwarded(forwarding: Forwarding) -> None:
    """With the ids by which an event is found in every log."""
    forwarding.put("a", 1)
    with capture_logs() as logged, forwarding.running():
        forwarding.drained()
    (line,) = [each for each in logged if each["event"] == "forwarded"]
    assert line["eventIds"] == ["a-1"]
    assert len(line["correlationIds"]) == 1


def test_a_message_that_no_call_survives_is_dead_lettered_alone(forwarding: Forwarding) -> None:
    """The bus refuses every call with it: the heads of other groups pass without it."""

    def fault(records: Sequence[OutboxRecord]) -> None:
        if any(record.aggregate_id == "bad" for record in records):
            raise CallRefused(MALFORMED)

    forwarding.target.fault = fault
    forwarding.put("bad", 1)
    forwarding.put("good", 1, 2)
    forwarding.drain()
    ((group, _, error),) = forwarding.dead_letters.sent
    assert (group, str(error)) == ("bad", "MalformedDetail: Detail is malformed.")
    assert forwarding.target.keys == [("good", 1), ("good", 2)]


def test_a_group_whose_head_fails_waits_and_the_others_go_on(forwarding: Forwarding) -> None:
    """Everything of the others arrives, also what comes later, while the head is still refused."""
    refused = {"stuck"}
    forwarding.target.answer = lambda each: THROTTLED if each.aggregate_id in refused else None
    forwarding.put("stuck", 1, 2)
    forwarding.put("free", *range(1, 30))
    with forwarding.running():
        eventually(lambda: forwarding.target.sequences("free") == [*range(1, 30)], what="free")
        forwarding.put("late", 1)
        eventually(lambda: forwarding.target.sequences("late") == [1], what="late")
        assert forwarding.target.sequences("stuck") == []
        refused.clear()
        forwarding.drained()
    assert forwarding.target.sequences("stuck") == [1, 2]


def test_a_message_that_alone_meets_an_unknown_error_is_dead_lettered(
    forwarding: Forwarding,
) -> None:
    """Others are accepted between its tries; what is behind it in its group then goes on."""
    forwarding.target.answer = lambda record: (
        UNKNOWN if (record.aggregate_id, record.sequence) == ("odd", 1) else None
    )
    forwarding.put("odd", 1, 2)
    groups = iter(range(10_000))

    def others_come() -> bool:
        forwarding.put(f"good{next(groups)}", 1)
        return bool(forwarding.dead_letters.sent)

    with forwarding.running():
        eventually(others_come, what="its dead letter", every=0.02)
        forwarding.drained()
    ((group, _, error),) = forwarding.dead_letters.sent
    assert (group, str(error)) == ("odd", "NobodyKnowsThis: it is in no list")
    assert forwarding.target.sequences("odd") == [2]


def test_an_unknown_error_that_all_groups_meet_buries_none(forwarding: Forwarding) -> None:
    """The bus takes nothing for more tries than one message has: all are forwarded afterwards."""
    left = iter(range(MOST_STRIKES * 20))
    forwarding.target.answer = lambda _: UNKNOWN if next(left, None) is not None else None
    for group in "abcd":
        forwarding.put(group, 1, 2)
    forwarding.drain()
    assert not forwarding.dead_letters.sent
    assert all(forwarding.target.sequences(group) == [1, 2] for group in "abcd")


def test_many_stuck_groups_leave_room_for_a_free_one(forwarding: Forwarding) -> None:
    """More groups fail than one receive holds: a free one behind them still arrives."""
    forwarding.target.answer = lambda record: (
        THROTTLED if record.aggregate_id.startswith("stuck") else None
    )
    for n in range(25):
        forwarding.put(f"stuck{n}", 1)
    forwarding.put("free", 1)
    with forwarding.running():
        eventually(lambda: forwarding.target.sequences("free") == [1], what="the free group")
    assert len(forwarding.queue.messages) == 25


def test_holds_no_more_than_it_may(forwarding: Forwarding) -> None:
    """While everything fails it stops receiving: its memory is bounded whatever the backlog."""
    forwarding.target.fault = seldom(1, 1.0, away)
    for n in range(60):
        forwarding.put(f"g{n}", 1)
    with forwarding.running(max_held=20):
        eventually(lambda: len(forwarding.target.calls) > 10, what="many tries")
        assert sum(forwarding.queue.receives.values()) == 20


def test_an_outage_is_not_counted_as_receives(forwarding: Forwarding) -> None:
    """However often it fails, the queue hands the message out once: it is held, not put back."""
    forwarding.target.fault = seldom(1, 1.0, away)
    forwarding.put("a", 1)
    with forwarding.running():
        eventually(lambda: len(forwarding.target.calls) > 20, what="twenty tries")
        forwarding.queue.pass_time(29)
        tries = len(forwarding.target.calls)
        eventually(lambda: len(forwarding.target.calls) > tries + 5, what="more tries")
        forwarding.queue.pass_time(29)
        assert list(forwarding.queue.receives.values()) == [1]
        forwarding.target.fault = lambda _: None
        forwarding.drained()
    assert forwarding.target.keys == [("a", 1)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("no json", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "eventId is missing"),
        *(
            pytest.param(json.dumps(document_of("a", odd, START)), "", id=repr(odd))
            for odd in times(START)
            if odd.is_malformed
        ),
    ],
)
def test_a_malformed_body_goes_to_the_dead_letters(
    forwarding: Forwarding, body: str, reason: str
) -> None:
    """Byte for byte, with the reason; times at the ends of the calendar too.

    The heads of other groups, in the same round, are published, and so is the next of its group.
    """
    forwarding.queue.put("a", body)
    forwarding.put("b", 1)
    forwarding.put("a", 2)
    forwarding.drain()
    ((group, sent, error),) = forwarding.dead_letters.sent
    assert (group, sent) == ("a", body)
    assert isinstance(error, MalformedRecord)
    assert reason in str(error)
    assert sorted(forwarding.target.keys) == [("a", 2), ("b", 1)]


def test_a_time_of_another_form_is_forwarded_as_utc(forwarding: Forwarding) -> None:
    """What a driver wrote with an offset is published as the moment that it is."""
    odd = Odd("occurredAt", "2026-W48-1T15:00:00+05:30", START)
    forwarding.queue.put("a", json.dumps(document_of("a", odd, START)))
    forwarding.drain()
    (record,) = forwarding.target.accepted
    assert (record.occurred_at, record.occurred_at.utcoffset()) == (START, timedelta(0))


def test_what_the_bus_never_takes_goes_to_the_dead_letters(forwarding: Forwarding) -> None:
    """Byte for byte, also where another program wrote it with spaces of its own, and with the code.

    Its group goes on.
    """
    forwarding.target.answer = lambda record: MALFORMED if record.sequence == 1 else None
    body = json.dumps(record_of("a", 1).to_document(), indent=2, default=str)
    forwarding.queue.put("a", body)
    forwarding.put("a", 2)
    forwarding.drain()
    ((group, sent, error),) = forwarding.dead_letters.sent
    assert (group, sent, str(error)) == ("a", body, "MalformedDetail: Detail is malformed.")
    assert forwarding.target.sequences("a") == [2]


@pytest.mark.parametrize("error", [away(), ValueError("too large")])
def test_a_dead_letter_that_cannot_be_sent_waits(forwarding: Forwarding, error: Exception) -> None:
    """The message stays until it is dead-lettered, once; no other group waits for it."""
    forwarding.dead_letters.fault = failing([error])
    forwarding.queue.put("a", "no json")
    forwarding.put("b", 1)
    forwarding.drain()
    assert [group for group, _, _ in forwarding.dead_letters.sent] == ["a"]
    assert forwarding.target.keys == [("b", 1)]


@pytest.mark.parametrize("failed", [away(), "again"])
def test_what_cannot_be_deleted_is_not_published_again(
    forwarding: Forwarding, failed: Exception | str
) -> None:
    """The group waits for the delete, so that its order holds and nothing is sent twice."""
    tries: Counter[str] = Counter()

    def fault(operation: str) -> bool | None:
        tries[operation] += 1
        if operation == "delete" and tries["delete"] <= 3:
            if isinstance(failed, Exception):
                raise failed
            return False  # failed, and not by the sender's fault
        return None

    forwarding.queue.fault = fault
    forwarding.put("a", 1, 2, 3)
    forwarding.drain()
    assert forwarding.target.keys == [("a", 1), ("a", 2), ("a", 3)]


def test_a_receipt_that_has_expired_is_let_go(forwarding: Forwarding) -> None:
    """Its message comes again: holding on to it would hold its group for good."""
    tries: Counter[str] = Counter()

    def fault(operation: str) -> bool | None:
        tries[operation] += 1
        return True if operation == "delete" and tries["delete"] == 1 else None

    forwarding.queue.fault = fault
    forwarding.put("a", 1)
    with forwarding.running():
        eventually(lambda: tries["delete"] == 1, what="the delete")
        forwarding.queue.pass_time(31)
        forwarding.drained()
    assert forwarding.target.keys == [("a", 1), ("a", 1)]


def test_a_bug_in_a_target_holds_its_messages(forwarding: Forwarding) -> None:
    """An error of no known kind neither ends the forwarder nor loses a message."""
    forwarding.target.fault = failing([RuntimeError("a bug")])
    forwarding.put("a", 1, 2)
    forwarding.drain()
    assert forwarding.target.keys == [("a", 1), ("a", 2)]


def test_a_queue_that_is_away_shows_as_unready(forwarding: Forwarding) -> None:
    """It comes back by itself; what was held meanwhile is published meanwhile."""
    is_away = {"receive"}

    def fault(operation: str) -> None:
        if operation in is_away:
            raise away()

    forwarding.queue.fault = fault
    forwarding.put("a", 1)
    with forwarding.running():
        eventually(forwarding.readiness.reasons, what="an unready forwarder")
        is_away.clear()
        forwarding.drained()
        assert not forwarding.readiness.reasons()


def test_a_stop_puts_back_what_is_held(forwarding: Forwarding) -> None:
    """The next forwarder sees the messages at once, not after a visibility timeout."""
    forwarding.target.fault = seldom(1, 1.0, away)
    forwarding.put("a", 1, 2)
    forwarding.put("b", 1)
    with forwarding.running(3):
        eventually(lambda: len(forwarding.target.calls) > 2, what="a few tries")
    assert all(each.shown_at <= forwarding.queue.now for each in forwarding.queue.messages)
    assert set(forwarding.queue.receives.values()) == {1}
    assert len(forwarding.queue.messages) == 3


def test_a_forwarder_that_fails_stops_the_others(forwarding: Forwarding) -> None:
    """Whatever error it is, all end, what they hold is put back, and the error is raised."""

    def fault(operation: str) -> None:
        if operation == "receive":
            raise RuntimeError("a bug")

    forwarding.queue.fault = fault
    with pytest.raises(RuntimeError, match="a bug"):
        run_together([forwarding.forwarder()], forwarding.stop)
    assert forwarding.stop.requested


def test_a_visibility_that_cannot_be_changed_ends_nothing(forwarding: Forwarding) -> None:
    """The queue's own timeout holds then."""
    faults = {"visibility": failing([RuntimeError("refused")])}
    forwarding.queue.fault = lambda operation: faults.get(operation, no_fault)(())
    forwarding.target.fault = failing([away()])
    forwarding.put("a", 1)
    forwarding.drain()
    assert forwarding.target.keys == [("a", 1)]


def test_batches_keep_to_the_limits(forwarding: Forwarding) -> None:
    """Three records, of which two fit, make two calls."""
    forwarding.target.limits = Limits(entries=10, total_bytes=2 * record_of("a", 1).size)
    for group in "abc":
        forwarding.put(group, 1)
    forwarding.drain()
    assert sorted(len(call) for call in forwarding.target.calls) == [1, 2]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_fails_groups_keep_their_order(seed: int) -> None:
    """Several forwarders, faults at every call: every event, in order, none lost or doubled."""
    forwarding = Forwarding()
    fault = seldom(seed, 0.15, away)
    forwarding.target.fault = seldom(seed + 50, 0.15, away)
    forwarding.queue.fault = lambda operation: fault([operation])
    forwarding.target.answer = throttled_by(seldom(seed + 9, 0.1, away))
    groups: Sequence[str] = [f"g{n}" for n in range(12)]
    for sequence in range(1, 11):
        for group in groups:
            forwarding.put(group, sequence)
    forwarding.drain(3)
    for group in groups:
        assert forwarding.target.sequences(group) == list(range(1, 11))
