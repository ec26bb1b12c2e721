"""Personal data and secrets are masked, by their names and by their forms, and nothing else is."""

import json
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import pytest

from runtime.masking import MASK, mask, masked

SECRETS = ["12345678", "123456", "1234567890", "12-34-56"]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "account {} is closed",
        "account:{}",
        "accountNumber={},",
        "ends with {}.",
        "{}: not found",
        "'{}'",
        '{{"accountNumber":"{}"}}',
        '{{"accountNumber":{}}}',
        "({})",
        "a\n{}\nb",
        "?accountNumber={}&limit=2",
        '{{"bankDetails":"{}"}}',
    ],
)
def test_bank_details_inside_a_text_are_masked(secret: str, text: str) -> None:
    """Wherever they stand alone, whatever stands around them."""
    assert mask(text.format(secret)) == text.format(MASK)


@pytest.mark.parametrize(
    "text",
    [
        "5f0c7c1e-7a64-5d0b-9d5e-0a4c6a3f8b11",
        "12345678-1234-4234-8234-123456789012",
        "2026-11-23T09:30:00.000Z",
        "127.0.0.1:8001",
        "0.123456",
        "took 1234.567891 ms",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "49590338271490256608559692538361571095921575989136588898",
        "2026-11-23",
        "12345",
    ],
)
def test_ids_times_and_measures_are_left_alone(text: str) -> None:
    """What is needed to find an event is not taken for a bank detail."""
    assert mask(text) == text


IBANS = ["GB29NWBK60161331926819", "GB29 NWBK 6016 1331 9268 19", "NO9386011117947"]


@pytest.mark.parametrize("iban", IBANS)
@pytest.mark.parametrize("text", ["{}", "to {}.", "({})", '{{"to":"{}"}}', "iban={}"])
def test_ibans_are_masked(iban: str, text: str) -> None:
    """As they are stored, and in the groups in which they are written."""
    assert not any(part in mask(text.format(iban)) for part in iban.split())


NAME = """Mary-Ann "Lady" O'Hara"""


@dataclass
class Order:
    customer_surname: str
    quantity: int = 1


@pytest.mark.parametrize(
    "field",
    [
        *("accountName", "account_name", "customerFirstName", "customer_first_name"),
        *("customerSurname", "CUSTOMER_SURNAME", "first-name", "surname"),
        *("reference", "paymentReference", "mandate_reference"),
    ],
)
def test_a_name_in_a_text_is_masked_beside_its_fields_name(field: str) -> None:
    """In JSON of any depth, as DynamoDB has it, as Python writes it, and where it is cut off."""
    once = json.dumps({field: NAME, "status": "active"})
    twice = json.dumps({"detail": once})
    texts = [
        once,
        once.replace(" ", ""),
        twice,
        json.dumps({"detail": twice}),
        json.dumps({field: {"S": NAME}, "status": {"S": "active"}}),
        f"failed: { ({field: NAME, 'status': 'active'}) }",
        f"Order({field}={NAME!r}, status='active')",
    ]
    for text in texts:
        assert not any(part in mask(text) for part in ("Mary", "Lady", "Hara")), text
        assert "active" in mask(text), text
    assert not any(part in mask(once[: once.index("Hara")]) for part in ("Mary", "Lady", "O'"))


@pytest.mark.parametrize("number", ["12345678", "12345678.0", "1.2345678e7", "-12345678", "12"])
def test_a_number_in_a_text_is_masked_beside_its_fields_name(number: str) -> None:
    """In whichever way JSON writes it."""
    assert mask(f'{{"accountNumber": {number}, "quantity": 2}}') == (
        f'{{"accountNumber": {MASK}, "quantity": 2}}'
    )


TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {TOKEN}",
        f"authorization=bearer {TOKEN}",
        f"[(b'authorization', b'Bearer {TOKEN}')]",
        f'{{"Authorization": "Bearer {TOKEN}"}}',
        f"token {TOKEN} refused",
        "Authorization: Basic c3RyZWFtZWQ6YzJsbmJhdHc=",
        "AWS4-HMAC-SHA256 Credential=c2lnbmF0dXJl/eu-west-1, SignedHeaders=host, Signature=c2lnbm",
        "whsec_c2lnbmF0dXJl is refused",
        'client_secret="c2lnbmF0dXJl"',
        '"access_token":"c2lnbmF0dXJl"',
    ],
)
def test_credentials_are_masked(text: str) -> None:
    """A bearer token, a client's secret, a signature, a webhook's secret."""
    shown = mask(text)
    assert "c2ln" not in shown
    assert "eyJ" not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    "text",
    [
        "SubscriptionCreated: accountNumber: Field required; customerSurname: Field required",
        "401: send Authorization: Bearer TOKEN",
        "Basic authentication is not taken",
        "AKIAIOSFODNN7EXAMPLE",
        "there is no subscription GB29",
        "processes=3 name=stock-api status='active'",
        "https://docs.aws.amazon.com/sdkref?reference",
    ],
)
def test_what_says_what_is_wrong_is_left_alone(text: str) -> None:
    """A field's name without a value, a word for a credential, another id."""
    assert mask(text) == text


@pytest.mark.parametrize(
    "value",
    [
        {"accountNumber": 12345678},
        {"account_number": {"N": "12345678"}},
        {"accountNumber": [12345678.0]},
        {"detail": [{"customerSurname": "Lovelace", "customerFirstName": "Ada"}]},
        {"Authorization": "Lovelace"},
        {"12345678": 1},
        (b"customer_surname='Lovelace'",),
        {"order": Order("Lovelace")},
        {"error": ValueError("account 12345678")},
        {"12345678"},
    ],
    ids=str,
)
def test_a_value_is_masked_whatever_it_is(value: Any) -> None:
    """A number, a list, a set, bytes, an object, an error, a name in a mapping."""
    shown = json.dumps(masked(value))
    assert not any(secret in shown for secret in ("12345678", "Lovelace", "Ada"))


def test_other_values_stay_as_they_are() -> None:
    """Numbers are counts, and what is not there stays away."""
    value = {"count": 12345678, "seconds": 1.5, "ok": True, "why": None, "ids": ["a", "b"]}
    assert masked(value) == value


@pytest.mark.parametrize(
    "text",
    [
        '"accountname":"' + "\\" * 60_000,
        'accountname=["' * 8_000,
        "AA11" + " AAAA" * 20_000,
        "eyJa." * 20_000,
        "accountname=" + "[" * 50_000,
        "accountname" + " " * 60_000,
    ],
    ids=len,
)
def test_no_text_takes_long(text: str) -> None:
    """A caller may choose it: the time grows as its length does, here to hundredths of a second."""
    began = perf_counter()
    mask(text)
    assert perf_counter() - began < 5
