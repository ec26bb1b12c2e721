"""The lean client beside botocore's: what it sends, reads and raises is what botocore's would."""

import io
import json
import zlib
from base64 import b64encode
from calendar import timegm
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from time import gmtime
from typing import Any, cast
from unittest.mock import patch

import pytest
import urllib3
from botocore import xform_name
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    MissingDependencyException,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.session import Session
from hypothesis import example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from runtime.aws import Aws, answered_within
from runtime.errors import Misconfigured
from runtime.lean_client import _BINARY, _TIMES, HOT, LeanClient, Signer, _as_botocores
from runtime.outbox.dynamodb_rows import to_item
from tests.relay_fakes import record_of
from tests.service_models import operation

REGION, ENDPOINT = "eu-west-1", "http://127.0.0.1:9"
CALLS = [(service, name) for service, protocol in HOT.items() for name in protocol.operations]
NO_POOL = cast("Any", None)
LATE = urllib3.exceptions.ReadTimeoutError(NO_POOL, "/", "late")
CALL = pytest.mark.parametrize(("service", "name"), CALLS)


@dataclass(frozen=True)
class Answer:
    """What comes over the wire."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def read(self, *, at_once: bool) -> urllib3.HTTPResponse:
        body = io.BytesIO(self.body)
        return urllib3.HTTPResponse(body, self.headers, self.status, preload_content=at_once)


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(json.dumps(body).encode(), status, headers or {})


class Wire:
    """What is between a client and AWS: keeps requests, and gives each the next answer."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[tuple[Mapping[str, str], bytes]] = []
        self.timeouts: list[float | None] = []

    def urlopen(self, _method: str, _path: str, body: bytes, headers: Any, **options: Any) -> Any:
        """Answer a pool's user."""
        self.timeouts.append(options["timeout"].read_timeout)
        return self._next(body, headers).read(at_once=True)

    def send(self, request: Any) -> AWSResponse:
        """Answer botocore's own transport, which makes its errors of urllib3's."""
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        self.timeouts.append(request.context.get("read_timeout"))
        try:
            found = self._next(request.body, headers).read(at_once=False)
        except urllib3.exceptions.HTTPError as error:
            raise _as_botocores(error, ENDPOINT) from error
        return AWSResponse(request.url, found.status, cast("Any", found.headers), found)

    def _next(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.requests.append((headers, body))
        found = self._answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@pytest.fixture(autouse=True)
def shell(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Keys, and none of what would have a test go another way than it says."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sample")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sample")
    for name in ("AWS_CLIENT", *map("{}_proxy".format, ("http", "https", "all"))):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@cache
def made(service: Any, tries: int, *, is_lean: bool) -> Any:
    """A client, with nothing on its wire yet: making one costs more than most tests here."""
    if is_lean:
        return Aws(region=REGION, endpoint_url=ENDPOINT, attempts=tries).client(service)
    config = Config(retries={"total_max_attempts": tries, "mode": "standard"})
    session: Any = Session()
    session.set_credentials("sample", "sample")
    return session.create_client(service, REGION, endpoint_url=ENDPOINT, config=config)


def lean(service: str, wire: Wire, tries: int = 1) -> Any:
    """A lean client on a wire, and so is what it has of botocore's."""
    client = made(service, tries, is_lean=True)
    assert isinstance(client, LeanClient)
    client._pool = wire  # type: ignore[assignment]
    client._botocores.make()._endpoint.http_session = wire
    return client


def botocores(service: str, wire: Wire) -> Any:
    client = made(service, 1, is_lean=False)
    client._endpoint.http_session = wire
    return client


# What is sent


NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True).filter(
    lambda name: (
        name not in {"host", "expect", "transfer-encoding", "connection", "user-agent"}
        and not name.startswith(("x-amz", "x-amzn", "content-length"))
    )
)
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


