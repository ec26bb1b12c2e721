"""What KMS checks of a data key, under which bank details are sealed."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.conformance.account import Account

CONTEXT = {"purpose": "bank details"}


@pytest.fixture
def kms(account: Account) -> Any:
    return account.client("kms")


@pytest.fixture
def sealed(kms: Any) -> Any:
    """A data key, in clear and sealed."""
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    return kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=CONTEXT)


def test_a_data_key_is_opened_in_its_context(kms: Any, sealed: Any) -> None:
    """The key itself is named in what was sealed."""
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=CONTEXT)
    assert opened["Plaintext"] == sealed["Plaintext"]


def test_a_data_key_is_not_opened_in_another_context(kms: Any, sealed: Any) -> None:
    """Else one that was sealed for something else could be passed off."""
    with pytest.raises(ClientError, match="InvalidCiphertext"):
        kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext={"purpose": "x"})


def test_a_sealed_key_with_a_flipped_bit_is_not_opened(kms: Any, sealed: Any) -> None:
    """KMS checks integrity."""
    blob = bytearray(sealed["CiphertextBlob"])
    blob[-1] ^= 1
    with pytest.raises(ClientError, match="InvalidCiphertext"):
        kms.decrypt(CiphertextBlob=bytes(blob), EncryptionContext=CONTEXT)
