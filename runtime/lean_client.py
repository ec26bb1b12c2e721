"""The calls that a process makes all the time, in about a third of botocore's CPU.

A LeanClient signs (SigV4), sends (urllib3) and reads (pydantic_core) a call, and does nothing else.
Whatever is not a plain success becomes botocore's: its client is given what came of this one try as
if it were the first of its own, and retries, reads and raises as it always does. So is, from the
beginning, a call that cannot be written as JSON, one to a global endpoint of EventBridge, and every
operation that is not in HOT.

What it leaves out: botocore checks parameters before AWS does, drops members of an answer that its
model does not know, sends its version and the number of the try, and calls hooks. Endpoints without
a path, no proxy, SigV4: for anything else, runtime/aws.py makes botocore's client alone.
"""

import hashlib
import hmac
import io
import json
import re
import socket
import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from time import gmtime, strftime, struct_time
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import urllib3
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from pydantic_core import from_json
from urllib3 import exceptions

USER_AGENT = "streamed-events"

_BINARY = re.compile(rb'"(?:B|BS|BinaryValue|BinaryListValues)":')
"""What stands before values that are Base64 in JSON, and bytes to a client's user."""

_TIMES = frozenset(
    {
        *("CreationTime", "LastModifiedTime"),
        *("CreationDateTime", "CreationRequestDateTime"),
        "InaccessibleEncryptionDateTime",
        *("ArchivalDateTime", "LastDecreaseDateTime", "LastIncreaseDateTime"),
        *("LastUpdateDateTime", "LastUpdateToPayPerRequestDateTime"),
        *("ReplicaInaccessibleDateTime", "RestoreDateTime"),
    }
)
"""Under these names what describes something has seconds, and its reader gets a datetime."""

_OF_A_CHANGE = "ApproximateCreationDateTime"

_SOCKET_OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
)

_OK = 200

_FIRST_TRY: ContextVar["list[urllib3.BaseHTTPResponse | Exception]"] = ContextVar("first_try")
"""What came of the try that was made here; botocore's client takes it out."""


@dataclass(frozen=True)
class Protocol:
    """How one service is called: AWS JSON of a version; and which of its operations are, here."""

    signed_as: str
    target: str
    version: str
    operations: tuple[str, ...]


HOT: Mapping[str, Protocol] = {
    "dynamodb": Protocol(
        "dynamodb",
        "DynamoDB_20120810",
        "1.0",
        (
            "BatchWriteItem",
            "DescribeTable",
            "GetItem",
            "PutItem",
            "Query",
            "Scan",
            "TransactGetItems",
            "TransactWriteItems",
        ),
    ),
    "dynamodbstreams": Protocol(
        "dynamodb",
        "DynamoDBStreams_20120810",
        "1.0",
        ("DescribeStream", "GetRecords", "GetShardIterator"),
    ),
    "events": Protocol("events", "AWSEvents", "1.1", ("DescribeEventBus", "PutEvents")),
    "sqs": Protocol(
        "sqs",
        "AmazonSQS",
        "1.0",
        (
            "ChangeMessageVisibility",
            "ChangeMessageVisibilityBatch",
            "DeleteMessage",
            "DeleteMessageBatch",
            "GetQueueAttributes",
            "GetQueueUrl",
            "ReceiveMessage",
            "SendMessage",
            "SendMessageBatch",
        ),
    ),
}
"""By boto3's names. tests/unit/test_lean_client.py holds each to botocore's own model of it: its
answers have no blob but under _BINARY, and no time but under _TIMES."""


class LeanClient:
    """A client of boto3's whose hot calls are made here.

    `botocores` is that client, or makes it when it is asked for something: it is registered with
    `give_first_try`. `read_timeout` says, at each call, how many seconds its answer may take.
    """

    def __init__(
        self,
        service: str,
        botocores: Any,
        *,
        endpoint: str,
        region: str,
        credentials: Callable[[], ReadOnlyCredentials],
        connect_timeout: float,
        read_timeout: Callable[[], float],
        connections: int,
        ca_bundle: str | None,
    ) -> None:
        self._botocores, self._protocol, self._endpoint = botocores, HOT[service], endpoint
        self._credentials = credentials
        self._connect_timeout, self._read_timeout = connect_timeout, read_timeout
        self._sign = Signer(_host(endpoint), region, self._protocol.signed_as).headers
        options = {"ca_certs": ca_bundle} if endpoint.startswith("https") else {}
        self._pool = urllib3.connection_from_url(
            endpoint, maxsize=connections, socket_options=_SOCKET_OPTIONS, **options
        )
        for operation in self._protocol.operations:
            setattr(self, xform_name(operation), partial(self._call, operation))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._botocores, name)

    def _call(self, operation: str, **request: Any) -> Any:
        if operation == "TransactWriteItems":
            request.setdefault("ClientRequestToken", str(uuid4()))
        try:
            body = _encode(request).encode()
        except (TypeError, ValueError):
            body = None
        if body is None or "EndpointId" in request:
            return self._through_botocore(operation, request)
        try:
            response = self._send(operation, body)
        except exceptions.HTTPError as error:
            return self._through_botocore(operation, request, _as_botocores(error, self._endpoint))
        answer = _read(response)
        if answer is None:
            return self._through_botocore(operation, request, response)
        if operation == "GetRecords":
            for record in answer.get("Records", ()):
                _date_change(record.get("dynamodb", {}))
        elif operation.startswith("Describe"):
            _date(answer)
        return answer

    def _send(self, operation: str, body: bytes) -> urllib3.BaseHTTPResponse:
        headers = self._sign(
            {
                "content-type": f"application/x-amz-json-{self._protocol.version}",
                "x-amz-target": f"{self._protocol.target}.{operation}",
            },
            body,
            self._credentials(),
        )
        headers["user-agent"] = USER_AGENT
        timeout = urllib3.Timeout(connect=self._connect_timeout, read=self._read_timeout())
        return self._pool.urlopen(
            "POST", "/", body, headers, retries=False, redirect=False, timeout=timeout
        )

    def _through_botocore(
        self, operation: str, request: Any, *first_try: urllib3.BaseHTTPResponse | Exception
    ) -> Any:
        token = _FIRST_TRY.set(list(first_try))
        try:
            return getattr(self._botocores, xform_name(operation))(**request)
        finally:
            _FIRST_TRY.reset(token)


