"""One suite for every store: in memory, on DynamoDB (emulated) and on MongoDB (real).

The engines stand behind a wire that can be cut and can lose a request or an answer. The clients are
made as the services make them, so that their retries and time limits are part of what is tested.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from threading import Barrier
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from contracts.outbox import EventTooLarge, OutboxRecord
from local.ports import LOOPBACK
from runtime.aws import Aws
from runtime.cursors import InvalidCursor
from runtime.errors import Conflict, Unavailable
from runtime.mongodb import Document, connect
from tests.conftest import MiniStack
from tests.integration import subjects
from tests.integration.kinds import LATER, PAYMENT, STOCK, SUBSCRIPTION, Kind
from tests.integration.subjects import Subject
from tests.wire import Wire

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WRITERS = 6
"""Threads that race: more than the two queues and two processes that can meet on one aggregate."""


def _wire_to(port: int | None) -> Wire:
    assert port
    return Wire(port)


@pytest.fixture(scope="module")
def dynamodb_wire(ministack: MiniStack) -> Iterator[Wire]:
    with _wire_to(urlsplit(ministack.endpoint).port) as wire:
        yield wire


@pytest.fixture(scope="module")
def dynamodb_direct(ministack: MiniStack) -> "DynamoDBClient":
    return Aws(region=ministack.region, endpoint_url=ministack.endpoint).client("dynamodb")


@pytest.fixture(scope="module")
def dynamodb_wired(ministack: MiniStack, dynamodb_wire: Wire) -> "DynamoDBClient":
    endpoint = f"http://{LOOPBACK}:{dynamodb_wire.port}"
    return Aws(region=ministack.region, endpoint_url=endpoint).client("dynamodb")


@pytest.fixture(scope="module")
def mongodb_wire(mongodb_uri: str) -> Iterator[Wire]:
    with _wire_to(urlsplit(mongodb_uri).port) as wire:
        yield wire


@pytest.fixture(scope="module")
def mongodb_direct(mongodb_uri: str) -> Iterator[MongoClient[Document]]:
    with connect(mongodb_uri) as client:
        yield client


@pytest.fixture(scope="module")
def mongodb_wired(mongodb_wire: Wire) -> Iterator[MongoClient[Document]]:
    """Straight to the wire: a client that is told the replica set's members would go past it."""
    with connect(f"mongodb://{LOOPBACK}:{mongodb_wire.port}/?directConnection=true") as client:
        yield client


def in_memory(kind: Kind) -> Callable[[pytest.FixtureRequest], Iterator[Subject]]:
    def make(_: pytest.FixtureRequest) -> Iterator[Subject]:
        yield subjects.memory(kind)

    return make


def on_dynamodb(kind: Kind) -> Callable[[pytest.FixtureRequest], Iterator[Subject]]:
    def make(request: pytest.FixtureRequest) -> Iterator[Subject]:
        wire: Wire = request.getfixturevalue("dynamodb_wire")
        yield subjects.dynamodb(
            kind,
            wired=request.getfixturevalue("dynamodb_wired"),
            direct=request.getfixturevalue("dynamodb_direct"),
            wire=wire,
        )
        wire.mend()

    return make


def on_mongodb(request: pytest.FixtureRequest) -> Iterator[Subject]:
    wire: Wire = request.getfixturevalue("mongodb_wire")
    with subjects.mongodb(
        wired=request.getfixturevalue("mongodb_wired"),
        direct=request.getfixturevalue("mongodb_direct"),
        wire=wire,
    ) as subject:
        yield subject
    wire.mend()


@pytest.fixture(
    params=[
        pytest.param(in_memory(SUBSCRIPTION), id="memory-subscription"),
        pytest.param(in_memory(STOCK), id="memory-stock"),
        pytest.param(in_memory(PAYMENT), id="memory-payment"),
        pytest.param(on_dynamodb(SUBSCRIPTION), id="dynamodb-subscription"),
        pytest.param(on_dynamodb(STOCK), id="dynamodb-stock"),
        pytest.param(on_mongodb, id="mongodb-payment"),
    ]
)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    yield from request.param(request)


def an_aggregate(subject: Subject, identity: str = "one", *, group: int = 0, at: int = 0) -> Any:
    return subject.kind.make(identity, subject.kind.groups[group], at)


def committed(subject: Subject, identity: str = "one", *, group: int = 0, at: int = 0) -> Any:
    aggregate = an_aggregate(subject, identity, group=group, at=at)
    subject.store.commit(aggregate, subject.kind.record(aggregate), replaces=None)
    return aggregate


def outcomes(work: list[Callable[[], object]]) -> list[BaseException | None]:
    """Run all at the same moment; what each raised, or None."""
    barrier = Barrier(len(work))

    def run(each: Callable[[], object]) -> None:
        barrier.wait()
        each()

    with ThreadPoolExecutor(len(work)) as pool:
        return [future.exception() for future in [pool.submit(run, each) for each in work]]


def sized(record: OutboxRecord, size: int) -> OutboxRecord:
    """The record with its detail filled up until it takes `size` bytes."""
    empty = replace(record, detail='{"text":""}')
    return replace(record, detail='{"text":"' + "x" * (size - empty.size) + '"}')


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
    late = replace(after, updated=LATER.replace(year=2027))
    with pytest.raises(Conflict, match="one"):
        subject.store.commit(late, late_record(subject, late), replaces=before)
    assert subject.store.get("one") == after
    assert subject.outbox() == [subject.kind.record(before), subject.kind.record(after)]


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
        replace(subject.kind.change(first), updated=LATER.replace(minute=writer))
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


