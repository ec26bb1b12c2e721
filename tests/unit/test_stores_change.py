"""Load, decide, commit: what a use case does when it is not alone, and when the answer is lost."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from contracts.outbox import EventTooLarge, OutboxRecord
from runtime.errors import Conflict, Unavailable
from runtime.outbox.commit import COMMIT_TRIES, UseCases
from tests.builders import a_record
from tests.fakes import Hooks, MemoryStore, Plan

ID = "one"


@dataclass(frozen=True)
class Tally:
    """The smallest aggregate: it can be counted up, and closed once."""

    name: str
    count: int
    version: int


def count_up(current: Tally | None) -> Tally:
    if current is None:
        return Tally(ID, 1, 1)
    return replace(current, count=current.count + 1, version=current.version + 1)


def be_there(current: Tally | None) -> Tally:
    return current or Tally(ID, 1, 1)


def record_of(tally: Tally) -> OutboxRecord:
    return a_record(aggregate_id=tally.name, sequence=tally.version)


class Tallies(MemoryStore[Tally]):
    def __init__(self) -> None:
        self.reads = 0
        self.before_commit, self.after_commit = Plan(), Plan()
        hooks = Hooks(
            before_read=self._count,
            before_commit=self.before_commit,
            after_commit=self.after_commit,
        )
        super().__init__(hooks, identity=lambda tally: tally.name)

    def _count(self) -> None:
        self.reads += 1

    @property
    def sequences(self) -> list[int]:
        return [record.sequence for record in self.outbox]


def change(store: Tallies, *what: Any, **how: Any) -> Tally:
    return UseCases(store).change(*what, **how)


def lose_the_answer() -> None:
    raise Unavailable("memory", "the answer was lost")


def test_a_decision_is_committed_with_its_event() -> None:
    """What the decision makes of nothing, and then of something, stands and is recorded."""
    store = Tallies()
    assert change(store, ID, count_up, record_of) == Tally(ID, 1, 1)
    assert change(store, ID, count_up, record_of) == Tally(ID, 2, 2)
    assert store.get(ID) == Tally(ID, 2, 2)
    assert store.sequences == [1, 2]


def test_a_decision_that_changes_nothing_commits_nothing() -> None:
    """What was done before is answered as it stands, and no second event is recorded."""
    store = Tallies()
    first = change(store, ID, be_there, record_of)
    assert change(store, ID, be_there, record_of) is first
    assert store.sequences == [1]


def test_a_lost_race_is_decided_again_on_what_the_winner_left() -> None:
    """Neither of two writers is overwritten: both counts are there, each with its event."""
    store = Tallies()
    store.before_commit.once(lambda: change(store, ID, count_up, record_of))
    assert change(store, ID, count_up, record_of) == Tally(ID, 2, 2)
    assert store.sequences == [1, 2]


def test_a_race_lost_to_the_same_decision_ends_without_a_second_event() -> None:
    """Two deliveries of one event at the same time: the slower one finds that it is done."""
    store = Tallies()
    store.before_commit.once(lambda: change(store, ID, be_there, record_of))
    assert change(store, ID, be_there, record_of) == Tally(ID, 1, 1)
    assert store.sequences == [1]


def test_who_always_loses_gives_up_with_conflict() -> None:
    """After TRIES losses the caller is told, and nothing of its own was written."""
    store = Tallies()
    attempts: list[Tally | None] = []

    def decide(current: Tally | None) -> Tally:
        attempts.append(current)
        store.before_commit.once(lambda: change(store, ID, count_up, record_of))
        return count_up(current)

    with pytest.raises(Conflict, match=ID):
        change(store, ID, decide, record_of)
    assert [tally and tally.version for tally in attempts] == [None, *range(1, COMMIT_TRIES)]
    assert store.sequences == list(range(1, COMMIT_TRIES + 1))


def test_what_is_presumed_new_is_committed_unread() -> None:
    """The one call that matters is made, and no other."""
    store = Tallies()
    assert change(store, ID, be_there, record_of, presumed_new=True) == Tally(ID, 1, 1)
    assert (store.reads, store.sequences) == (0, [1])


def test_a_wrong_presumption_is_met_at_the_commit_and_read_then() -> None:
    """What is there after all is neither overwritten nor recorded a second time."""
    store = Tallies()
    change(store, ID, count_up, record_of)
    assert change(store, ID, be_there, record_of, presumed_new=True) == Tally(ID, 1, 1)
    assert (store.reads, store.sequences) == (2, [1])
    assert change(store, ID, count_up, record_of, presumed_new=True) == Tally(ID, 2, 2)
    assert store.sequences == [1, 2]


def test_a_lost_answer_is_not_tried_again_here() -> None:
    """The outcome is unknown: the caller hears of it, and whoever redelivers finds it done."""
    store = Tallies()
    store.after_commit.once(lose_the_answer)
    with pytest.raises(Unavailable):
        change(store, ID, be_there, record_of)
    assert change(store, ID, be_there, record_of) == Tally(ID, 1, 1)
    assert store.sequences == [1]


def test_what_a_decision_raises_leaves_nothing() -> None:
    """A refusal by the domain passes through; there is neither a row nor an event."""
    store = Tallies()

    def refuse(_: Tally | None) -> Tally:
        raise LookupError(ID)

    with pytest.raises(LookupError):
        change(store, ID, refuse, record_of)
    assert store.get(ID) is None
    assert store.outbox == []


def test_an_event_that_cannot_be_recorded_leaves_nothing() -> None:
    """An event too large fails the request, not the relay: the row is not written either."""
    store = Tallies()

    def too_large(tally: Tally) -> OutboxRecord:
        raise EventTooLarge("TallyCounted", 2, 1)

    with pytest.raises(EventTooLarge):
        change(store, ID, count_up, too_large)
    assert store.get(ID) is None
    assert store.outbox == []