@given(
    headers=st.dictionaries(NAMES, VALUES, max_size=5),
    body=st.binary(max_size=300),
    credentials=st.builds(ReadOnlyCredentials, VALUES, VALUES, st.none() | VALUES, st.none()),
    moment=st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1)),  # noqa: DTZ001 (as botocore)
    place=st.sampled_from(
        [
            ("http", "127.0.0.1:4566"),
            ("https", "sqs.eu-west-1.amazonaws.com"),
            ("https", "dynamodb.us-gov-west-1.amazonaws.com"),
            ("http", "[::1]:8000"),
        ]
    ),
    scope=st.tuples(
        st.sampled_from(["eu-west-1", "us-gov-west-1"]), st.sampled_from(["dynamodb", "sqs"])
    ),
)
def test_a_signature_is_botocores(
    *,
    headers: dict[str, str],
    body: bytes,
    credentials: ReadOnlyCredentials,
    moment: datetime,
    place: tuple[str, str],
    scope: tuple[str, str],
) -> None:
    """Byte for byte, for any request to a service's root."""
    scheme, host = place
    now = gmtime(timegm(moment.timetuple()))
    ours = Signer(host, *scope).headers(headers, body, credentials, now)
    request = AWSRequest("POST", f"{scheme}://{host}/", headers=headers, data=body)
    with patch("botocore.auth.get_current_datetime", return_value=moment):
        SigV4Auth(cast("Any", credentials), scope[1], scope[0]).add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]
    assert ours["x-amz-date"] == request.headers["X-Amz-Date"]
    assert ours.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")


def test_a_days_key_is_not_the_next_days() -> None:
    """It is kept: a signer outlives the day, and its credentials."""
    signer = Signer("host", REGION, "sqs")

    def signed(day: int, secret: str) -> str:
        now = gmtime(timegm((2026, 12, day, 0, 0, 0)))
        return signer.headers({}, b"", ReadOnlyCredentials("a", secret, None, None), now)[
            "authorization"
        ]

    first = signed(1, "secret")
    assert first == signed(1, "secret")
    assert len({first[-64:], signed(2, "secret")[-64:], signed(2, "other")[-64:]}) == 3
    assert signed(1, "secret") == first


REQUESTS = {
    "BatchWriteItem": {"RequestItems": {"t": [{"DeleteRequest": {"Key": {"k": {"S": "é😀"}}}}]}},
    "PutItem": {"TableName": "t", "Item": {"k": {"S": "a"}, "b": {"B": b"\x00\xff\xfe"}}},
    "TransactWriteItems": {
        "TransactItems": [{"Put": {"TableName": "t", "Item": {"n": {"N": "1"}}}}],
        "ClientRequestToken": "given",
    },
    "PutEvents": {
        "Entries": [
            {
                "Source": "s",
                "DetailType": "t",
                "Detail": '{"a": "\u2028"}',
                "Time": datetime(2026, 12, 1, 13, 5, 7, 999_999, UTC),
                "Resources": [],
            }
        ]
    },
    "SendMessage": {
        "QueueUrl": f"{ENDPOINT}/000000000000/q",
        "MessageBody": "\ud800",
        "MessageAttributes": {"b": {"DataType": "Binary", "BinaryValue": b"\xfb"}},
    },
}


@CALL
def test_a_request_is_botocores(service: str, name: str) -> None:
    """The same target, type and JSON; and what else is signed."""
    request: Any = REQUESTS.get(name) or least(operation(service, name).input_shape)
    wires = Wire(answer({})), Wire(answer({}))
    clients = lean(service, wires[0]), botocores(service, wires[1])
    for client in clients:
        getattr(client, xform_name(name))(**request)
    (ours, our_body), (theirs, their_body) = (wire.requests[0] for wire in wires)
    assert json.loads(our_body) == json.loads(their_body)
    for header in ("content-type", "x-amz-target"):
        assert ours[header] == theirs[header]


def least(shape: Any) -> Any:
    """The least that a request may have."""
    match shape.type_name:
        case "structure":
            required = shape.required_members
            return {name: least(each) for name, each in shape.members.items() if name in required}
        case "list":
            return [least(shape.member)] * shape.metadata.get("min", 0)
        case "map":
            return {}
        case "integer":
            return 0
    return shape.enum[0] if shape.enum else "x" * shape.metadata.get("min", 1)


def test_every_try_of_a_transaction_has_one_token() -> None:
    """DynamoDB does once what it is sent twice with it."""
    refusal = answer({"__type": "x#InternalServerError"}, 500)
    wire = Wire(refusal, answer({}))
    with patch("time.sleep"):
        lean("dynamodb", wire, tries=2).transact_write_items(TransactItems=[{}])
    first, second = (json.loads(body)["ClientRequestToken"] for _, body in wire.requests)
    assert first == second


