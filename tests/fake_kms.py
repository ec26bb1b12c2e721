"""A KMS that keeps its promises, which the emulator's does not: it notices what was changed."""

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from runtime.sealing import Seal

ALIAS = "alias/bank-details"
KEY_ARN = "arn:aws:kms:eu-west-1:000000000000:key/00000000-0000-4000-8000-000000000001"
CONTEXT = {"purpose": "bank-details", "source": "app.subscriptions"}

SAMPLE_SECRET = b"the key of the published samples"

_SIZE = 32
"""Bytes of a data key."""


class FakeKms:
    """One key, made of `secret`.

    `calls` are the operations that were asked for; `fault` is what they raise.
    """

    def __init__(self, arn: str = KEY_ARN, secret: bytes = b"") -> None:
        self.arn, self.calls = arn, list[str]()
        self.fault: Exception | None = None
        self._secret = secret or os.urandom(_SIZE)
        client: Any = boto3.client(
            "kms",
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )
        client.generate_data_key = self._called("GenerateDataKey", self._generate)
        client.decrypt = self._called("Decrypt", self._decrypt)
        client.describe_key = self._called(
            "DescribeKey", lambda _: {"KeyMetadata": {"Arn": self.arn}}
        )
        self.client = client

    def seal(self, key: str = KEY_ARN, context: Mapping[str, str] = CONTEXT) -> Seal:
        """Make one without data keys, as a process has it when it starts."""
        return Seal(self.client, key, context)

    def _called(self, name: str, does: Callable[[Any], Any]) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.calls.append(name)
            if self.fault:
                raise self.fault
            return does(request)

        return call

    def _generate(self, request: Any) -> Any:
        data_key = os.urandom(request["NumberOfBytes"])
        blob = data_key + self._mac(data_key, request["EncryptionContext"])
        return {"KeyId": self.arn, "Plaintext": data_key, "CiphertextBlob": blob}

    def _decrypt(self, request: Any) -> Any:
        data_key, mac = request["CiphertextBlob"][:_SIZE], request["CiphertextBlob"][_SIZE:]
        if not hmac.compare_digest(mac, self._mac(data_key, request["EncryptionContext"])):
            raise ClientError({"Error": {"Code": "InvalidCiphertextException"}}, "Decrypt")
        return {"KeyId": self.arn, "Plaintext": data_key}

    def _mac(self, data_key: bytes, context: Mapping[str, str]) -> bytes:
        bound = data_key + json.dumps(context, sort_keys=True).encode()
        return hmac.digest(self._secret, bound, hashlib.sha256)
