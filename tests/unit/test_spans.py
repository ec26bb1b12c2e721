"""Spans by OpenTelemetry: whose child they are, what they carry on, and how they fail."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import time_ns

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from structlog.testing import capture_logs

from runtime.process.spans import WARNING_INTERVAL, RateLimitedWarnings
from tests.builders import TRACEPARENT
from tests.recorded import Recorded, error_of, ids_of, parent_of, traceparent_of

TRACE, PARENT = TRACEPARENT.split("-")[1:3]


def test_a_span_with_a_parent_is_in_its_trace(recorded: Recorded) -> None:
    """And its own context is what is carried on: the same trace, another parent."""
    with recorded.tracer.span("a", "consumer", {}, parent=TRACEPARENT) as span:
        carried = span.traceparent
    assert parent_of(recorded.only) == (TRACE, PARENT)
    assert carried == traceparent_of(recorded.only)


@pytest.mark.parametrize("parent", [None, "", "nonsense", f"00-{'0' * 32}-{'0' * 16}-01"])
def test_a_span_without_a_readable_parent_begins_a_trace(
    recorded: Recorded, parent: str | None
) -> None:
    """What a caller or an old record has there is no reason to fail."""
    with recorded.tracer.span("a", "server", {}, parent=parent):
        pass
    assert parent_of(recorded.only) is None


def test_a_span_in_a_block_is_the_blocks_child(recorded: Recorded) -> None:
    """Until the block ends; one that is added may name its parent all the same."""
    with recorded.tracer.span("outer", "server", {}):
        with recorded.tracer.span("inner", "client", {}):
            pass
        recorded.tracer.add("beside", "producer", {}, parent=TRACEPARENT, started=time_ns())
    with recorded.tracer.span("next", "server", {}):
        pass
    inner, beside, outer, after = recorded.spans
    assert parent_of(inner) == ids_of(outer)
    assert parent_of(beside) == (TRACE, PARENT)
    assert parent_of(after) is None


def test_a_caller_that_does_not_sample_is_followed(recorded: Recorded) -> None:
    """Nothing is exported, and the decision is carried on to whatever it leads to."""
    with recorded.tracer.span("a", "server", {}, parent=f"00-{TRACE}-{PARENT}-00") as span:
        carried = span.traceparent
    assert recorded.spans == []
    assert carried.startswith(f"00-{TRACE}-")
    assert not is_sampled(carried)


def test_a_sampler_decides_where_nobody_has() -> None:
    """One decision for the whole trace, at its first span."""
    unsampled = Recorded(ParentBased(ALWAYS_OFF))
    with unsampled.tracer.span("a", "server", {}) as span:
        assert not is_sampled(span.traceparent)
    with unsampled.tracer.span("a", "server", {}, parent=TRACEPARENT):
        pass
    assert len(unsampled.spans) == 1


def is_sampled(traceparent: str) -> bool:
    """The lowest bit of its flags; the next says that the trace's id is random."""
    return bool(int(traceparent[-2:], 16) & 1)


def test_an_error_fails_the_span_and_says_nothing_but_its_type(recorded: Recorded) -> None:
    """What it says may be an account number."""
    with (
        pytest.raises(ValueError, match="12345678"),
        recorded.tracer.span("a", "client", {}),
    ):
        raise ValueError("12345678 is no account")
    assert error_of(recorded.only) == "ValueError"
    assert "12345678" not in recorded.only.to_json()


def test_a_span_that_is_added_lasts_from_its_start_until_now(recorded: Recorded) -> None:
    """And may have failed."""
    before = time_ns()
    recorded.tracer.add("a", "producer", {}, parent=None, started=before, error_type="Throttled")
    span = recorded.only
    assert span.start_time == before
    assert span.end_time
    assert before <= span.end_time <= time_ns()
    assert error_of(span) == "Throttled"


def test_lines_of_the_log_carry_the_active_span(recorded: Recorded) -> None:
    """Of the inner one while there are two, and none when there is none."""
    bound = structlog.contextvars.get_contextvars
    with recorded.tracer.span("outer", "server", {}):
        with recorded.tracer.span("inner", "client", {}):
            inside = bound()
        outside = bound()
    inner, outer = recorded.spans
    assert (inside["trace_id"], inside["span_id"]) == ids_of(inner)
    assert (outside["trace_id"], outside["span_id"]) == ids_of(outer)
    assert "trace_id" not in bound()


@dataclass
class Refusing(SpanExporter):
    """An exporter that fails, or raises."""

    error: Exception | None = None
    calls: list[int] = field(default_factory=list)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.calls.append(len(spans))
        if self.error:
            raise self.error
        return SpanExportResult.FAILURE


@pytest.mark.parametrize("error", [None, OSError("no route")])
def test_lost_spans_are_told_once_a_minute_with_their_number(error: Exception | None) -> None:
    """A collector that is away for a day is no reason for a line every five seconds."""
    now = 0.0
    exporter = RateLimitedWarnings(Refusing(error), elapsed=lambda: now)
    recorded = Recorded()
    with recorded.tracer.span("a", "client", {}):
        pass
    with capture_logs() as lines:
        for now in (0.0, 5.0, WARNING_INTERVAL - 1, WARNING_INTERVAL):  # noqa: B007
            assert exporter.export(recorded.spans) is SpanExportResult.FAILURE
    assert [line["count"] for line in lines] == [1, 3]
    assert {line["log_level"] for line in lines} == {"warning"}
