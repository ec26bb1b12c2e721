"""Sealed texts: only who may use one KMS key can make or read them, whatever carries them.

A sealed text is Base64 of a message of the AWS Encryption SDK. Its encryption context, which is in
clear, is bound to it. A message does not say which event it is for: its reader compares what is
inside, so that one data key serves many messages.
"""

import struct
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aws_encryption_sdk import (
    CachingCryptoMaterialsManager,
    EncryptionSDKClient,
    LocalCryptoMaterialsCache,
    StrictAwsKmsMasterKeyProvider,
)
from aws_encryption_sdk.exceptions import (
    AWSEncryptionSDKClientError,
    CacheKeyError,
    DecryptKeyError,
)
from aws_encryption_sdk.identifiers import Algorithm
from aws_encryption_sdk.key_providers.kms import KMSMasterKey
from aws_encryption_sdk.structures import DataKey, MasterKeyInfo
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidTag

from runtime.aws import asking, error_code, reaching
from runtime.errors import CannotOpen

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

DATA_KEY_SECONDS = 300.0
"""How long a process uses a data key, and so how long it goes on without KMS."""

DATA_KEY_MESSAGES = 1_000
"""How many messages a process seals under one data key."""

MAX_SEALED_BYTES = 4_096
"""Of a message's frame: a reader refuses a larger one. Bank details take some 200, in one."""

_SUITE = Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
"""Key commitment, and no signature: who may seal may also sign, and ECDSA takes five times it."""

_DATA_KEYS = 1_000
"""That are held at once: each process that seals has one in 300 s."""

_NOT_OURS = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
"""KMS's answers that are about the message. All others are about KMS, the key or our rights."""

# Beside the SDK's own errors and cryptography's, what its parser runs into.
_MALFORMED = AWSEncryptionSDKClientError, InvalidTag, ValueError, KeyError, struct.error


class Seal:
    """Seals and opens under one key, for one encryption `context`.

    `key` is what KMS knows it by. To seal, an alias will do; to open, the SDK compares the key's
    ARN, which an alias, as an emulator's, is exchanged for at the first message.
    """

    def __init__(self, kms: "KMSClient", key: str, context: Mapping[str, str]) -> None:
        self._kms, self._key, self._context = kms, key, dict(context)
        self._sdk = EncryptionSDKClient(max_encrypted_data_keys=1)

    def seal(self, text: str) -> str:
        """Seal a text; raises Unavailable."""
        plain = text.encode()
        message, _ = self._sdk.encrypt(
            source=plain,
            source_length=len(plain),
            materials_manager=self._sealing,
            encryption_context=self._context,
            algorithm=_SUITE,
            frame_length=MAX_SEALED_BYTES,
        )
        return b64encode(message).decode()

    def open(self, sealed: str) -> str:
        """Open what `seal` made; raises CannotOpen, or Unavailable where KMS is not to be had."""
        opening = self._opening
        try:
            plain, header = self._sdk.decrypt(
                source=b64decode(sealed, validate=True),
                materials_manager=opening,
                max_body_length=MAX_SEALED_BYTES,
            )
            text = plain.decode()
        except _MALFORMED as error:
            raise CannotOpen(type(error).__name__) from None
        if header.encryption_context != self._context:
            raise CannotOpen("it was sealed for another purpose or by another source")
        return str(text)

    @cached_property
    def _sealing(self) -> Any:
        return _materials(self._kms, self._key, self._context)

    @cached_property
    def _opening(self) -> Any:
        key = self._key
        if ":key/" not in key:
            with asking("KMS", "DescribeKey"):
                key = self._kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
        return _materials(self._kms, key, self._context)


def _materials(kms: "KMSClient", key: str, context: Mapping[str, str]) -> Any:
    class OneKey(_MasterKey):
        wanted = context

    class OneProvider(StrictAwsKmsMasterKeyProvider):
        """Its client is the process's own, with its time-outs, endpoint and credentials."""

        master_key_class = OneKey

        def add_regional_client(self, region_name: str) -> None: ...

        def _client(self, key_id: str) -> "KMSClient":  # noqa: ARG002 (there is one)
            return kms

    return CachingCryptoMaterialsManager(
        master_key_provider=OneProvider(key_ids=[key]),
        cache=_DataKeys(capacity=_DATA_KEYS),
        max_age=DATA_KEY_SECONDS,
        max_messages_encrypted=DATA_KEY_MESSAGES,
    )


class _MasterKey(KMSMasterKey):
    """Calls KMS itself: the SDK's own makes one error of throttling, denial and a bad message."""

    wanted: Mapping[str, str]

    def _generate_data_key(self, algorithm: Any, encryption_context: Any = None) -> DataKey:
        request = self._build_generate_data_key_request(algorithm, encryption_context)
        with asking("KMS", "GenerateDataKey"):
            response = self.config.client.generate_data_key(**request)
        return DataKey(
            key_provider=MasterKeyInfo(self.provider_id, response["KeyId"]),
            data_key=response["Plaintext"],
            encrypted_data_key=response["CiphertextBlob"],
        )

    def _decrypt_data_key(
        self,
        encrypted_data_key: Any,
        algorithm: Any,  # noqa: ARG002 (its caller compares the length)
        encryption_context: Any = None,
    ) -> DataKey:
        if encryption_context != self.wanted:
            # The key's policy would refuse it, and a refusal is held: see runtime.verdicts.
            raise DecryptKeyError("another encryption context")
        request = self._build_decrypt_request(encrypted_data_key, encryption_context)
        try:
            with reaching("KMS", "Decrypt"):
                response = self.config.client.decrypt(**request)
        except ClientError as error:
            if error_code(error) in _NOT_OURS:
                raise DecryptKeyError(error_code(error)) from None
            raise
        return DataKey(
            key_provider=self.key_provider,
            data_key=response["Plaintext"],
            encrypted_data_key=encrypted_data_key.encrypted_data_key,
        )


class _DataKeys(LocalCryptoMaterialsCache):
    def remove(self, value: Any) -> None:
        """Let two threads find the same data key too old; the SDK's own fails for the second."""
        with suppress(CacheKeyError):
            super().remove(value)
