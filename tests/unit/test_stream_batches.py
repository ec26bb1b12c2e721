"""Batches of an event source mapping: what is published, what is reported, what is remembered."""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import repeat
from typing import Any

import pytest

import relay.batch
from contracts.outbox import MalformedRecord, OutboxRecord
from relay.batch import NotAStreamEvent
from relay.ports import NeverAccepted
from runtime.errors import Misconfigured
from tests.lambda_relay import SUCCESS, LambdaRelay, events
from tests.relay_fakes import MALFORMED, THROTTLED, away, failing, record_of
from tests.stream_events import (
    a_sample,
    a_stream_record,
    failures,
    insert_of,
    remove_of,
)

pytestmark = pytest.mark.usefixtures("quiet")


def test_a_batch_is_published_deleted_and_a_success(relay_: LambdaRelay) -> None:
    """Events of the published samples, several of one aggregate: in order, in calls of ten."""
    committed = [
        a_sample(event_type, f"a{n}", sequence)
        for n in range(15)
        for sequence, event_type in enumerate(("SubscriptionCreated", "SubscriptionCancelled"), 1)
    ]
    assert relay_.publish(relay_.commit(*committed)) == SUCCESS
    assert not relay_.outbox.rows
    assert Counter(relay_.target.keys) == Counter((f"a{n}", s) for n in range(15) for s in (1, 2))
    assert all(relay_.target.sequences(f"a{n}") == [1, 2] for n in range(15))
    assert [len(call) for call in relay_.target.calls] == [10, 5, 10, 5]
    assert relay_.target.accepted[0] in committed
    assert not relay_.waits


def test_only_insertions_count(relay_: LambdaRelay) -> None:
    """Our own deletes come back as REMOVE, a repair as MODIFY: neither is an event."""
    (insert,) = relay_.commit(record_of("a", 1))
    removed, changed = record_of("b", 1).to_document(), insert_of(record_of("c", 1).to_document())
    changed["eventName"] = "MODIFY"
    assert relay_.publish([remove_of(removed), insert, changed]) == SUCCESS
    assert relay_.target.keys == [("a", 1)]
    assert relay_.publish([remove_of(removed)]) == SUCCESS


def test_half_failed_calls_report_exactly_what_failed(relay_: LambdaRelay) -> None:
    """Every second aggregate's entries fail for longer than an invocation tries."""
    records = relay_.commit(*events(*((f"a{n}", s) for s in (1, 2) for n in range(12))))
    odd = [f"a{n}" for n in range(1, 12, 2)]
    relay_.target.answer = lambda record: THROTTLED if record.aggregate_id in odd else None
    answer = relay_.publish(records)
    failed = [each for each in records if each["dynamodb"]["Keys"]["aggregateId"]["S"] in odd]
    assert answer == failures(failed)
    assert set(relay_.outbox.rows) == {(name, sequence) for name in odd for sequence in (1, 2)}
    tries = Counter(key for call in relay_.target.calls for key in call)
    assert all(tries[name, 1] == relay.batch.BATCH_TRIES and not tries[name, 2] for name in odd)
    assert all(tries[f"a{n}", s] == 1 for n in range(0, 12, 2) for s in (1, 2))


def test_poison_is_set_aside_and_its_neighbours_are_published(relay_: LambdaRelay) -> None:
    """As it was found, with the reason; its row goes, and its aggregate goes on."""
    broken = {**record_of("a", 2).to_document(), "detail": "{"}
    records = [
        *relay_.commit(record_of("a", 1)),
        *relay_.put(broken, {"aggregateId": "bare", "sequence": 1}),
        *relay_.commit(*events(("a", 3), ("b", 1))),
    ]
    assert relay_.publish(records) == SUCCESS
    assert relay_.target.sequences("a") == [1, 3]
    assert relay_.target.sequences("b") == [1]
    assert not relay_.outbox.rows
    letters = {
        aggregate: (json.loads(body), error) for aggregate, body, error in relay_.dead_letters.sent
    }
    assert letters["a"][0] == broken
    assert "detail cannot be read" in str(letters["a"][1])
    assert letters["bare"][0] == {"aggregateId": "bare", "sequence": 1}
    assert "eventId is missing" in str(letters["bare"][1])