def give_first_try(client: Any) -> None:
    """Have a client of botocore's take what a LeanClient met for its own first try."""
    client.meta.events.register("before-send", _first_try)


class Signer:
    """Signs POSTs to one host's root: AWS's Signature Version 4, whose key is one for each day.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """

    def __init__(self, host: str, region: str, service: str) -> None:
        self._host, self._scope = host, f"{region}/{service}/aws4_request"
        # One value, which threads exchange whole.
        self._last_key: tuple[object, bytes] = None, b""

    def headers(
        self,
        headers: Mapping[str, str],
        body: bytes,
        credentials: ReadOnlyCredentials,
        now: struct_time | None = None,
    ) -> dict[str, str]:
        """Add what signs `headers`, whose names are in lower case, and a body; `now` is UTC."""
        time = strftime("%Y%m%dT%H%M%SZ", now or gmtime())
        signed = {**headers, "host": self._host, "x-amz-date": time}
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        names = sorted(signed)
        lines = "".join(f"{name}:{signed[name]}\n" for name in names)
        named = ";".join(names)
        request = f"POST\n/\n\n{lines}\n{named}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{time[:8]}/{self._scope}"
        text = f"AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(self._signing_key(scope, credentials), text.encode(), "sha256")
        signed["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope},"
            f" SignedHeaders={named}, Signature={signature.hex()}"
        )
        return signed

    def _signing_key(self, scope: str, credentials: ReadOnlyCredentials) -> bytes:
        key_of, key = self._last_key
        if key_of != (scope, credentials.secret_key):
            key = f"AWS4{credentials.secret_key}".encode()
            for part in scope.split("/"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._last_key = (scope, credentials.secret_key), key
        return key


def _host(endpoint: str) -> str:
    """A URL's host as a request names it: a port only where it is not its scheme's own."""
    parts = urlsplit(endpoint)
    usual = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else f"{parts.hostname}"
    return host if parts.port in {None, usual} else f"{host}:{parts.port}"


def _as_json(value: Any) -> Any:
    """What JSON has no form for, as AWS's JSON has it. Raises TypeError."""
    if isinstance(value, bytes | bytearray):
        return b64encode(value).decode()
    if isinstance(value, datetime):
        seconds = value.timestamp()
        return seconds if value.microsecond else int(seconds)
    raise TypeError(value)


_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=_as_json).encode


def _read(response: urllib3.BaseHTTPResponse) -> dict[str, Any] | None:
    """Read a plain success; None for all that botocore makes something else of."""
    body = response.data
    if response.status != _OK or _BINARY.search(body):
        return None
    checksum = response.headers.get("x-amz-crc32")
    if checksum is not None and checksum != str(zlib.crc32(body)):
        return None
    try:
        answer = from_json(body)
    except ValueError:
        return None
    if not isinstance(answer, dict):
        return None
    return {name: value for name, value in answer.items() if value is not None}


def _date_change(change: dict[str, Any]) -> None:
    """Make the one time in a stream's record what botocore makes of it."""
    if (seconds := change.get(_OF_A_CHANGE)) is not None:
        change[_OF_A_CHANGE] = datetime.fromtimestamp(seconds, UTC)


def _date(value: Any) -> None:
    """Make what stands under _TIMES what botocore makes of it: in place, at any depth."""
    if isinstance(value, dict):
        for name in _TIMES & value.keys():
            value[name] = datetime.fromtimestamp(value[name], UTC)
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            _date(each)


def _as_botocores(error: exceptions.HTTPError, endpoint: str) -> Exception:
    """The error that botocore's own transport makes of it."""
    match error:
        case exceptions.SSLError():
            return SSLError(endpoint_url=endpoint, error=error)
        case exceptions.NewConnectionError():
            return EndpointConnectionError(endpoint_url=endpoint, error=error)
        case exceptions.ConnectTimeoutError():
            return ConnectTimeoutError(endpoint_url=endpoint, error=error)
        case exceptions.ReadTimeoutError():
            return ReadTimeoutError(endpoint_url=endpoint, error=error)
        case exceptions.ProtocolError():
            return ConnectionClosedError(endpoint_url=endpoint, error=error)
    return HTTPClientError(error=error)


def _first_try(request: Any, **_: Any) -> AWSResponse | None:
    """Answer botocore in the network's place, once, with what came of the try before."""
    tries = _FIRST_TRY.get([])
    if not tries:
        return None
    found = tries.pop()
    if isinstance(found, Exception):
        raise found
    raw = urllib3.HTTPResponse(io.BytesIO(found.data), found.headers, preload_content=False)
    headers: Any = found.headers  # botocore gives its own AWSResponse the same
    return AWSResponse(request.url, found.status, headers, raw)