@CALL
def test_what_is_said_of_a_call_is_botocores_model(service: str, name: str) -> None:
    """And its answer has bytes under _BINARY alone, and times only where they are looked for."""
    model, protocol = operation(service, name), HOT[service]
    of_service = model.service_model
    assert of_service.resolved_protocol == "json"
    assert protocol.target == of_service.metadata["targetPrefix"]
    assert protocol.version == of_service.metadata["jsonVersion"]
    assert protocol.signed_as == of_service.signing_name
    found = set(converted(model.output_shape, ()))
    binary = {path for path in found if _BINARY.search(f'"{path[-1]}":'.encode())}
    times = found - binary
    if name == "GetRecords":
        assert times == {("Records", "dynamodb", "ApproximateCreationDateTime")}
    elif name.startswith("Describe"):
        assert {path[-1] for path in times} <= _TIMES
    else:
        assert not times


def converted(shape: Any, path: tuple[str, ...]) -> Any:
    """Every place of a blob, or of a time, in what a shape describes."""
    if shape is None or path.count("M") > 1 or path.count("L") > 1:
        return
    match shape.type_name:
        case "structure":
            for name, member in shape.members.items():
                yield from converted(member, (*path, name))
        case "list":
            yield from converted(shape.member, path)
        case "map":
            yield from converted(shape.value, path)
        case "blob" | "timestamp":
            yield path


# What is read


SCALARS = {
    "blob": st.binary(max_size=8).map(lambda each: b64encode(each).decode()),
    "timestamp": st.integers(0, 2**32) | st.floats(0, 2**32).map(lambda each: round(each, 3)),
    "boolean": st.booleans(),
    "integer": st.integers(-(2**31), 2**31),
    "long": st.integers(-(2**31), 2**31),
    "double": st.floats(0, 1e6),
    "string": st.text(max_size=10),
}