def test_an_entry_that_is_never_accepted_is_set_aside(relay_: LambdaRelay) -> None:
    """With the code that EventBridge gave; the others of its call are sent once."""
    bad, *good = events(("bad", 1), ("bad", 2), ("good", 1))
    relay_.target.answer = lambda record: MALFORMED if record.event_id == bad.event_id else None
    assert relay_.publish(relay_.commit(bad, *good)) == SUCCESS
    ((_, body, error),) = relay_.dead_letters.sent
    assert body == bad.to_json()
    assert isinstance(error, NeverAccepted)
    assert relay_.target.keys == [("good", 1), ("bad", 2)]
    assert not relay_.outbox.rows


@pytest.mark.parametrize("error", [away(), ValueError("too large for a message")])
def test_what_cannot_be_set_aside_is_reported(relay_: LambdaRelay, error: Exception) -> None:
    """Its row stays; the mapping tries it again, and puts it in its own destination at last."""
    relay_.dead_letters.fault = failing(repeat(error))
    records = [
        *relay_.commit(record_of("good", 1)),
        *relay_.put({"aggregateId": "bad", "sequence": 1}),
        *relay_.commit(*events(("bad", 2), ("good", 2))),
    ]
    assert relay_.publish(records) == failures(records[1:3])
    assert relay_.target.sequences("good") == [1, 2]
    assert set(relay_.outbox.rows) == {("bad", 1), ("bad", 2)}


def test_a_bug_over_one_record_fails_it_alone(relay_: LambdaRelay) -> None:
    """Its call fails, so each is sent by itself; what is behind it does not overtake it."""

    def fault(records: Sequence[OutboxRecord]) -> None:
        if any((each.aggregate_id, each.sequence) == ("odd", 1) for each in records):
            raise RuntimeError("a bug")

    relay_.target.fault = fault
    records = relay_.commit(*events(("a", 1), ("odd", 1), ("b", 1), ("odd", 2), ("a", 2)))
    assert relay_.publish(records) == failures([records[1], records[3]])
    assert sorted(relay_.target.keys) == [("a", 1), ("a", 2), ("b", 1)]
    assert set(relay_.outbox.rows) == {("odd", 1), ("odd", 2)}


def test_a_record_without_an_image_fails_with_what_is_behind_it(relay_: LambdaRelay) -> None:
    """As in a stream of keys only: nothing is known of the row."""
    imageless = remove_of({"aggregateId": "a", "sequence": 2})
    imageless["eventName"] = "INSERT"
    first, third, other = relay_.commit(*events(("a", 1), ("a", 3), ("c", 1)))
    answer = relay_.publish([first, imageless, third, other])
    assert answer == failures([imageless, third])
    assert sorted(relay_.target.keys) == [("a", 1), ("c", 1)]


