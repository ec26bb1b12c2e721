"""What is measured and traced of an event's handling."""

import json
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from contracts.causes import Cause
from contracts.envelope import NotAnEvent, ReadModel
from contracts.names import EventType
from runtime.metrics import ConsumerMetrics
from runtime.process.tracing import Tracer
from runtime.sqs.effects import Effects
from runtime.sqs.inbox import Inbox, UnexpectedEvent, reads
from tests import builders
from tests.builders import START, TRACEPARENT
from tests.recorded import Recorded, attributes_of, error_of, parent_of, traceparent_of

QUEUE = "stock-subscription-created"


class Wanted(ReadModel):
    quantity: int


class Handling:
    """Effects around an inbox that keeps the causes it was given, 1.5 s after the event."""

    def __init__(self, tracer: Tracer | None = None) -> None:
        self.causes: list[Cause] = []
        self.error: Exception | None = None
        self._registry = CollectorRegistry()
        self.effects = Effects(
            Inbox({EventType.SUBSCRIPTION_CREATED: reads(Wanted, self._handle)}, (LookupError,)),
            QUEUE,
            ConsumerMetrics(self._registry),
            tracer,
            now=lambda: START + timedelta(seconds=1.5),
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


def a_body(detail_type: str = "SubscriptionCreated", **metadata: Any) -> str:
    detail = builders.a_detail()
    detail["metadata"] |= metadata
    return json.dumps(
        builders.an_envelope(detail, detail_type=detail_type, source="app.subscriptions")
    )


def test_the_time_from_commit_to_effect_is_measured_by_queue_and_type() -> None:
    """From the event's occurredAt to the end of its handling."""
    handling = Handling()
    handling.effects.handle(a_body())
    assert (handling.measured("count"), handling.measured("sum")) == (1, 1.5)


def test_an_event_from_a_clock_that_is_ahead_counts_as_none() -> None:
    """A negative time would take from the sum."""
    handling = Handling()
    handling.effects.handle(a_body(occurredAt="2026-11-23T09:30:59.000Z"))
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
            handling.effects.handle(body)
        assert handling.effects.is_permanent(raised.value)
    assert handling.measured("count") is None


def test_an_effect_is_a_child_of_its_events_commit_and_parent_of_its_own_events() -> None:
    """So a trace goes on from event to event; the rest of the cause is the event's."""
    recorded = Recorded()
    handling = Handling(recorded.tracer)
    handling.effects.handle(a_body())
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
    handling.effects.handle(a_body(traceparent=None))
    assert parent_of(recorded.only) is None
    assert handling.causes[0].traceparent == traceparent_of(recorded.only)


def test_without_a_tracer_the_events_context_is_carried_on() -> None:
    """Others may trace, and see one trace."""
    handling = Handling()
    handling.effects.handle(a_body())
    assert handling.causes[0].traceparent == TRACEPARENT


def test_a_failed_try_is_a_failed_span() -> None:
    """Each try has its own, so an outage is seen as what it is: many."""
    recorded = Recorded()
    handling = Handling(recorded.tracer)
    handling.error = LookupError("12345678")
    for _ in range(2):
        with pytest.raises(LookupError):
            handling.effects.handle(a_body())
    assert [error_of(span) for span in recorded.spans] == ["LookupError"] * 2
    assert not [span for span in recorded.spans if "12345678" in span.to_json()]