def values(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """What an answer of a shape may be, as JSON has it."""
    inner = partial(values, depth=depth + 1)
    match shape.type_name:
        case "structure":
            members = {
                name: inner(member)
                for name, member in shape.members.items()
                if depth < 6 or member.type_name not in {"list", "map"}
            }
            if "S" in members:  # an attribute's value, which has one of them
                return st.one_of([st.fixed_dictionaries({one: members[one]}) for one in members])
            return st.fixed_dictionaries({}, optional=members)
        case "list":
            return st.lists(inner(shape.member), max_size=2)
        case "map":
            return st.dictionaries(st.text(max_size=5), inner(shape.value), max_size=2)
    return SCALARS[shape.type_name]


@CALL
@settings(max_examples=25)
@given(data=st.data())
def test_an_answer_is_what_botocore_reads(service: str, name: str, data: st.DataObject) -> None:
    """Of its model: bytes, times, nesting, and no answer at all."""
    shape = operation(service, name).output_shape
    same_outcome(service, name, answer(data.draw(values(shape)) if shape else {}))


HOSTILE = [
    b"<html>",
    b"[]",
    b"",
    b"null",
    b'{"Records": [{"dynamodb": {"NewImage": {"a": {"S": "\\ud800"}}}}]}',
    b'{"Records": [{"dynamodb": {"NewImage": {"a": {"B": "AAE="}}}}]}',
    b'{"Records": [{"dynamodb": {"ApproximateCreationDateTime": 1795425000.5}}]}',
    b'{"Records": [], "NextShardIterator": null}',
    b'{"Records": [], "Records": [{"eventName": "INSERT"}]}',
    json.dumps(
        {"Records": [{"dynamodb": {"NewImage": to_item(record_of("a", 1).to_document())}}]}
    ).encode(),
]


@pytest.mark.parametrize("body", HOSTILE)
@pytest.mark.parametrize("status", [200, 202, 301, 400, 500, 503])
def test_an_odd_answer_is_what_botocore_makes_of_it(body: bytes, status: int) -> None:
    """Something between us and AWS may answer with a page of its own."""
    same_outcome("dynamodbstreams", "GetRecords", Answer(body, status))


def same_outcome(service: str, name: str, same: Answer) -> None:
    """Have both clients get one answer, and compare what they return or raise."""

    def outcome(client: Any) -> Any:
        request = least(operation(service, name).input_shape)
        try:
            found = getattr(client, xform_name(name))(**request)
        except Exception as error:  # noqa: BLE001 (whichever it is)
            return type(error).__name__, str(error), getattr(error, "response", None)
        found.pop("ResponseMetadata", None)
        return found

    assert outcome(lean(service, Wire(same))) == outcome(botocores(service, Wire(same)))


# What fails


def error_body(code: str) -> dict[str, Any]:
    return {"__type": f"com.amazonaws.dynamodb#{code}", "message": "why"}


@example("ConditionalCheckFailedException", 400)
@example("TransactionCanceledException", 400)
@example("Whatever", 418)
@given(st.sampled_from(["ResourceNotFoundException", "ThrottlingException"]), st.integers(400, 599))
def test_an_error_is_botocores_own(code: str, status: int) -> None:
    """Its class, its code, its fields: what catches the one catches the other."""
    body = {**error_body(code), "CancellationReasons": [{"Code": "None"}]}
    wire = Wire(answer(body, status))
    client = lean("dynamodb", wire)
    with pytest.raises(ClientError) as raised:
        client.get_item(TableName="t", Key={})
    assert type(raised.value) is client.exceptions.from_code(code)
    assert raised.value.response["Error"]["Code"] == code
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert raised.value.operation_name == "GetItem"


ERRORS = [
    (
        urllib3.exceptions.NewConnectionError(cast("Any", None), "refused"),
        "EndpointConnectionError",
    ),
    (urllib3.exceptions.ConnectTimeoutError(), "ConnectTimeoutError"),
    (LATE, "ReadTimeoutError"),
    (urllib3.exceptions.ProtocolError("reset"), "ConnectionClosedError"),
    (urllib3.exceptions.SSLError("no such host"), "SSLError"),
    (urllib3.exceptions.LocationValueError("?"), "HTTPClientError"),
]


@pytest.mark.parametrize(("met", "raised"), ERRORS)
def test_what_a_connection_meets_is_raised_as_botocore_does(met: Exception, raised: str) -> None:
    """By class: runtime/verdicts.py knows them by it."""
    with pytest.raises(BotoCoreError) as error:
        lean("sqs", Wire(met)).get_queue_url(QueueName="q")
    assert type(error.value).__name__ == raised


@pytest.mark.parametrize(
    "met",
    [
        LATE,
        answer(error_body("InternalServerError"), 500),
        answer(error_body("ThrottlingException"), 400),
        answer({"Item": {}}, headers={"x-amz-crc32": "1"}),
    ],
)
def test_botocore_tries_again_as_often_as_it_always_does(met: Any) -> None:
    """The try that was made here is the first of them."""
    wire = Wire(met, met, answer({"Item": {"k": {"S": "v"}}}))
    with patch("time.sleep"):
        found = lean("dynamodb", wire, tries=3).get_item(TableName="t", Key={})
    assert found["Item"] == {"k": {"S": "v"}}
    assert len(wire.requests) == 3


def test_a_checksum_that_is_right_is_no_reason_to_try_again() -> None:
    """DynamoDB sends one with every answer."""
    wire = Wire(answer({}, headers={"x-amz-crc32": str(zlib.crc32(b"{}"))}))
    assert lean("dynamodb", wire).get_item(TableName="t", Key={}) == {}


def test_what_cannot_be_written_is_refused_by_botocore() -> None:
    """By its check of parameters, as always; nothing is sent."""
    wire = Wire()
    for key in ({"k": object()}, {"n": float("nan")}):
        with pytest.raises(ParamValidationError):
            lean("dynamodb", wire).get_item(TableName="t", Key=key)
    assert not wire.requests


def test_a_global_endpoint_is_left_to_botocore() -> None:
    """It is signed by SigV4A, for several regions."""
    with pytest.raises(MissingDependencyException, match="crt"):
        lean("events", Wire()).put_events(Entries=[{}], EndpointId="abcde.veo")


def test_what_aws_refuses_as_malformed_is_refused_by_botocore() -> None:
    """Parameters are checked after AWS has refused them: the sentence is botocore's."""
    wire = Wire(answer(error_body("SerializationException"), 400))
    with pytest.raises(ParamValidationError, match="Missing required parameter"):
        lean("dynamodb", wire).get_item(Key={})


@pytest.mark.parametrize(("kind", "waits"), [("lean", [40, 5, None]), ("boto3", [40, None, None])])
def test_a_patient_client_tries_once_and_waits_as_long_as_its_callers_block(
    shell: pytest.MonkeyPatch, kind: str, waits: list[float | None]
) -> None:
    """botocore's own retries would be copies that are not counted. None: as it is configured."""
    shell.setenv("AWS_CLIENT", kind)
    wire = Wire(LATE, LATE, answer({}))
    aws = Aws(region=REGION, endpoint_url=ENDPOINT, attempts=2, patient=True, read_timeout=5)
    client: Any = aws.client("events")
    botocores = client._botocores if kind == "lean" else client
    client._pool = wire
    for block in (answered_within(1), nullcontext()):
        with block:
            botocores.make()._endpoint.http_session = wire
    with answered_within(40), pytest.raises(ReadTimeoutError):
        client.put_events(Entries=[{}])
    with patch("time.sleep"):
        client.put_events(Entries=[{}])
    assert wire.timeouts == waits


# Ways to AWS that it does not go


@pytest.mark.parametrize(
    ("environment", "endpoint", "reason"),
    [
        ({"HTTP_PROXY": "http://proxy:3128"}, "http://aws.example", "proxy"),
        ({}, f"{ENDPOINT}/aws", "path"),
        ({"AWS_ACCOUNT_ID_ENDPOINT_MODE": "required"}, ENDPOINT, "account_id_endpoint_mode"),
        ({"AWS_AUTH_SCHEME_PREFERENCE": "sigv4a"}, ENDPOINT, "auth_scheme_preference"),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, ENDPOINT, "a kind of endpoint"),
    ],
)
def test_any_other_way_is_botocores(
    shell: pytest.MonkeyPatch, environment: dict[str, str], endpoint: str, reason: str
) -> None:
    """And a line says why."""
    for name, value in environment.items():
        shell.setenv(name, value)
    with capture_logs() as lines, suppress(Misconfigured):
        assert not isinstance(Aws(region=REGION, endpoint_url=endpoint).client("sqs"), LeanClient)
    assert [reason in line["reason"] for line in lines] == [True]


