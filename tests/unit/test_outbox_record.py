"""The outbox record: its forms, its size, and what is no record."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.envelope import EventDetail
from contracts.names import EventType, Source
from contracts.outbox import (
    MAX_RECORD_BYTES,
    MAX_SEQUENCE,
    EventTooLarge,
    MalformedRecord,
    OutboxRecord,
    RecordKey,
)
from contracts.publishing import outbox_record
from tests.builders import START, TRACEPARENT, a_cause, a_record

texts = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
records = st.builds(
    OutboxRecord,
    aggregate_id=names,
    sequence=st.integers(min_value=1, max_value=MAX_SEQUENCE),
    event_id=names,
    event_type=names,
    source=names,
    occurred_at=st.datetimes(timezones=st.just(UTC)).map(
        lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    ),
    detail=st.dictionaries(texts, json_values, max_size=3).map(json.dumps),
    correlation_id=texts,
    traceparent=st.none() | texts,
)


def detail_of_size(record_size: int, character: str = "x") -> str:
    """A detail that makes `a_record` take `record_size` bytes; a remainder is filled with x."""
    # A quotation mark of the detail takes two bytes in the record, but is there in both.
    empty = a_record(detail='{"text":""}').size
    whole, rest = divmod(record_size - empty, len(character.encode()))
    return f'{{"text":"{character * whole}{"x" * rest}"}}'


def document_without(*names: str) -> dict[str, Any]:
    return {key: value for key, value in a_record().to_document().items() if key not in names}


def fault_in(document: dict[str, Any]) -> str:
    with pytest.raises(MalformedRecord) as malformed:
        OutboxRecord.from_document(document)
    return str(malformed.value)


@settings(deadline=None)
@given(records)
def test_a_document_is_read_back_as_the_same_record(record: OutboxRecord) -> None:
    """Both databases give back what was committed, whatever the texts are."""
    assert OutboxRecord.from_document(record.to_document()) == record


@settings(deadline=None)
@given(records)
def test_a_json_text_is_read_back_as_the_same_record(record: OutboxRecord) -> None:
    """So does the FIFO queue."""
    assert OutboxRecord.from_json(record.to_json()) == record
    assert record.size == len(record.to_json().encode())


def test_a_document_has_the_names_of_the_design() -> None:
    """The stored form is what deployed relays read: it does not change by accident."""
    assert a_record().to_document() == {
        "aggregateId": "5f0c7c1e-7a64-5d0b-9d5e-0a4c6a3f8b11",
        "sequence": 1,
        "eventId": "019ab0c0-0000-7000-8000-000000000001",
        "eventType": "SubscriptionCreated",
        "source": "app.subscriptions",
        "occurredAt": "2026-11-23T09:30:00.000Z",
        "detail": '{"subscriptionId":"5f0c7c1e-7a64-5d0b-9d5e-0a4c6a3f8b11"}',
        "correlationId": "request-1",
        "traceparent": TRACEPARENT,
    }


def test_a_trace_that_is_not_there_is_left_out() -> None:
    """DynamoDB would store a null, and a reader would have to know two ways of nothing."""
    record = a_record(traceparent=None)
    assert "traceparent" not in record.to_document()
    assert OutboxRecord.from_document(record.to_document()).traceparent is None


def test_fields_that_an_older_reader_does_not_know_are_no_fault() -> None:
    """A newer service may add to the record before every relay is deployed."""
    document = a_record().to_document() | {"priority": "high", "_id": "the database's"}
    assert OutboxRecord.from_document(document) == a_record()


@pytest.mark.parametrize("character", ["x", "é", "€", "😀"])
@pytest.mark.parametrize("size", [MAX_RECORD_BYTES - 1, MAX_RECORD_BYTES])
def test_a_record_up_to_the_limit_is_made(size: int, character: str) -> None:
    """One byte under and exactly at the limit, in characters of one to four bytes."""
    record = a_record(detail=detail_of_size(size, character))
    assert record.size == size


@pytest.mark.parametrize("character", ["x", "é", "€", "😀"])
def test_a_record_one_byte_over_the_limit_is_refused(character: str) -> None:
    """Bytes count, not characters; the error carries type, size and limit."""
    with pytest.raises(EventTooLarge) as refused:
        a_record(detail=detail_of_size(MAX_RECORD_BYTES + 1, character))
    error = refused.value
    assert (error.event_type, error.size, error.limit) == (
        "SubscriptionCreated",
        MAX_RECORD_BYTES + 1,
        MAX_RECORD_BYTES,
    )
    assert str(error) == "SubscriptionCreated takes 1044481 bytes; an event may take 1044480"


def test_a_detail_with_many_quotation_marks_is_measured_as_it_travels() -> None:
    """In the FIFO queue the detail is a JSON string in JSON: each quotation mark takes two."""
    many = '{"text":"' + r"\"" * (MAX_RECORD_BYTES // 4) + '"}'
    assert len(many) < MAX_RECORD_BYTES
    with pytest.raises(EventTooLarge):
        a_record(detail=many)


@settings(deadline=None)
@given(records)
def test_an_entry_is_never_larger_than_its_record(record: OutboxRecord) -> None:
    """What fits the outbox fits PutEvents."""
    assert record.entry_size <= record.size


def test_an_entry_is_measured_as_eventbridge_does() -> None:
    """14 bytes for the time, and source, detail-type and detail in UTF-8."""
    record = a_record(source="ab", event_type="cde", detail='{"a":"é"}')
    assert record.entry_size == 14 + 2 + 3 + 10


def test_records_of_one_aggregate_are_in_order_of_sequence() -> None:
    """Keys sort by aggregate and then by number, not by text."""
    keys = [a_record(aggregate_id=a, sequence=s).key for a, s in [("b", 1), ("a", 10), ("a", 9)]]
    assert sorted(keys) == [RecordKey("a", 9), RecordKey("a", 10), RecordKey("b", 1)]


REQUIRED = document_without("traceparent")


@pytest.mark.parametrize("name", REQUIRED)
def test_each_missing_field_is_named(name: str) -> None:
    """A document without a required field is no record."""
    assert fault_in(document_without(name)) == f"{name} is missing"


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, True, 1.5, ["x"], {"x": 1}])
def test_each_field_of_another_type_is_named(name: str, value: Any) -> None:
    """Neither null nor true nor half a number passes for a text or a number."""
    kind = "int" if name == "sequence" else "str"
    assert fault_in(a_record().to_document() | {name: value}) == f"{name} is not {kind}"


@pytest.mark.parametrize("value", [1, True, ["x"]])
def test_a_trace_of_another_type_is_named(value: Any) -> None:
    """What is optional still has a type."""
    assert fault_in(a_record().to_document() | {"traceparent": value}) == "traceparent is not str"


def test_every_fault_is_named_at_once() -> None:
    """Whoever finds the document in the dead-letter queue sees all that is wrong with it."""
    assert fault_in({"sequence": "1", "source": 7, "traceparent": 7}) == (
        "aggregateId is missing; sequence is not int; eventId is missing; eventType is missing; "
        "source is not str; occurredAt is missing; detail is missing; correlationId is missing; "
        "traceparent is not str"
    )


@pytest.mark.parametrize("occurred_at", ["", "yesterday", "2026-11-23T09:30:00"])
def test_a_time_that_cannot_be_read_is_named(occurred_at: str) -> None:
    """A text that is no time, or no moment for want of a zone, is no record."""
    assert "occurredAt" in fault_in(a_record().to_document() | {"occurredAt": occurred_at})


@pytest.mark.parametrize("detail", ["", "{", "[]", "null", '"x"', "[" * 100_000])
def test_a_detail_that_is_no_json_object_is_named(detail: str) -> None:
    """EventBridge takes nothing but a JSON object, and would refuse it later."""
    assert "detail" in fault_in(a_record().to_document() | {"detail": detail})


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "[{}]", '"x"', "{}", "\x00", "[" * 100_000, "1e999"]
)
def test_a_text_that_is_no_record_is_malformed(text: str) -> None:
    """Whatever lies in the queue, the answer is MalformedRecord."""
    with pytest.raises(MalformedRecord):
        OutboxRecord.from_json(text)


@settings(deadline=None)
@given(st.text() | json_values.map(json.dumps))
def test_no_text_raises_anything_else(text: str) -> None:
    """Garbage of any shape can be told from a bug."""
    with pytest.raises(MalformedRecord):
        OutboxRecord.from_json(text)


def test_half_a_character_is_malformed() -> None:
    """JSON can name a lone surrogate, which no UTF-8 text can hold and nothing can publish."""
    text = a_record().to_json().replace("request-1", r"\ud800")
    with pytest.raises(MalformedRecord):
        OutboxRecord.from_json(text)


def test_a_record_takes_its_facts_from_the_detail() -> None:
    """One call makes the record, so that the key, the type and the detail cannot disagree."""
    metadata = a_cause().metadata(
        event_id="event-1", aggregate_id="aggregate-1", sequence=3, occurred_at=START
    )
    detail = EventDetail(event=EventType.STOCK_ALLOCATED, metadata=metadata)
    record = outbox_record(detail, Source.STOCK)
    assert record.key == RecordKey("aggregate-1", 3)
    assert (record.event_id, record.event_type, record.source) == (
        "event-1",
        "StockAllocated",
        "app.stock",
    )
    assert record.occurred_at == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert (record.correlation_id, record.traceparent) == ("request-1", TRACEPARENT)
    assert json.loads(record.detail) == {
        "event": "StockAllocated",
        "metadata": json.loads(metadata.model_dump_json()),
    }


def published_record() -> OutboxRecord:
    """A record of an event of ours, whose detail has the metadata."""
    metadata = a_cause().metadata(
        event_id="event-1", aggregate_id="a", sequence=1, occurred_at=START
    )
    detail = EventDetail(event=EventType.STOCK_ALLOCATED, metadata=metadata)
    return outbox_record(detail, Source.STOCK)


def test_a_row_says_nothing_twice_and_is_read_back_whole() -> None:
    """Correlation id and trace context are in the detail alone."""
    record = published_record()
    row = record.to_row()
    assert row["correlationId"] == ""
    assert row.keys() == record.to_document().keys() - {"traceparent"}  # all that others ask for
    assert row.items() <= record.to_document().items() | {("correlationId", "")}
    assert OutboxRecord.from_document(row) == record


def test_the_form_of_before_is_read_as_ever() -> None:
    """What a row says itself comes before what its detail says."""
    record = published_record()
    assert OutboxRecord.from_document(record.to_document()) == record
    row = {**record.to_document(), "correlationId": "the row's", "traceparent": "the row's"}
    read = OutboxRecord.from_document(row)
    assert (read.correlation_id, read.traceparent) == ("the row's", "the row's")


NOT_REPEATED = {
    "no metadata": "{}",
    "metadata that is no object": '{"metadata":"m"}',
    "another correlation id": '{"metadata":{"correlationId":"another"}}',
    "a number": '{"metadata":{"correlationId":1,"traceparent":2}}',
    "half a surrogate pair": '{"metadata":{"correlationId":"\\ud800"}}',
    "no JSON": "{",
}


@pytest.mark.parametrize("detail", NOT_REPEATED.values(), ids=NOT_REPEATED.keys())
def test_what_the_detail_does_not_say_stays_in_the_row(detail: str) -> None:
    """A row whose detail another writer made loses nothing."""
    record = a_record(detail=detail, traceparent=TRACEPARENT)
    assert record.to_row() == record.to_document()


@pytest.mark.parametrize("detail", [each for each in NOT_REPEATED.values() if each != "{"])
def test_a_row_without_either_stays_readable(detail: str) -> None:
    """Neither a correlation id nor a trace context is a reason to dead-letter an event."""
    document = a_record(detail=detail).to_document() | {"correlationId": "", "traceparent": None}
    read = OutboxRecord.from_document(document)
    assert read.correlation_id in {"", "another"}
    assert read.traceparent is None


@settings(deadline=None)
@given(records)
def test_a_row_is_read_back_as_the_same_record(record: OutboxRecord) -> None:
    """Whatever the texts are."""
    assert OutboxRecord.from_document(record.to_row()) == record