def test_a_commit_whose_answer_is_lost_is_found_applied(subject: Subject) -> None:
    """The outcome is Unavailable, not success; what runs again finds it and commits no more."""
    create, cancel = subject.kind.create, subject.kind.cancel
    subject.faults.lose_answers_to_commits()
    with pytest.raises(Unavailable):
        create(subject.store)
    assert len(subject.outbox()) == 1
    subject.faults.mend()
    identity = create(subject.store)
    assert [record.sequence for record in subject.outbox()] == [1]
    subject.faults.lose_answers_to_commits()
    with pytest.raises(Unavailable):
        cancel(subject.store, identity)
    subject.faults.mend()
    assert cancel(subject.store, identity).version == 2
    assert [record.sequence for record in subject.outbox()] == [1, 2]


def test_one_lost_answer_is_the_drivers_business(subject: Subject) -> None:
    """A driver that sends the commit again is told that it was applied, and it is applied once."""
    aggregate = an_aggregate(subject)
    subject.faults.lose_one_answer_to_a_commit()
    with nullcontext() if subject.driver_retries else pytest.raises(Unavailable):
        subject.store.commit(aggregate, subject.kind.record(aggregate), replaces=None)
    assert subject.store.get("one") == aggregate
    assert subject.outbox() == [subject.kind.record(aggregate)]


def test_a_commit_that_never_arrives_writes_nothing(subject: Subject) -> None:
    """Lost on its way there, it is Unavailable as well, and nothing is half-written."""
    aggregate = an_aggregate(subject)
    subject.faults.swallow_commits()
    with pytest.raises(Unavailable):
        subject.store.commit(aggregate, subject.kind.record(aggregate), replaces=None)
    subject.faults.mend()
    assert subject.store.get("one") is None
    assert subject.outbox() == []


def test_an_outage_is_told_within_seconds_and_writes_nothing(subject: Subject) -> None:
    """Read, list and commit are Unavailable soon enough for a 503; then all works again."""
    aggregate = an_aggregate(subject)
    record = subject.kind.record(aggregate)
    subject.faults.cut()
    started = time.monotonic()
    raised = outcomes(
        [
            lambda: subject.store.get("one"),
            lambda: subject.kind.page(subject.store, None, 10, None),
            lambda: subject.store.commit(aggregate, record, replaces=None),
        ]
    )
    assert [type(error) for error in raised] == [Unavailable] * 3
    assert time.monotonic() - started < 6
    assert subject.outbox() == []
    subject.faults.mend()
    subject.store.commit(aggregate, record, replaces=None)
    assert subject.store.get("one") == aggregate
    assert subject.outbox() == [record]


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


def pages(
    subject: Subject,
    group: str | None,
    *,
    limit: int,
    between: Callable[[], object] = lambda: None,
) -> Iterator[list[str]]:
    """Follow the positions to the end; `between` happens between one page and the next."""
    position: Mapping[str, str] | None = None
    while True:
        page = subject.kind.page(subject.store, group, limit, position)
        yield [row.subscription_id for row in page.items]
        if page.next_position is None:
            return
        position = page.next_position
        between()


def listed(subject: Subject, group: str | None, *, limit: int) -> list[str]:
    found = list(pages(subject, group, limit=limit))
    assert all(len(page) <= limit for page in found)
    return [identity for page in found for identity in page]


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_a_filtered_list_has_each_row_once_in_order(subject: Subject, limit: int) -> None:
    """Whatever the page size, also one that ends exactly at the list's end; oldest first."""
    for number in (3, 1, 6, 0, 5, 2, 4):
        committed(subject, f"mine-{number}", at=number)
        committed(subject, f"other-{number}", group=1, at=number)
    mine = listed(subject, subject.kind.groups[0], limit=limit)
    assert mine == [f"mine-{number}" for number in range(7)]


@pytest.mark.parametrize("limit", [3, 14])
def test_an_unfiltered_list_has_each_row_once(subject: Subject, limit: int) -> None:
    """Of every group, over any number of pages."""
    everyone = {committed(subject, f"m-{n}", group=n % 2).subscription_id for n in range(14)}
    found = listed(subject, None, limit=limit)
    assert (len(found), set(found)) == (14, everyone)


def test_rows_that_come_and_change_between_pages_move_no_others(subject: Subject) -> None:
    """Everything that was there and stayed as it was is listed once, whatever else happens."""
    for number in range(9):
        committed(subject, f"mine-{number}", at=number)
    newcomers = iter(range(100))

    def a_row_appears() -> None:
        number = next(newcomers)
        committed(subject, f"a-new-one-{number}", at=-1 - number)

    found = [
        identity
        for page in pages(subject, subject.kind.groups[0], limit=2, between=a_row_appears)
        for identity in page
    ]
    assert [each for each in found if each.startswith("mine")] == [f"mine-{n}" for n in range(9)]
    assert len(set(found)) == len(found)


def test_a_list_of_nothing_is_one_empty_page(subject: Subject) -> None:
    """No rows, or none in that group: no items and no position."""
    committed(subject)
    assert list(pages(subject, subject.kind.groups[1], limit=5)) == [[]]


@pytest.mark.parametrize(
    "position", [{}, {"foreign": "x"}, {"foreign": "x", "_id": "one", "subscriptionId": "one"}]
)
@pytest.mark.parametrize("filtered", [False, True], ids=["all", "filtered"])
def test_a_foreign_position_is_an_invalid_cursor(
    subject: Subject, position: Mapping[str, str], filtered: bool
) -> None:
    """A position that this list cannot have given out is refused as such."""
    committed(subject)
    group = subject.kind.groups[0] if filtered else None
    with pytest.raises(InvalidCursor):
        subject.kind.page(subject.store, group, 5, position)
