"""Secrets of webhooks, and the settings that hold them."""

from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.errors import Misconfigured
from runtime.http.settings import WebhookSettings
from runtime.settings import load
from runtime.signatures import (
    InvalidSignature,
    Signatures,
    new_secret,
    secrets_of,
    signed_headers,
)

ONE, TWO, THREE, FOUR = (f"whsec_{b64encode(bytes([n]) * 24).decode()}" for n in range(1, 5))


def of(size: int) -> str:
    return "whsec_" + b64encode(bytes(size)).decode()


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WEBHOOK_SECRETS", "WEBHOOK_SECRETS_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_a_new_secret_is_taken_and_is_another_each_time() -> None:
    first, second = new_secret(), new_secret()
    assert secrets_of(first) == (first,)
    assert first != second


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        (f"{ONE},{TWO}", (ONE, TWO)),
        (f" {ONE} , {TWO},{THREE}\n", (ONE, TWO, THREE)),
        (of(24), (of(24),)),
        (of(64), (of(64),)),
        ("aZ09" * 8, ("aZ09" * 8,)),  # as Secrets Manager generates one
    ],
)
def test_one_to_three_secrets_are_read(text: str, secrets: tuple[str, ...]) -> None:
    """With commas between, and blanks around; the prefix may be missing."""
    assert secrets_of(text) == secrets


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("changeme", "secret 1 is malformed"),
        ("whsec_", "secret 1 is malformed"),
        (of(23), "secret 1 is malformed"),
        (of(65), "secret 1 is malformed"),
        ("whsec_" + "*" * 32, "secret 1 is malformed"),
        ("whsec_" + "é" * 32, "secret 1 is malformed"),
        (ONE[:-1] + "=", "secret 1 is malformed"),
        (f"{ONE},", "secret 2 is malformed"),
        (f"{ONE},{ONE[:20]} {ONE[20:]}", "secret 2 is malformed"),
        (f"{ONE},{TWO},{THREE},{FOUR}", "at most 3 secrets, not 4"),
    ],
)
def test_a_malformed_secret_is_refused_by_its_place(
    monkeypatch: pytest.MonkeyPatch, text: str, wrong: str
) -> None:
    """At start, by the variable's name, without the value."""
    monkeypatch.setenv("WEBHOOK_SECRETS", text)
    with pytest.raises(Misconfigured) as refusal:
        load(WebhookSettings)
    said = str(refusal.value)
    assert "WEBHOOK_SECRETS: " in said
    assert wrong in said
    assert text.rpartition("whsec_")[2][:20] not in said.replace("whsec_", "") or len(text) < 10


def test_the_settings_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does what a log or a traceback would print of them."""
    monkeypatch.setenv("WEBHOOK_SECRETS", f"{ONE},{TWO}")
    settings = load(WebhookSettings)
    assert settings.signing_secrets == (ONE, TWO)
    assert ONE.removeprefix("whsec_") not in f"{settings!r} {settings} {settings.model_dump()}"


def test_secrets_may_be_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As an orchestrator writes one; both at once are refused, and so is a file that is empty."""
    file = tmp_path / "secrets"
    file.write_text(f"{ONE},{TWO}\n")
    monkeypatch.setenv("WEBHOOK_SECRETS_FILE", str(file))
    assert load(WebhookSettings).signing_secrets == (ONE, TWO)
    monkeypatch.setenv("WEBHOOK_SECRETS", THREE)
    with pytest.raises(Misconfigured, match="set it or WEBHOOK_SECRETS_FILE, not both"):
        load(WebhookSettings)
    monkeypatch.delenv("WEBHOOK_SECRETS")
    file.write_text("")
    with pytest.raises(Misconfigured, match=r"WEBHOOK_SECRETS_FILE: .* is empty"):
        load(WebhookSettings)
    file.unlink()
    with pytest.raises(Misconfigured, match="WEBHOOK_SECRETS_FILE"):
        load(WebhookSettings)


def test_nothing_set_is_no_secret() -> None:
    assert load(WebhookSettings).signing_secrets == ()


def test_without_a_secret_nothing_is_accepted() -> None:
    """An empty list is no way in."""
    headers = signed_headers(ONE, b"{}", message_id="m", sent=datetime.now(UTC))
    Signatures([TWO, ONE]).verify(b"{}", headers)
    for held in ([], [TWO]):
        with pytest.raises(InvalidSignature):
            Signatures(held).verify(b"{}", headers)
