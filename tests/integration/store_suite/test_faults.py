"""Requests and answers that are lost, and engines that are away: nothing is half-written.

One suite for every store: in memory, on DynamoDB (emulated) and on MongoDB (real).
"""

import time
from contextlib import nullcontext

import pytest

from runtime.errors import Unavailable
from tests.integration.store_suite.racing import outcomes
from tests.integration.store_suite.subjects import Subject, an_aggregate


def test_a_commit_whose_answer_is_lost_is_found_applied(subject: Subject) -> None:
    """The outcome is Unavailable, not success; what runs again finds it and commits no more."""
    create, cancel = subject.kind.create, subject.kind.cancel
    subject.faults.lose_answers_to_commits()
    with pytest.raises(Unavailable):
        create(subject.store)
    assert len(subject.outbox()) == 1
    subject.faults.restore()
    identity = create(subject.store)
    assert [record.sequence for record in subject.outbox()] == [1]
    subject.faults.lose_answers_to_commits()
    with pytest.raises(Unavailable):
        cancel(subject.store, identity)
    subject.faults.restore()
    assert cancel(subject.store, identity).version == 2
    assert [record.sequence for record in subject.outbox()] == [1, 2]


def test_a_commit_that_times_out_is_found_applied(subject: Subject) -> None:
    """No answer in time is as unknown an outcome as a lost one, and ends the same."""
    subject.faults.never_answer_commits()
    with pytest.raises(Unavailable):
        subject.kind.create(subject.impatient)
    subject.faults.restore()
    before = subject.outbox()
    assert [record.sequence for record in before] == [1]
    subject.kind.create(subject.store)
    assert subject.outbox() == before


def test_one_lost_answer_is_the_drivers_business(subject: Subject) -> None:
    """A driver that sends the commit again is told that it was applied, and it is applied once."""
    aggregate = an_aggregate(subject)
    subject.faults.lose_one_answer_to_a_commit()
    with nullcontext() if subject.driver_retries else pytest.raises(Unavailable):
        subject.store.commit(aggregate, subject.kind.record(aggregate), replaces=None)
    assert subject.store.get("one") == aggregate
    assert subject.outbox() == [subject.kind.record(aggregate)]


def test_a_commit_that_never_arrives_writes_nothing(subject: Subject) -> None:
    """Lost on its way there, it is Unavailable as well; nothing is half-written or in the way.

    MongoDB keeps the open transaction, and with it the row, for a minute: till then it is Conflict.
    """
    aggregate = an_aggregate(subject)
    subject.faults.swallow_commits()
    with pytest.raises(Unavailable):
        subject.store.commit(aggregate, subject.kind.record(aggregate), replaces=None)
    subject.faults.restore()
    assert subject.store.get("one") is None
    assert subject.outbox() == []
    subject.settle()
    subject.store.commit(aggregate, subject.kind.record(aggregate), replaces=None)
    assert subject.outbox() == [subject.kind.record(aggregate)]


def test_an_outage_is_told_within_seconds_and_writes_nothing(subject: Subject) -> None:
    """Read, list and commit are Unavailable soon enough for a 503; then all works again."""
    aggregate = an_aggregate(subject)
    record = subject.kind.record(aggregate)
    subject.faults.cut()
    started = time.monotonic()
    raised = outcomes(
        [
            lambda: subject.store.get("one"),
            lambda: subject.store.page(limit=10, after=None),
            lambda: subject.store.commit(aggregate, record, replaces=None),
        ]
    )
    assert [type(error) for error in raised] == [Unavailable] * 3
    assert time.monotonic() - started < 25
    assert subject.outbox() == []
    subject.faults.restore()
    subject.store.commit(aggregate, record, replaces=None)
    assert subject.store.get("one") == aggregate
    assert subject.outbox() == [record]
