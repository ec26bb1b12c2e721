"""Events as queues hand them over."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.causes import Cause
from contracts.envelope import NotAnEvent, ReceivedEvent
from tests.builders import START, TRACEPARENT, a_cause, a_detail, an_envelope


def an_event(**changes: Any) -> dict[str, Any]:
    event = an_envelope(a_detail(), detail_type="SubscriptionCreated", source="app.subscriptions")
    return event | changes


def without(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def refusal_of(body: str) -> str:
    with pytest.raises(NotAnEvent) as refused:
        ReceivedEvent.parse(body)
    return str(refused.value)


def test_an_event_is_read_with_its_metadata() -> None:
    """The envelope's fields, the detail as it is, and our metadata as values."""
    event = ReceivedEvent.parse(json.dumps(an_event()))
    assert (event.source, event.detail_type) == ("app.subscriptions", "SubscriptionCreated")
    assert event.detail == a_detail()
    assert (event.metadata.version, event.metadata.sequence) == (1, 1)
    assert event.metadata.occurred_at == START
    assert event.metadata.traceparent == TRACEPARENT
    assert event.metadata.causation_id is None


def test_fields_that_nobody_here_knows_are_no_fault() -> None:
    """A publisher may add fields to the envelope, the detail and the metadata."""
    detail = a_detail(colour="blue")
    detail["metadata"] |= {"tenant": "one"}
    event = ReceivedEvent.parse(json.dumps(an_event(detail=detail, **{"replay-name": "again"})))
    assert event.detail["colour"] == "blue"


@pytest.mark.parametrize("body", ["", "{", "null", "[]", '"text"', "\x00", "{}" * 2])
def test_a_body_that_is_no_json_object_is_not_an_event(body: str) -> None:
    """Whatever the body is, the answer is NotAnEvent and says that it is about the body."""
    assert refusal_of(body).startswith("body: ")


@settings(deadline=None)
@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_no_body_at_all_raises_anything_else(body: str) -> None:
    """Garbage of any shape is NotAnEvent: a consumer can rely on it to dead-letter."""
    refusal_of(body)


@pytest.mark.parametrize("field", ["id", "source", "detail-type", "detail"])
def test_each_missing_envelope_field_is_named(field: str) -> None:
    """The reason that goes to the dead-letter queue names the field."""
    assert refusal_of(json.dumps(without(an_event(), field))) == f"{field}: Field required"


def test_all_that_is_wrong_is_named_at_once() -> None:
    """Two faults, two names: whoever mends the publisher need not try twice."""
    assert refusal_of(json.dumps(without(an_event(), "id", "source"))) == (
        "id: Field required; source: Field required"
    )


def test_a_detail_without_metadata_is_not_an_event_of_ours() -> None:
    """Somebody else's event on our bus is refused, naming the metadata."""
    body = json.dumps(an_event(detail=without(a_detail(), "metadata")))
    assert refusal_of(body).startswith("metadata: ")


@pytest.mark.parametrize(
    "field", ["eventId", "version", "aggregateId", "sequence", "occurredAt", "correlationId"]
)
def test_each_missing_metadata_field_is_named(field: str) -> None:
    """Every field that deduplication, order or tracing needs is required."""
    metadata = without(a_detail()["metadata"], field)
    body = json.dumps(an_event(detail=a_detail(metadata=metadata)))
    assert refusal_of(body) == f"metadata.{field}: Field required"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("eventId", ""),
        ("aggregateId", ""),
        ("version", 0),
        ("sequence", 0),
        ("sequence", "first"),
        *(
            ("occurredAt", value)
            for value in (
                "2026-11-23T09:30:00",
                "0001-01-01T00:00:00.000+01:00",
                "9999-12-31T23:59:59.999-01:00",
                "1764488025",
                1764488025,
                1.5,
                None,
                True,
                ["2026-11-23T09:30:00.000Z"],
                {"$date": "2026-11-23T09:30:00.000Z"},
            )
        ),
    ],
)
def test_each_wrong_metadata_field_is_named(field: str, value: Any) -> None:
    """An empty id, a sequence below 1 and a time without a zone are refused."""
    metadata = a_detail()["metadata"] | {field: value}
    body = json.dumps(an_event(detail=a_detail(metadata=metadata)))
    assert refusal_of(body).startswith(f"metadata.{field}: ")


def test_a_refusal_never_repeats_the_values() -> None:
    """The reason is logged and kept in a queue's attributes; bank details must not be in it."""
    body = json.dumps(an_event(detail={"accountNumber": "87654321", "metadata": "87654321"}))
    assert "87654321" not in refusal_of(body)


def test_an_event_is_the_cause_of_what_it_leads_to() -> None:
    """The correlation and the trace go on; the event's own id becomes the causation."""
    event = ReceivedEvent.parse(json.dumps(an_event()))
    assert Cause.of(event) == Cause(
        correlation_id="request-1",
        causation_id="019ab0c0-0000-7000-8000-000000000001",
        traceparent=TRACEPARENT,
    )


def test_metadata_is_camel_case_on_the_wire() -> None:
    """What a cause makes of itself is written in the names of design.md section 5."""
    metadata = a_cause().metadata(
        event_id="event-1", aggregate_id="aggregate-1", sequence=1, occurred_at=START
    )
    assert json.loads(metadata.model_dump_json()) == {
        "eventId": "event-1",
        "version": 1,
        "aggregateId": "aggregate-1",
        "sequence": 1,
        "occurredAt": "2026-11-23T09:30:00.000Z",
        "correlationId": "request-1",
        "causationId": None,
        "traceparent": TRACEPARENT,
    }


@pytest.mark.parametrize("text", ["20261123T093000Z", "2026-W48-1T15:00:00+05:30"])
def test_a_time_of_any_form_is_read_as_utc(text: str) -> None:
    """By the rule that holds for an outbox record: the same text is the same moment everywhere."""
    metadata = a_detail()["metadata"] | {"occurredAt": text}
    event = ReceivedEvent.parse(json.dumps(an_event(detail=a_detail(metadata=metadata))))
    assert event.metadata.occurred_at == START
    assert json.loads(event.metadata.model_dump_json())["occurredAt"] == "2026-11-23T09:30:00.000Z"
