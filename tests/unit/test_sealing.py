"""Sealed texts: what is opened, what is refused, and what is held while KMS is away."""

import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.model import ServiceModel

from runtime.aws import Aws
from runtime.errors import CannotOpen, Unavailable
from runtime.late_seal import LateSeal
from runtime.sealing import DATA_KEY_MESSAGES, DATA_KEY_SECONDS, Seal
from runtime.verdicts import Family
from tests.called import models
from tests.fake_kms import ALIAS, CONTEXT, KEY_ARN, FakeKms
from tests.fakes import client_error

TEXT = '{"accountNumber":"12345678","accountName":"Zoë"}'


@pytest.fixture
def kms() -> FakeKms:
    return FakeKms()


def changed(sealed: str) -> Iterator[str]:
    """Every message that differs from it in one byte, by one bit and by all."""
    message = b64decode(sealed)
    for place in range(len(message)):
        for mask in (0x01, 0x80, 0xFF):
            other = bytearray(message)
            other[place] ^= mask
            yield b64encode(other).decode()


def refused(seal: Seal, sealed: str) -> str:
    with pytest.raises(CannotOpen) as raised:
        seal.open(sealed)
    assert TEXT not in str(raised.value)
    return str(raised.value)


def held(kms: FakeKms, text: str, *, opens: bool = False) -> Unavailable:
    """Seal a text, or open it; it must be what the table of verdicts holds."""
    with pytest.raises(Unavailable, match="KMS") as raised:
        kms.seal().open(text) if opens else kms.seal().seal(text)
    return raised.value


def test_what_was_sealed_is_opened_by_another_process(kms: FakeKms) -> None:
    """The text comes back, and is not to be seen before."""
    sealed = kms.seal().seal(TEXT)
    assert kms.seal().open(sealed) == TEXT
    assert b"12345678" not in b64decode(sealed)
    assert len(sealed) < 700


def test_a_sealed_text_is_never_the_same_twice(kms: FakeKms) -> None:
    """Equal details cannot be recognised."""
    seal = kms.seal()
    assert seal.seal(TEXT) != seal.seal(TEXT)


def test_no_changed_byte_goes_unnoticed(kms: FakeKms) -> None:
    """Whichever it is: version, suite, context, data key, frame or tag."""
    seal = kms.seal()
    for other in changed(seal.seal(TEXT)):
        refused(seal, other)


@pytest.mark.parametrize("sealed", ["", "a", "é", "====", "AAAA", b64encode(bytes(999)).decode()])
def test_nonsense_is_refused(kms: FakeKms, sealed: str) -> None:
    """Whatever the SDK's parser raises for it."""
    refused(kms.seal(), sealed)


def test_every_length_is_refused_but_the_whole(kms: FakeKms) -> None:
    """A message that was cut, or that is random from some byte on."""
    seal = kms.seal()
    message = b64decode(seal.seal(TEXT))
    for length in range(len(message)):
        refused(seal, b64encode(message[:length]).decode())
        refused(seal, b64encode(message[:length] + os.urandom(len(message) - length)).decode())


@pytest.mark.parametrize(
    "context",
    [
        CONTEXT | {"purpose": "newsletter"},
        CONTEXT | {"source": "app.stock"},
        CONTEXT | {"more": "of it"},
        {"purpose": "bank-details"},
    ],
    ids=str,
)
def test_another_context_is_refused_without_a_call(kms: FakeKms, context: dict[str, str]) -> None:
    """The key's policy would deny it, and what is denied would be held for ever."""
    sealed = kms.seal(context=context).seal(TEXT)
    kms.calls.clear()
    refused(kms.seal(), sealed)
    assert kms.calls == []


def test_another_key_is_refused(kms: FakeKms) -> None:
    """A message that names another key, and one that only says it is ours."""
    other = FakeKms(kms.arn.replace("0001", "0002"))
    refused(kms.seal(), other.seal(other.arn).seal(TEXT))
    assert kms.calls == []
    refused(kms.seal(), FakeKms().seal().seal(TEXT))
    assert kms.calls == ["Decrypt"]