def test_boto3_is_there_for_who_wants_it(shell: pytest.MonkeyPatch) -> None:
    """What AWS_CLIENT says is so for every client of a process."""
    shell.setenv("AWS_CLIENT", "boto3")
    assert not isinstance(Aws(region=REGION, endpoint_url=ENDPOINT).client("sqs"), LeanClient)
    shell.setenv("AWS_CLIENT", "fast")
    with pytest.raises(Misconfigured, match="AWS_CLIENT: Input should be 'lean' or 'boto3'"):
        Aws(region=REGION)


@pytest.mark.parametrize(
    ("environment", "region", "endpoint"),
    [
        ({}, "eu-west-1", "https://sqs.eu-west-1.amazonaws.com"),
        ({}, "cn-north-1", "https://sqs.cn-north-1.amazonaws.com.cn"),
        (
            {"AWS_USE_FIPS_ENDPOINT": "true"},
            "us-east-1",
            "https://sqs-fips.us-east-1.amazonaws.com",
        ),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "eu-west-1", "https://sqs.eu-west-1.api.aws"),
        ({"AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:7"}, "eu-west-1", "http://127.0.0.1:7"),
    ],
)
def test_an_endpoint_of_awss_is_the_one_that_botocore_knows(
    shell: pytest.MonkeyPatch, environment: dict[str, str], region: str, endpoint: str
) -> None:
    """Of any partition, FIPS, dual stack, or a service's own."""
    for name, value in environment.items():
        shell.setenv(name, value)
    client: Any = Aws(region=region).client("sqs")
    assert isinstance(client, LeanClient)
    assert client._endpoint == endpoint


def test_a_ca_bundle_is_the_pools(shell: pytest.MonkeyPatch) -> None:
    """As botocore reads it."""
    shell.setenv("AWS_CA_BUNDLE", "/etc/ca.pem")
    client: Any = Aws(region=REGION).client("sqs")
    assert client._pool.ca_certs == "/etc/ca.pem"
