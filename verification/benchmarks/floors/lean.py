"""AWS's JSON protocol with nothing around it: what a call costs at least in Python.

A connection for each thread, one JSON text each way, and Signature Version 4 as AWS documents it:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. No
retries, no validation, credentials that never change. It has nothing of `runtime`, on purpose: a
floor that shared the code it stands beside would move with it.
"""

import hmac
import os
import time
from collections.abc import Callable
from functools import cache, partial
from hashlib import sha256
from http.client import HTTPConnection
from threading import local
from typing import Any
from urllib.parse import urlsplit

from pydantic_core import from_json, to_json

_PROTOCOLS = {
    "dynamodb": ("DynamoDB_20120810", "1.0", "dynamodb"),
    "dynamodbstreams": ("DynamoDBStreams_20120810", "1.0", "dynamodb"),
    "events": ("AWSEvents", "1.1", "events"),
    "sqs": ("AmazonSQS", "1.0", "sqs"),
}
"""By service: the target's prefix, the version of its JSON, and the name that is signed for."""

_OK = 200


class CallFailed(Exception):
    """An answer that is an error, with its body."""


class SignedClient:
    """Has boto3's methods by their names, for AWS_ENDPOINT_URL over HTTP."""

    def __init__(self, service: str) -> None:
        self._prefix, version, self._signed_for = _PROTOCOLS[service]
        self._type = f"application/x-amz-json-{version}"
        self._host = urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc
        self._region = os.environ["AWS_REGION"]
        self._open = local()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        action = "".join(part.capitalize() for part in name.split("_"))
        call = partial(self._call, f"{self._prefix}.{action}")
        setattr(self, name, call)
        return call

    def _call(self, target: str, **request: Any) -> Any:
        body = to_json(request, temporal_mode="seconds")
        status, answer = self._sent(body, self._headers(target, body))
        if status != _OK:
            raise CallFailed(f"{target}: {status} {answer!r}")
        return from_json(answer)

    def _sent(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Send it, on a new connection where the other side has closed this thread's."""
        for is_last in (False, True):
            if not hasattr(self._open, "connection"):
                self._open.connection = HTTPConnection(self._host, timeout=60)
            connection: HTTPConnection = self._open.connection
            try:
                connection.request("POST", "/", body, headers)
                response = connection.getresponse()
                return response.status, response.read()
            except ConnectionError:
                del self._open.connection
                if is_last:
                    raise
        raise AssertionError

    def _headers(self, target: str, body: bytes) -> dict[str, str]:
        at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        scope = f"{at[:8]}/{self._region}/{self._signed_for}/aws4_request"
        names = "content-type;host;x-amz-date;x-amz-target"
        canonical = (
            f"POST\n/\n\ncontent-type:{self._type}\nhost:{self._host}\nx-amz-date:{at}\n"
            f"x-amz-target:{target}\n\n{names}\n{sha256(body).hexdigest()}"
        )
        to_sign = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        key = _signing_key(os.environ["AWS_SECRET_ACCESS_KEY"], scope)
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
        return {
            "Content-Type": self._type,
            "Host": self._host,
            "X-Amz-Date": at,
            "X-Amz-Target": target,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names},"
            f" Signature={signature}",
        }


@cache
def _signing_key(secret: str, scope: str) -> bytes:
    """Derive a day's key."""
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
