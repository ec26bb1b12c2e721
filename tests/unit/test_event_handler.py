"""How a queue's events are read, measured and traced: type, version and schema have to be right."""

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from contracts.causes import Cause
from contracts.envelope import NotAnEvent, ReadModel
from contracts.names import EventType
from runtime.metrics import ConsumerMetrics
from runtime.process.tracing import Tracer
from runtime.sqs.handler import (
    EventHandler,
    Instruments,
    Reader,
    SchemaViolation,
    UnexpectedEvent,
)
from tests.builders import START, TRACEPARENT, a_body, a_metadata
from tests.recorded import Recorded, attributes_of, error_of, parent_of, traceparent_of

QUEUE = "stock-subscription-created"


class Wanted(ReadModel):
    quantity: int


def a_handler(seen: list[int]) -> EventHandler:
    def handle(event: Wanted, _: Cause) -> None:
        seen.append(event.quantity)

    return EventHandler({EventType.SUBSCRIPTION_CREATED: Reader(Wanted, handle)}, ())


def test_a_reader_takes_its_fields_and_ignores_the_others() -> None:
    """What a publisher adds later is none of this reader's business."""
    seen: list[int] = []
    a_handler(seen).handle(a_body(quantity=3, addedLater="x"))
    assert seen == [3]


def test_two_versions_of_an_event_are_each_read_by_their_own_reader() -> None:
    """While a breaking change is rolled out, both are in the queue; a third is refused."""
    seen: list[str] = []
    first = Reader(Wanted, lambda _, __: seen.append("v1"))
    second = Reader(Wanted, lambda _, __: seen.append("v2"), version=2)
    handler = EventHandler({EventType.SUBSCRIPTION_CREATED: (first, second)}, ())
    for version in (2, 1):
        handler.handle(a_body(metadata=a_metadata(version=version)))
    assert seen == ["v2", "v1"]
    with pytest.raises(UnexpectedEvent, match=r"version 3 .* version 1, .* version 2"):
        handler.handle(a_body(metadata=a_metadata(version=3)))


def test_a_field_under_its_python_name_is_no_field() -> None:
    """The wire's names are camelCase; another spelling is a mistake of the publisher's."""
    metadata = a_metadata()
    metadata["event_id"] = metadata.pop("eventId")
    with pytest.raises(NotAnEvent, match=r"metadata\.eventId"):
        a_handler([]).handle(a_body(metadata=metadata))


@pytest.mark.parametrize("quantity", ["2", 2.5, True, None])
def test_a_value_of_another_type_is_not_bent_into_shape(quantity: object) -> None:
    """The schema says integer: text, fractions and truth values break it, however they look."""
    seen: list[int] = []
    with pytest.raises(SchemaViolation, match="quantity"):
        a_handler(seen).handle(a_body(quantity=quantity))
    assert seen == []


def test_a_version_that_is_not_understood_is_refused_by_its_number() -> None:
    """A breaking change comes as a new version; guessing at it would be worse than stopping."""
    with pytest.raises(UnexpectedEvent, match="SubscriptionCreated version 2 is not handled here"):
        a_handler([]).handle(a_body(metadata=a_metadata(version=2)))


def test_another_type_is_refused_by_its_name() -> None:
    """A rule that lets too much in shows in the dead letter's reason."""
    with pytest.raises(UnexpectedEvent, match=r"StockAllocated version 1 .* only SubscriptionCr"):
        a_handler([]).handle(a_body("StockAllocated"))


class Handling:
    """An instrumented handler that keeps the causes it was given, 1.5 s after the event."""

    def __init__(self, tracer: Tracer | None = None) -> None:
        self.causes: list[Cause] = []
        self.error: Exception | None = None
        self._registry = CollectorRegistry()
        self.handler = EventHandler(
            {EventType.SUBSCRIPTION_CREATED: Reader(Wanted, self._handle)},
            (LookupError,),
            Instruments(
                QUEUE,
                ConsumerMetrics(self._registry),
                tracer,
                now=lambda: START + timedelta(seconds=1.5),
            ),
        )

    def _handle(self, _: Wanted, cause: Cause) -> None:
        self.causes.append(cause)
        if self.error:
            raise self.error

    def measured(self, suffix: str) -> float | None:
        labels = {"queue": QUEUE, "event_type": "SubscriptionCreated"}
        return self._registry.get_sample_value(
            f"consumer_commit_to_effect_seconds_{suffix}", labels
        )


def test_the_time_from_commit_to_effect_is_measured_by_queue_and_type() -> None:
    """From the event's occurredAt to the end of its handling."""
    handling = Handling()
    handling.handler.handle(a_body())
    assert (handling.measured("count"), handling.measured("sum")) == (1, 1.5)


def test_an_event_from_a_clock_that_is_ahead_counts_as_none() -> None:
    """A negative time would take from the sum."""
    handling = Handling()
    handling.handler.handle(a_body(metadata=a_metadata(occurredAt="2026-11-23T09:30:59.000Z")))
    assert (handling.measured("count"), handling.measured("sum")) == (1, 0)


def test_what_had_no_effect_is_not_measured() -> None:
    """A failed try, an event that is not for this queue, and what is no event."""
    handling = Handling()
    handling.error = LookupError()
    for body, error in (
        (a_body(), LookupError),
        (a_body("StockAllocated"), UnexpectedEvent),
        ("{}", NotAnEvent),
    ):
        with pytest.raises(error) as raised:
            handling.handler.handle(body)
        assert handling.handler.is_permanent(raised.value)
    assert handling.measured("count") is None


def test_an_effect_is_a_child_of_its_events_commit_and_parent_of_its_own_events() -> None:
    """So a trace goes on from event to event; the rest of the cause is the event's."""
    recorded = Recorded()
    handling = Handling(recorded.tracer)
    handling.handler.handle(a_body())
    assert parent_of(recorded.only) == tuple(TRACEPARENT.split("-")[1:3])
    (cause,) = handling.causes
    assert cause.traceparent == traceparent_of(recorded.only)
    assert (cause.correlation_id, cause.causation_id) == (
        "request-1",
        "019ab0c0-0000-7000-8000-000000000001",
    )
    assert attributes_of(recorded.only)["messaging.destination.name"] == QUEUE


def test_an_event_without_a_context_begins_a_trace() -> None:
    """As those do that were committed while nobody traced."""
    recorded = Recorded()
    handling = Handling(recorded.tracer)
    handling.handler.handle(a_body(metadata=a_metadata(traceparent=None)))
    assert parent_of(recorded.only) is None
    assert handling.causes[0].traceparent == traceparent_of(recorded.only)


def test_without_a_tracer_the_events_context_is_carried_on() -> None:
    """Others may trace, and see one trace."""
    handling = Handling()
    handling.handler.handle(a_body())
    assert handling.causes[0].traceparent == TRACEPARENT


def test_a_failed_try_is_a_failed_span() -> None:
    """Each try has its own, so an outage is seen as what it is: many."""
    recorded = Recorded()
    handling = Handling(recorded.tracer)
    handling.error = LookupError("12345678")
    for _ in range(2):
        with pytest.raises(LookupError):
            handling.handler.handle(a_body())
    assert [error_of(span) for span in recorded.spans] == ["LookupError"] * 2
    assert not [span for span in recorded.spans if "12345678" in span.to_json()]
