"""The relay's other bus: what is sent fits botocore's model, and where there is none it says so."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from contracts.outbox import MAX_RECORD_BYTES, OutboxRecord
from relay.adapters.custom_event_bus import CustomEventBus
from relay.ports import CallRefused, Failure
from relay.settings import BusSettings
from runtime.aws import Aws, answered_within
from runtime.custom_event_bus import (
    CUSTOM_BUS_ARN,
    CUSTOM_BUS_LIMITS,
    TAKES_EVENTS,
    bus_name,
    require_custom_bus,
)
from runtime.errors import Misconfigured, Unavailable
from runtime.settings import load
from tests.fakes import client_error
from tests.relay_fakes import record_of
from tests.service_models import faults, operation, value_faults

ARN = "arn:aws:events:eu-west-1:111122223333:event-busv2/stock-event-bus/abcdefghijklmnopqrstuvwxy"


def client(endpoint: str | None = None) -> Any:
    """The client that a relay has, which reads the answers of one endpoint."""
    return Aws(region="eu-west-1", endpoint_url=endpoint, attempts=1, patient=True).client(
        "eventbridgev2"
    )


class Recording:
    """A client that keeps each request and accepts every entry."""

    def __init__(self, *answers: dict[str, Any], error: Exception | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self._answers, self._error = answers, error

    def put_events(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        if self._error:
            raise self._error
        accepted = [{"SuccessCode": "PUBLISHED"} for _ in request["Entries"]]
        return {"Entries": [*self._answers] or accepted}

    def describe_event_bus(self, *, EventBusArn: str) -> dict[str, Any]:  # noqa: N803
        self.requests.append({"EventBusArn": EventBusArn})
        if self._error:
            raise self._error
        return self._answers[0]


LARGEST = record_of("a", 1)
EXTREMES = {
    "plain": record_of("a", 1),
    "an id of 128": replace(record_of("a", 1), aggregate_id="x" * 128, event_id="y" * 128),
    "an id of half a megabyte": replace(
        record_of("a", 1), aggregate_id="é" * 2**18, event_id="😀" * 200
    ),
    "an id of blanks": replace(record_of("a", 1), aggregate_id=" ", event_id="\u2003\t\n"),
    "an id with a control": replace(record_of("a", 1), aggregate_id="a\x00b", event_id="\x1b[0m"),
    "the largest detail": replace(
        LARGEST, detail='{"t":"' + "x" * (MAX_RECORD_BYTES - LARGEST.size) + '"}'
    ),
    "the longest source and type": replace(
        record_of("a", 1), source="s" * 256, event_type="t" * 128
    ),
}


@pytest.mark.parametrize("record", EXTREMES.values(), ids=EXTREMES)
def test_every_entry_fits_the_services_model(record: OutboxRecord) -> None:
    """Types, lengths and patterns, of which botocore itself checks some only."""
    recording = Recording()
    assert CustomEventBus(recording, ARN).publish([record]) == [None]
    (request,) = recording.requests
    assert faults("eventbridgev2", "PutEvents", request) == []
    (entry,) = request["Entries"]
    assert entry["Detail"] == record.detail


def test_a_full_call_fits_the_services_model_and_one_entry_more_does_not() -> None:
    """100 entries, as the page of quotas says: the limit that the relay cuts batches by."""
    records = [record_of(f"a{number}", 1) for number in range(CUSTOM_BUS_LIMITS.entries)]
    recording = Recording()
    CustomEventBus(recording, ARN).publish(records)
    (request,) = recording.requests
    assert faults("eventbridgev2", "PutEvents", request) == []
    request["Entries"].append(request["Entries"][0])
    assert faults("eventbridgev2", "PutEvents", request) == [
        "PutEvents.Entries: 101 is more than 100"
    ]


def test_the_checker_finds_what_a_service_would_refuse() -> None:
    """It is what the tests above trust: a value too long, of another form, missing, misspelt."""
    entry = {"Source": "s" * 257, "DetailType": "t", "SystemMetadata": {"DeduplicationId": " "}}
    found = faults("eventbridgev2", "PutEvents", {"EventBusArn": "a bus", "Entries": [entry, {}]})
    assert len([each for each in found if "Source" in each and "257" in each]) == 1
    assert any("EventBusArn" in each and "does not match" in each for each in found)
    assert any("DeduplicationId" in each and "does not match" in each for each in found)
    assert sum("Missing required parameter" in each for each in found) == 2
    assert value_faults("eventbridgev2", "OrderingType", "LIFO")


def test_an_entry_is_the_record_in_its_group_and_known_by_its_event() -> None:
    """Group = aggregate id, deduplication id = event id: ordered and deduplicated on the bus."""
    record, recording = record_of("a", 7), Recording()
    CustomEventBus(recording, ARN).publish([record])
    assert recording.requests == [
        {
            "EventBusArn": ARN,
            "Entries": [
                {
                    "Source": record.source,
                    "DetailType": record.event_type,
                    "Detail": record.detail,
                    "Time": record.occurred_at,
                    "SystemMetadata": {
                        "EventGroupId": record.aggregate_id,
                        "DeduplicationId": record.event_id,
                    },
                }
            ],
        }
    ]


def test_ids_that_are_too_long_stay_apart() -> None:
    """Two aggregates of one prefix are two groups, and each is always the same one."""
    long = "x" * 200
    records = [replace(record_of("a", 1), aggregate_id=each) for each in (long, long + "y", long)]
    recording = Recording()
    CustomEventBus(recording, ARN).publish(records)
    one, other, again = (
        entry["SystemMetadata"]["EventGroupId"] for entry in recording.requests[0]["Entries"]
    )
    assert one == again != other


def test_answers_are_in_the_order_of_the_entries_and_a_duplicate_is_a_success() -> None:
    """DEDUPLICATED: it is on the bus already, and its row may leave the outbox."""
    recording = Recording(
        {"EventId": "1", "SuccessCode": "PUBLISHED"},
        {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow"},
        {"EventId": "1", "SuccessCode": "DEDUPLICATED"},
        {"ErrorCode": "InternalException"},
    )
    records = [record_of(name, 1) for name in "abcd"]
    assert CustomEventBus(recording, ARN).publish(records) == [
        None,
        Failure("ThrottlingException", "slow"),
        None,
        Failure("InternalException", ""),
    ]


def test_a_call_that_is_refused_for_what_is_in_it_is_no_outage() -> None:
    """The relay then finds the entry: alone, it is dead-lettered with the reason."""
    refused = Recording(error=client_error("InvalidInputException"))
    with pytest.raises(CallRefused) as raised:
        CustomEventBus(refused, ARN).publish([record_of("a", 1)])
    assert raised.value.failure.is_permanent


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 429),
        ("InternalException", 500),
        ("AccessDeniedException", 403),
        ("ResourceNotFoundException", 404),
        ("InvalidStateException", 409),
        ("NobodyKnowsThis", 400),
    ],
)
def test_what_says_nothing_against_an_entry_holds_the_batch(code: str, status: int) -> None:
    """A bus that is being made refuses with a conflict, which elsewhere is a lost race."""
    away = Recording(error=client_error(code, status))
    with pytest.raises(Unavailable) as raised:
        CustomEventBus(away, ARN).publish([record_of("a", 1)])
    assert raised.value.call == "PutEvents"


def test_every_error_of_put_events_in_the_model_is_met_above() -> None:
    """A new botocore may list another: then it is looked at."""
    shapes: Any = operation("eventbridgev2", "PutEvents").error_shapes
    assert {shape.error_code for shape in shapes} == {
        *("ThrottlingException", "InternalException", "AccessDeniedException"),
        *("ResourceNotFoundException", "InvalidStateException", "InvalidInputException"),
    }


def test_boto3_sends_and_reads_it() -> None:
    """Through the client itself, which builds the request and parses the answer."""
    made: Any = Aws(region="eu-west-1", attempts=1).client("eventbridgev2")
    record = record_of("a", 1)
    with Stubber(made) as stubber:
        stubber.add_response(
            "put_events",
            {
                "FailedEntryCount": 1,
                "Entries": [
                    {"EventId": "e", "SequenceNumber": "1", "SuccessCode": "DEDUPLICATED"},
                    {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow"},
                ],
            },
        )
        assert CustomEventBus(made, ARN).publish([record, record_of("b", 1)]) == [
            None,
            Failure("ThrottlingException", "slow"),
        ]


# At start.


def test_the_arns_form_is_the_models() -> None:
    """A setting that passes here passes there."""
    model: Any = operation("eventbridgev2", "PutEvents").input_shape
    pattern = model.members["EventBusArn"].metadata["pattern"]
    simplified = CUSTOM_BUS_ARN.strip("^$").replace("[0-9]{12}", "([0-9]{12})")
    assert simplified.replace("[._A-Za-z0-9-]", r"[\.\-_A-Za-z0-9]").replace("/", r"\/") == pattern
    assert bus_name(ARN) == "stock-event-bus"


@pytest.mark.parametrize(
    "bus",
    [
        "stock-event-bus",
        "arn:aws:events:eu-west-1:111122223333:event-bus/stock-event-bus",
        ARN[:-1],
        f"{ARN}\n",
    ],
)
def test_the_setting_asks_for_an_arn(monkeypatch: pytest.MonkeyPatch, bus: str) -> None:
    """A name, as Classic has it, names no Custom Event Bus: AWS makes a part of the ARN."""
    monkeypatch.setenv("EVENT_BUS_KIND", "custom")
    monkeypatch.setenv("EVENT_BUS", bus)
    with pytest.raises(Misconfigured, match="with EVENT_BUS_KIND=custom, give the bus's ARN"):
        load(BusSettings)


def test_classic_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """And takes a name; an unknown kind is refused."""
    monkeypatch.delenv("EVENT_BUS_KIND", raising=False)
    monkeypatch.setenv("EVENT_BUS", "stock-event-bus")
    assert load(BusSettings).event_bus_kind == "classic"
    monkeypatch.setenv("EVENT_BUS_KIND", "pipes")
    with pytest.raises(Misconfigured, match="classic"):
        load(BusSettings)


BUS_STATES: Any = operation("eventbridgev2", "DescribeEventBus").output_shape
STATES = BUS_STATES.members["State"].enum


@pytest.mark.parametrize("state", STATES)
def test_a_bus_takes_events_or_the_start_waits_or_ends(state: str) -> None:
    """Every state of the model: one that is being made will be there, a failed one will not."""
    bus = Recording({"State": state, "StateReason": "its key"})
    if state in TAKES_EVENTS:
        require_custom_bus(bus, ARN)
    elif state == "CREATING":
        with pytest.raises(Unavailable):
            require_custom_bus(bus, ARN)
    else:
        with pytest.raises(Misconfigured, match=rf"is {state} \(its key\): make it again"):
            require_custom_bus(bus, ARN)
    assert faults("eventbridgev2", "DescribeEventBus", bus.requests[0]) == []


def no_address(number: int) -> Exception:
    """What botocore raises where a name has no address, with what the resolver said."""
    error = EndpointConnectionError(endpoint_url="https://x")
    error.__cause__ = socket.gaierror(number, "dns")
    return error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (client_error("ResourceNotFoundException", 404), "does not exist: provision it first"),
        (client_error("UnknownOperationException", 404), "no Custom Event Bus can be asked for"),
        (no_address(socket.EAI_NONAME), "the region eu-west-1 has no Custom Event Bus"),
    ],
)
def test_where_there_is_none_the_start_ends_with_a_sentence(
    error: Exception, sentence: str
) -> None:
    """Waiting would not bring it."""
    with pytest.raises(Misconfigured, match=sentence):
        require_custom_bus(Recording(error=error), ARN)


@pytest.mark.parametrize(
    "error",
    [
        no_address(socket.EAI_AGAIN),
        EndpointConnectionError(endpoint_url="https://x"),
        client_error("InternalException", 500),
        client_error("ThrottlingException", 429),
    ],
)
def test_an_outage_at_start_is_waited_for(error: Exception) -> None:
    """A resolver that cannot answer now says nothing about the region."""
    with pytest.raises(Unavailable):
        require_custom_bus(Recording(error=error), ARN)


@contextmanager
def answering(status: int, body: bytes, headers: dict[str, str]) -> Iterator[str]:
    """Serve one answer to every request, at the address that this gives."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