@pytest.mark.parametrize(
    "value",
    [
        {"B": "c2VjcmV0"},
        {"BS": ["c2VjcmV0"]},
        {"SS": ["a", "b"]},
        {"NS": ["1", "2"]},
        {"N": "1.5"},
        {"N": "not a number"},
        {"L": [{"B": "c2VjcmV0"}]},
        {"M": {"deep": {"NULL": True}}},
        {"BOOL": True},
        {"NEW": "type"},
        {},
    ],
)
def test_a_value_of_any_type_costs_its_row_alone(relay_: LambdaRelay, value: Any) -> None:
    """Set aside with its reason and all that the item holds; what is behind it goes on."""
    strange = insert_of({"aggregateId": "a", "sequence": 2})
    strange["dynamodb"]["NewImage"]["detail"] = value
    first, third = relay_.commit(*events(("a", 1), ("a", 3)))
    assert relay_.publish([first, strange, third]) == SUCCESS
    assert relay_.target.sequences("a") == [1, 3]
    ((aggregate_id, body, error),) = relay_.dead_letters.sent
    assert aggregate_id == "a"
    assert isinstance(error, MalformedRecord)
    if relay_.dead_letters.encodings == ["dynamodb-json"]:
        assert json.loads(body)["detail"] == value
    else:
        assert json.loads(body)["sequence"] == 2


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Records": None},
        {"Records": ["a record"]},
        {"Records": [{"eventName": "INSERT", "dynamodb": {}}]},
        {"Records": [a_stream_record("INSERT", Keys={})]},
        {"Records": [{**a_stream_record("REMOVE", Keys={}), "eventSourceARN": "arn"}]},
        {"Records": [{**a_stream_record("INSERT", Keys={}), "eventSourceARN": None}]},
    ],
)
def test_what_is_no_batch_of_stream_records_fails_whole(
    relay_: LambdaRelay, event: dict[str, Any]
) -> None:
    """Records without an identity cannot be reported: the mapping halves their batch."""
    good = relay_.commit(record_of("a", 1))
    if event.get("Records"):
        event = {"Records": [*good, *event["Records"]]}
    with pytest.raises(NotAStreamEvent):
        relay_(event)
    assert not relay_.target.calls


def test_another_tables_stream_is_refused(relay_: LambdaRelay) -> None:
    """The same key may stand in our table: it would be deleted before it was published."""
    theirs = insert_of(record_of("a", 1).to_document(), table="stock-outbox")
    with pytest.raises(
        Misconfigured,
        match="reads the stream of stock-outbox, OUTBOX_TABLE is subscriptions-outbox",
    ):
        relay_.publish([*relay_.commit(record_of("a", 1)), theirs])
    assert not relay_.target.calls
    assert relay_.outbox.rows


def test_a_batch_that_comes_again_is_not_published_twice(relay_: LambdaRelay) -> None:
    """Lambda sends all from the first failed record on again: only what failed is published."""
    down = {"b"}
    relay_.target.answer = lambda record: THROTTLED if record.aggregate_id in down else None
    broken = relay_.put({"aggregateId": "bare", "sequence": 1})
    records = [*relay_.commit(*events(("b", 1), ("a", 1), ("c", 1), ("b", 2))), *broken]
    assert relay_.publish(records) == failures([records[0], records[3]])
    down.clear()
    assert relay_.publish(records) == SUCCESS
    assert Counter(relay_.target.keys) == Counter([("a", 1), ("b", 1), ("b", 2), ("c", 1)])
    assert relay_.target.sequences("b") == [1, 2]
    assert len(relay_.dead_letters.sent) == 1
    assert not relay_.outbox.rows


def test_another_environment_publishes_again(relay_: LambdaRelay) -> None:
    """It cannot know: at least once is the promise, and the handlers keep theirs."""
    records = relay_.commit(record_of("a", 1))
    relay_.publish(records)
    relay_.start_environment()
    assert relay_.publish(records) == SUCCESS
    assert relay_.target.keys == [("a", 1), ("a", 1)]


def test_a_row_that_is_put_back_is_published(relay_: LambdaRelay) -> None:
    """An operator who repairs a row writes it under its old key: that is another record."""
    relay_.publish(relay_.put({"aggregateId": "a", "sequence": 1}))
    relay_.publish(relay_.commit(record_of("a", 1)))
    assert relay_.target.keys == [("a", 1)]


def test_the_memory_is_bounded() -> None:
    """The oldest are forgotten first; a batch larger than the memory is a success all the same."""
    relay_ = LambdaRelay(remembered=3)
    records = relay_.commit(*events(*((f"a{n}", 1) for n in range(5))))
    assert relay_.publish(records) == SUCCESS
    assert relay_.publish(records) == SUCCESS
    assert len(relay_.target.keys) == 5 + 2
