"""Aggregate and outbox record are committed together, or not at all.

One suite for every store: in memory, on DynamoDB (emulated) and on MongoDB (real).
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pymongo.errors import OperationFailure

from contracts.outbox import EventTooLarge, OutboxRecord
from runtime.errors import Conflict, Unavailable
from tests.integration.store_suite.kinds import LATER
from tests.integration.store_suite.racing import outcomes
from tests.integration.store_suite.subjects import Subject, an_aggregate, committed

WRITERS = 6
"""Threads that race: more than the two queues and two processes that can meet on one aggregate."""


def test_what_was_committed_is_read_back(subject: Subject) -> None:
    """Row and outbox record come back as they went in, every field of them."""
    aggregate = committed(subject)
    assert subject.store.get("one") == aggregate
    assert subject.outbox() == [subject.kind.record(aggregate)]


def test_what_was_never_committed_is_not_there(subject: Subject) -> None:
    """An unknown id reads as None."""
    committed(subject)
    assert subject.store.get("another") is None


def test_a_change_replaces_the_row_and_adds_a_record(subject: Subject) -> None:
    """The row is the new version, with what it no longer has gone; both events wait."""
    before = committed(subject)
    after = subject.kind.change(before)
    subject.store.commit(after, subject.kind.record(after), replaces=before)
    assert subject.store.get("one") == after
    assert subject.outbox() == [subject.kind.record(before), subject.kind.record(after)]


def test_a_stale_decision_is_a_conflict_and_writes_nothing(subject: Subject) -> None:
    """Decided on a version that is no longer stored: neither row nor record is touched."""
    before = committed(subject)
    after = subject.kind.change(before)
    subject.store.commit(after, subject.kind.record(after), replaces=before)
    late = ending_at(after, LATER.replace(year=2027))
    with pytest.raises(Conflict, match="one"):
        subject.store.commit(late, late_record(subject, late), replaces=before)
    assert subject.store.get("one") == after
    assert subject.outbox() == [subject.kind.record(before), subject.kind.record(after)]


def test_what_is_no_event_is_committed_without_a_record(subject: Subject) -> None:
    """A payment is blanked so: the row changes at the same version, and nothing waits."""
    before = committed(subject)
    after = replace(before, created=LATER)
    subject.store.commit(after, None, replaces=before)
    assert subject.store.get("one") == after
    assert subject.outbox() == [subject.kind.record(before)]


def ending_at(aggregate: Any, at: datetime) -> Any:
    """The same, but that its last event was at another time."""
    *earlier, last = aggregate.events
    return replace(aggregate, events=(*earlier, last._replace(at=at)))


def late_record(subject: Subject, aggregate: Any) -> OutboxRecord:
    return replace(subject.kind.record(aggregate), event_id="late", sequence=9)


def test_a_second_creation_is_a_conflict_and_writes_nothing(subject: Subject) -> None:
    """Two decided that there is nothing yet: the first row and its record stand."""
    first = committed(subject)
    second = an_aggregate(subject, group=1)
    with pytest.raises(Conflict, match="one"):
        subject.store.commit(second, late_record(subject, second), replaces=None)
    assert subject.store.get("one") == first
    assert subject.outbox() == [subject.kind.record(first)]


def test_a_change_of_what_is_not_there_is_a_conflict(subject: Subject) -> None:
    """A decision on a row that does not exist creates none."""
    before = an_aggregate(subject)
    after = subject.kind.change(before)
    with pytest.raises(Conflict, match="one"):
        subject.store.commit(after, subject.kind.record(after), replaces=before)
    assert subject.store.get("one") is None
    assert subject.outbox() == []


def test_a_transaction_that_the_engine_cancels_writes_nothing(subject: Subject) -> None:
    """The row could be written and its record could not: the row is not written either."""
    before = committed(subject)
    after = subject.kind.change(before)
    store = subject.without_outbox(subject.kind.record(after))
    with pytest.raises((Unavailable, ClientError, OperationFailure)):
        store.commit(after, subject.kind.record(after), replaces=before)
    assert subject.store.get("one") == before
    assert subject.outbox() == [subject.kind.record(before)]


@pytest.mark.parametrize("exists", [False, True], ids=["creating", "changing"])
def test_of_writers_that_race_exactly_one_wins(subject: Subject, exists: bool) -> None:
    """All others get Conflict; the row and the one new record are the winner's."""
    before = committed(subject) if exists else None
    first = before or an_aggregate(subject)
    rivals = [
        ending_at(subject.kind.change(first), LATER.replace(minute=writer))
        for writer in range(WRITERS)
    ]
    raised = outcomes(
        [
            lambda after=after: subject.store.commit(  # type: ignore[misc]
                after, subject.kind.record(after), replaces=before
            )
            for after in rivals
        ]
    )
    assert sorted(type(error).__name__ for error in raised) == [
        *["Conflict"] * (WRITERS - 1),
        "NoneType",
    ]
    winner = rivals[raised.index(None)]
    assert subject.store.get("one") == winner
    assert subject.outbox()[-1] == subject.kind.record(winner)
    assert len(subject.outbox()) == (2 if exists else 1)


def test_use_cases_that_race_publish_one_event_each(subject: Subject) -> None:
    """Deliveries of the same events at the same time: one creation, one cancellation, no error."""
    create, cancel = subject.kind.create, subject.kind.cancel
    assert outcomes([lambda: create(subject.store)] * WRITERS) == [None] * WRITERS
    identity = create(subject.store)
    assert outcomes([lambda: cancel(subject.store, identity)] * WRITERS) == [None] * WRITERS
    assert [record.sequence for record in subject.outbox()] == [1, 2]


def test_the_largest_record_is_committed(subject: Subject) -> None:
    """Exactly as large as the engine takes, and read back byte for byte."""
    aggregate = an_aggregate(subject)
    record = sized(subject.kind.record(aggregate), subject.largest_record)
    subject.store.commit(aggregate, record, replaces=None)
    assert subject.outbox() == [record]


def test_a_record_one_byte_too_large_leaves_nothing(subject: Subject) -> None:
    """EventTooLarge comes before anything is written."""
    aggregate = an_aggregate(subject)
    with pytest.raises(EventTooLarge):
        subject.store.commit(
            aggregate,
            sized(subject.kind.record(aggregate), subject.largest_record + 1),
            replaces=None,
        )
    assert subject.store.get("one") is None
    assert subject.outbox() == []


def sized(record: OutboxRecord, size: int) -> OutboxRecord:
    """The record with its detail filled up until it takes `size` bytes."""
    empty = replace(record, detail='{"text":""}')
    return replace(record, detail='{"text":"' + "x" * (size - empty.size) + '"}')