OTHER_PROTOCOL = json.dumps({"__type": "SerializationException", "message": "Invalid JSON"})
CBOR = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}


@pytest.mark.parametrize("status", [200, 400, 404, 405, 500, 501])
def test_an_engine_without_the_api_ends_the_start(status: int) -> None:
    """botocore would read its JSON as CBOR: as a text of terabytes, for which there is no memory.

    The 500 is MiniStack's answer: it cannot read CBOR as text.
    """
    with (
        answering(status, OTHER_PROTOCOL.encode(), {}) as endpoint,
        pytest.raises(
            Misconfigured, match=rf"no Custom Event Bus \(HTTP {status}\): set EVENT_BUS"
        ),
    ):
        require_custom_bus(client(endpoint), ARN)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_gateway_that_answers_for_aws_is_an_outage(status: int) -> None:
    """Its HTML is no CBOR either, and says nothing about the API."""
    with answering(status, b"<html>Bad gateway</html>", {}) as endpoint:
        with pytest.raises(Unavailable):
            require_custom_bus(client(endpoint), ARN)
        bus = CustomEventBus(client(endpoint), ARN)
        for patience in (2, 3):  # a client for each
            with answered_within(patience), pytest.raises(Unavailable):
                bus.publish([record_of("a", 1)])


def test_an_answer_in_the_protocol_is_read() -> None:
    """CBOR of one pair, State and ACTIVE."""
    body = b"\xa1\x65State\x66ACTIVE"
    with answering(200, body, CBOR) as endpoint:
        require_custom_bus(client(endpoint), ARN)
