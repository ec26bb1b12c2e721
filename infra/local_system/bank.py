"""The bank of a system on one machine: the secret that it signs with, and what it sends."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from contracts.timestamps import format_timestamp
from infra.local_system.settings import LocalSettings
from runtime.errors import Misconfigured
from runtime.ids import new_event_id
from runtime.signatures import new_secret, secrets_of, signed_headers

CANCELLED_BY_PAYER = "1"
"""A reason code of Bacs' ADDACS."""


@dataclass(frozen=True)
class Webhook:
    """What is POSTed to WEBHOOK_PATH."""

    body: bytes
    headers: dict[str, str]


def secret_file(settings: LocalSettings) -> Path:
    return settings.state_dir / "webhook-secret"


def make_secret(file: Path) -> None:
    """Write a new secret to a file that its owner alone reads; one that is there stays."""
    if file.exists():
        return
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    partial.touch(mode=0o600)
    partial.write_text(f"{new_secret()}\n")
    partial.rename(file)


def local_secret(settings: LocalSettings) -> str | None:
    """Read the secret that `make up` made, the first if there are several; None without any.

    Raises Misconfigured for a file that has something else.
    """
    file = secret_file(settings)
    if not file.exists():
        return None
    try:
        return secrets_of(file.read_text())[0]
    except ValueError as error:
        raise Misconfigured(f"{file}: {error}") from None


def cancellation(secret: str, payment_id: str, reason_code: str = CANCELLED_BY_PAYER) -> Webhook:
    """Say, as the bank would, that a mandate was cancelled now."""
    now = datetime.now(UTC)
    content = {
        "type": "mandate.cancelled",
        "timestamp": format_timestamp(now),
        "data": {"paymentId": payment_id, "reasonCode": reason_code},
    }
    body = json.dumps(content, separators=(",", ":")).encode()
    signed = signed_headers(secret, body, message_id=f"msg_{new_event_id()}", sent=now)
    return Webhook(body, {"Content-Type": "application/json", **signed})