def test_one_data_key_serves_many(kms: FakeKms) -> None:
    """A thousand messages are sealed, and opened, with one call each."""
    seal, reader = kms.seal(), kms.seal()
    for sealed in [seal.seal(TEXT) for _ in range(DATA_KEY_MESSAGES)]:
        assert reader.open(sealed) == TEXT
    assert sorted(kms.calls) == ["Decrypt", "GenerateDataKey"]
    seal.seal(TEXT)
    assert kms.calls.count("GenerateDataKey") == 2


def test_a_data_key_is_used_for_300_seconds(kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one in memory both sides go on without KMS; after that they wait for it."""
    now = 1_000_000.0
    monkeypatch.setattr("time.time", lambda: now)
    seal, reader = kms.seal(), kms.seal()
    sealed = seal.seal(TEXT)
    reader.open(sealed)
    kms.fault = client_error("KMSInternalException", 500)
    now += DATA_KEY_SECONDS
    assert reader.open(seal.seal(TEXT)) == TEXT
    now += 1
    with pytest.raises(Unavailable):
        seal.seal(TEXT)
    with pytest.raises(Unavailable):
        reader.open(sealed)
    kms.fault = None
    assert reader.open(seal.seal(TEXT)) == TEXT


def test_many_threads_may_find_a_data_key_too_old(
    kms: FakeKms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them removes it, and none fails."""
    now = 1_000_000.0
    monkeypatch.setattr("time.time", lambda: now)
    seal = kms.seal()

    def both(_: int) -> str:
        return seal.open(seal.seal(TEXT))

    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            now += DATA_KEY_SECONDS + 1
            assert set(pool.map(both, range(16))) == {TEXT}


def test_a_late_one_is_made_once_at_its_first_use(kms: FakeKms) -> None:
    """By one of the threads that need it at the same time, and not where nothing is sealed."""
    made: list[str] = []
    begun = Barrier(8)

    class OneRegion(Aws):
        def client(self, service: Any) -> Any:
            made.append(service)
            return kms.client

    late = LateSeal(OneRegion(region="eu-west-1"), KEY_ARN, CONTEXT)
    assert made == []

    def both(_: int) -> str:
        begun.wait()
        return late.open(late.seal(TEXT))

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(both, range(8))) == {TEXT}
    assert made == ["kms"]


def test_an_alias_is_exchanged_for_the_key(kms: FakeKms) -> None:
    """Once, at the first message: an emulator's key has an id that is not known before."""
    sealed = kms.seal(ALIAS).seal(TEXT)
    reader = kms.seal(ALIAS)
    assert reader.open(sealed) == reader.open(sealed) == TEXT
    assert kms.calls == ["GenerateDataKey", "DescribeKey", "Decrypt"]


KMS: ServiceModel = models()["kms"]
LISTED = {
    shape.name
    for operation in ("GenerateDataKey", "Decrypt", "DescribeKey")
    for shape in KMS.operation_model(operation).error_shapes
}
ABOUT_THE_MESSAGE = {"InvalidCiphertextException", "IncorrectKeyException"}
MISTAKES = {"DryRunOperationException", "InvalidArnException"}
"""Which these calls cannot make: they say nothing of a dry run, and name no ARN but the key's."""

COMMON = ("AccessDeniedException", "ThrottlingException", "ExpiredTokenException", "NotListed")


@pytest.mark.parametrize("code", [*sorted(LISTED - ABOUT_THE_MESSAGE - MISTAKES), *COMMON])
def test_each_error_of_kms_is_held(kms: FakeKms, code: str) -> None:
    """Throttling, denial, a key that is disabled or gone: no message is to blame for it."""
    sealed = kms.seal().seal(TEXT)
    kms.fault = client_error(code)
    for raised in (held(kms, TEXT), held(kms, sealed, opens=True)):
        assert (raised.family is Family.UNKNOWN) == (code == "NotListed")


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_answer_is_held(kms: FakeKms, error: Exception) -> None:
    """The same where KMS does not answer."""
    sealed = kms.seal().seal(TEXT)
    kms.fault = error
    held(kms, TEXT)
    held(kms, sealed, opens=True)


@pytest.mark.parametrize("code", sorted(ABOUT_THE_MESSAGE))
def test_what_kms_says_of_a_message_refuses_it(kms: FakeKms, code: str) -> None:
    """It is asked once for it, and not again."""
    sealed = kms.seal().seal(TEXT)
    kms.calls.clear()
    kms.fault = client_error(code)
    refused(kms.seal(), sealed)
    assert kms.calls == ["Decrypt"]
