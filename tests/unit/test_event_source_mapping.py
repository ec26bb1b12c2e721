"""The Lambda relay behind an event source mapping: what arrives, what is dropped, what heals."""

from collections import Counter
from itertools import repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from contracts.outbox import OutboxRecord
from relay.ports import Failure
from tests.event_source_mapping import EventSourceMapping
from tests.lambda_relay import LambdaRelay, events
from tests.relay_fakes import away, failing, no_fault, record_of
from tests.stream_events import number_of, remove_of, stream_arn

INTERNAL = Failure("InternalFailure", "try again")


pytestmark = pytest.mark.usefixtures("quiet")


def keys(count: int, aggregates: int) -> list[tuple[str, int]]:
    return [(f"a{n % aggregates}", n // aggregates + 1) for n in range(count)]


def test_a_shard_is_read_to_its_end(relay_: LambdaRelay) -> None:
    """Batch by batch, insertions only, once each and in order; nothing is dropped."""
    inserts = relay_.commit(*events(*keys(250, 40)))
    shard = [*inserts, *(remove_of(record_of(*key).to_document()) for key in keys(250, 40))]
    mapping = EventSourceMapping(relay_)
    mapping.read(shard)
    assert [len(batch) for batch in mapping.batches] == [100, 100, 50]
    assert Counter(relay_.target.keys) == Counter(keys(250, 40))
    assert all(
        relay_.target.sequences(f"a{n}") == sorted(relay_.target.sequences(f"a{n}"))
        for n in range(40)
    )
    assert not relay_.outbox.rows
    assert not mapping.dropped


@pytest.mark.parametrize("bisects", [True, False])
def test_a_record_that_keeps_failing_ends_where_the_mapping_puts_it(
    relay_: LambdaRelay, *, bisects: bool
) -> None:
    """Not poison, yet refused again and again: dropped with a message after 10 retries.

    All others arrive once, in order; the row is still in the outbox, and a sweep heals it.
    """
    refused = {("a3", 2)}
    relay_.target.answer = lambda record: INTERNAL if _key(record) in refused else None
    shard = relay_.commit(*events(*keys(60, 6)))
    bad = next(each for each in shard if _row(each) == ("a3", 2))
    mapping = EventSourceMapping(relay_, batch_size=30, bisects=bisects)
    mapping.read(shard)
    (message,) = mapping.dropped
    assert message["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert message["requestContext"]["approximateInvokeCount"] == 11
    assert message["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert message["DDBStreamBatchInfo"]["startSequenceNumber"] == number_of(bad)
    assert message["DDBStreamBatchInfo"]["streamArn"] == stream_arn()
    others = [key for key in keys(60, 6) if key[0] != "a3"]
    assert Counter(key for key in relay_.target.keys if key[0] != "a3") == Counter(others)
    assert all(relay_.target.sequences(f"a{n}") == list(range(1, 11)) for n in (0, 1, 2, 4, 5))
    assert ("a3", 2) in relay_.outbox.rows
    assert {name for name, _ in relay_.outbox.rows} == {"a3"}
    if bisects:
        assert message["DDBStreamBatchInfo"]["batchSize"] == 1
        assert set(relay_.outbox.rows) == {("a3", 2)}
    refused.clear()
    relay_.sweep()
    assert not relay_.outbox.rows
    assert sorted(relay_.target.sequences("a3")) == list(range(1, 11))


def test_an_outage_longer_than_the_retries_loses_nothing(relay_: LambdaRelay) -> None:
    """The mapping gives up, batch by batch, and reports it; then a sweep brings all, in order."""
    relay_.target.fault = failing(repeat(away()))
    mapping = EventSourceMapping(relay_, batch_size=8)
    mapping.read(relay_.commit(*events(*keys(24, 5))))
    reported = sum(message["DDBStreamBatchInfo"]["batchSize"] for message in mapping.dropped)
    assert reported == len(relay_.outbox.rows) == 24
    assert not relay_.dead_letters.sent
    relay_.target.fault = no_fault
    relay_.sweep()
    assert not relay_.outbox.rows
    assert all(relay_.target.sequences(f"a{n}")[:2] == [1, 2] for n in range(5))
    assert Counter(relay_.target.keys) == Counter(keys(24, 5))


def test_a_record_without_a_shape_is_found_by_halving(relay_: LambdaRelay) -> None:
    """It fails its whole batch, unpublished, until it is alone; all the others arrive."""
    shard = relay_.commit(*events(*keys(20, 4)))
    del shard[13]["dynamodb"]["Keys"]
    mapping = EventSourceMapping(relay_)
    mapping.read(shard)
    (message,) = mapping.dropped
    assert message["DDBStreamBatchInfo"]["batchSize"] == 1
    assert message["DDBStreamBatchInfo"]["startSequenceNumber"] == number_of(shard[13])
    assert message["responseContext"]["functionError"] == "Unhandled"
    assert Counter(relay_.target.keys) == Counter(
        key for n, key in enumerate(keys(20, 4)) if n != 13
    )
    relay_.sweep()
    assert Counter(relay_.target.keys) == Counter(keys(20, 4))


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 40),
    aggregates=st.integers(1, 6),
    batch_size=st.sampled_from([3, 10, 100]),
    bisects=st.booleans(),
    luck=st.dictionaries(
        st.tuples(st.integers(0, 5).map("a{}".format), st.integers(1, 8)),
        st.sampled_from([3, 20, 10_000]),
        max_size=6,
    ),
    environments=st.lists(st.booleans(), max_size=30),
)
def test_whatever_fails_all_is_published_or_told_of(
    *,
    count: int,
    aggregates: int,
    batch_size: int,
    bisects: bool,
    luck: dict[tuple[str, int], int],
    environments: list[bool],
) -> None:
    """Environments come and go: what is not published is in the outbox and was reported.

    An aggregate of which nothing was dropped arrives in order, and a sweep heals the others.
    """
    tries: Counter[tuple[str, int]] = Counter()

    def answer(record: OutboxRecord) -> Failure | None:
        tries[_key(record)] += 1
        return INTERNAL if tries[_key(record)] <= luck.get(_key(record), 0) else None

    relay_ = LambdaRelay()
    relay_.target.answer = answer
    restarts = iter(environments)

    def function(event: dict[str, Any]) -> dict[str, Any]:
        if next(restarts, False):
            relay_.start_environment()
        return relay_(event)

    committed = keys(count, aggregates)
    shard = relay_.commit(*events(*committed))
    mapping = EventSourceMapping(function, batch_size=batch_size, bisects=bisects)
    with capture_logs():
        mapping.read(shard)
    published, left = set(relay_.target.keys), set(relay_.outbox.rows)
    assert published | left == set(committed)
    assert not published & left
    reported = {
        key for key, record in zip(committed, shard, strict=True) if _is_reported(mapping, record)
    }
    assert left <= reported
    for name in {name for name, _ in committed} - {name for name, _ in reported}:
        first_arrivals = list(dict.fromkeys(relay_.target.sequences(name)))
        assert first_arrivals == sorted(first_arrivals)
    luck.clear()
    with capture_logs():
        relay_.sweep()
    assert set(relay_.target.keys) == set(committed)
    assert not relay_.outbox.rows


def _key(record: OutboxRecord) -> tuple[str, int]:
    return record.aggregate_id, record.sequence


def _row(record: dict[str, Any]) -> tuple[str, int]:
    key = record["dynamodb"]["Keys"]
    return key["aggregateId"]["S"], int(key["sequence"]["N"])


def _is_reported(mapping: EventSourceMapping, record: dict[str, Any]) -> bool:
    """Whether an on-failure message covers the record."""
    infos = [message["DDBStreamBatchInfo"] for message in mapping.dropped]
    return any(
        int(info["startSequenceNumber"]) <= int(number_of(record)) <= int(info["endSequenceNumber"])
        for info in infos
    )
