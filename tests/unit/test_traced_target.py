"""The spans of what a relay publishes, in the traces of those who committed it."""

import pytest
from opentelemetry.trace import SpanKind

from relay.ports import CallRefused
from relay.traced import traced
from runtime.process.tracing import MessagingSystem
from tests.builders import TRACEPARENT
from tests.recorded import Recorded, attributes_of, error_of, parent_of
from tests.relay_fakes import MALFORMED, MemoryTarget, away, failing, record_of

BUS: tuple[MessagingSystem, str] = ("aws_eventbridge", "stock-event-bus")
OTHER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_without_a_tracer_it_is_the_target_itself() -> None:
    """Nothing stands between a relay and its bus."""
    target = MemoryTarget()
    assert traced(target, *BUS, None) is target


def test_each_event_of_a_batch_has_a_span_in_its_own_trace(recorded: Recorded) -> None:
    """A batch is of many traces; one that was committed without a context begins its own."""
    records = [
        record_of("a", 1),
        record_of("b", 1, traceparent=OTHER),
        record_of("c", 1, traceparent=None),
    ]
    target = MemoryTarget()
    assert traced(target, *BUS, recorded.tracer).publish(records) == [None, None, None]
    assert target.accepted == records
    assert [parent_of(span) for span in recorded.spans] == [
        tuple(TRACEPARENT.split("-")[1:3]),
        tuple(OTHER.split("-")[1:3]),
        None,
    ]
    assert {(span.name, span.kind) for span in recorded.spans} == {
        ("send stock-event-bus", SpanKind.PRODUCER)
    }
    sent = [attributes_of(span)["messaging.message.id"] for span in recorded.spans]
    assert sent == ["a-1", "b-1", "c-1"]


def test_a_refused_entry_fails_its_span_alone(recorded: Recorded) -> None:
    """With the code that the target gave."""
    target = MemoryTarget(answer=lambda r: MALFORMED if r.aggregate_id == "b" else None)
    failures = traced(target, *BUS, recorded.tracer).publish([record_of("a", 1), record_of("b", 1)])
    assert failures == [None, MALFORMED]
    assert [error_of(span) for span in recorded.spans] == [None, "MalformedDetail"]


@pytest.mark.parametrize(
    ("error", "error_type"), [(away(), "Unavailable"), (CallRefused(MALFORMED), "MalformedDetail")]
)
def test_a_failed_call_fails_the_span_of_each(
    recorded: Recorded, error: Exception, error_type: str
) -> None:
    """With the code of a refused call, as a refused entry does; it reaches the relay as it was."""
    target = MemoryTarget(fault=failing([error]))
    with pytest.raises(type(error)):
        traced(target, *BUS, recorded.tracer).publish([record_of("a", 1), record_of("b", 1)])
    assert [error_of(span) for span in recorded.spans] == [error_type, error_type]


def test_batches_are_cut_as_the_target_takes_them(recorded: Recorded) -> None:
    """Its limits and its sizes are the target's own."""
    target, record = MemoryTarget(), record_of("a", 1)
    wrapped = traced(target, *BUS, recorded.tracer)
    assert (wrapped.limits, wrapped.size_of(record)) == (target.limits, target.size_of(record))
