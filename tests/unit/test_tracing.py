"""Whether tracing is on, what it costs where it is off, and how it ends."""

import os
from time import monotonic

import pytest

from infra.local_system.ports import LOOPBACK
from relay.aws_lambda import flushed
from runtime.errors import Misconfigured
from runtime.process import tracing
from runtime.process.tracing import FLUSH_TIMEOUT, is_wanted, spanned, start, started
from tests.otlp import receiving
from verification.testkit.ports import reserved_ports

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
TRACES_ENDPOINT = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://collector/v1/traces"}


@pytest.fixture(autouse=True)
def _nothing_is_set_already(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("endpoint", [ENDPOINT, TRACES_ENDPOINT])
def test_an_endpoint_switches_it_on(endpoint: dict[str, str]) -> None:
    """The one for all signals, or the one for traces."""
    assert is_wanted(endpoint)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {**ENDPOINT, "OTEL_SDK_DISABLED": "true"},
        {**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_SERVICE_NAME": "stock-api", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
    ],
)
def test_without_one_it_is_off(environment: dict[str, str]) -> None:
    """As it is where an endpoint is empty, as in compose.yaml, or OpenTelemetry is switched off."""
    assert not is_wanted(environment)


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:4318"}, r"OTEL_EXPORTER_OTLP_ENDPOINT: .*URL"),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, r"_PROTOCOL: .*http/protobuf"),
    ],
)
def test_what_cannot_be_exported_to_is_named_with_the_mend(
    environment: dict[str, str], complaint: str
) -> None:
    """At the start of the process, not as silence in a collector."""
    with pytest.raises(Misconfigured, match=complaint):
        is_wanted(environment)


def test_where_it_is_off_a_block_has_no_span() -> None:
    """And one that fails, fails as it did."""
    with started("a-process") as tracer, spanned(tracer, "a", "client", {}) as span:
        assert (tracer, span) == (None, None)
    with pytest.raises(LookupError), spanned(None, "a", "client", {}):
        raise LookupError


@pytest.mark.parametrize(
    ("named", "service"),
    [({}, "a-process"), ({"OTEL_SERVICE_NAME": "stock-relay"}, "stock-relay")],
)
def test_a_process_exports_what_it_has_made_before_it_ends(
    monkeypatch: pytest.MonkeyPatch, named: dict[str, str], service: str
) -> None:
    """To the collector of its environment, under its name; two relays of one command are told one.

    Whoever starts them tells them apart.
    """
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=a-test")
        for name, value in named.items():
            monkeypatch.setenv(name, value)
        with started("a-process") as tracer, spanned(tracer, "a span", "client", {"a": 1}):
            pass
    (span,) = receiver.spans
    assert (span.name, span.kind, span.attributes) == ("a span", "CLIENT", {"a": 1})
    assert span.service == service
    assert span.resource["deployment.environment.name"] == "a-test"


def test_a_function_exports_before_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda freezes it then; also where it fails, and without a tracer there is nothing to do."""
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        tracer = start("relay-dynamodb")
        assert tracer
        with pytest.raises(LookupError), flushed(tracer), tracer.span("a span", "client", {}):
            raise LookupError
        assert [span.name for span in receiver.spans] == ["a span"]
        tracer.stop()
    with pytest.raises(LookupError), flushed(None):
        raise LookupError


def test_a_collector_that_is_not_there_delays_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a span nor the stop, which has its bound; tries again would take seconds."""
    with reserved_ports(1) as (port,):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{LOOPBACK}:{port}")
        began = monotonic()
        with started("a-process") as tracer:
            for _ in range(5000):  # more than wait at a time
                with spanned(tracer, "a span", "client", {}):
                    pass
            stopping = monotonic()
    assert monotonic() - stopping < 20 * FLUSH_TIMEOUT
    assert monotonic() - began < 60
    assert tracing.FLUSH_TIMEOUT + 9.5 <= 10
