"""The bank of a system on one machine: its secret's file, and what it sends."""

import json
from datetime import UTC, datetime
from pathlib import Path

from infra.domains.payments import WEBHOOK_PATH
from infra.local_system.bank import (
    CANCELLED_BY_PAYER,
    cancellation,
    local_secret,
    make_secret,
    secret_file,
)
from infra.local_system.settings import LocalSettings
from local.process_table import our_processes
from runtime.signatures import Signatures, new_secret, secrets_of
from services.payment import webhook
from services.payment.model import ReasonCode


def test_its_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    """Whoever starts the system again keeps it: a bank's sandbox may have been given it."""
    settings = LocalSettings(state_dir=tmp_path)
    assert local_secret(settings) is None
    file = secret_file(settings)
    make_secret(file)
    made = file.read_text()
    make_secret(file)
    assert file.read_text() == made
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
    secret = local_secret(settings)
    assert secret is not None
    assert secrets_of(secret) == (secret,)


def test_several_secrets_in_its_file_sign_with_the_first(tmp_path: Path) -> None:
    """A person who tries a rotation writes two into it."""
    settings = LocalSettings(state_dir=tmp_path)
    one, two = new_secret(), new_secret()
    secret_file(settings).write_text(f"{one},{two}\n")
    assert local_secret(settings) == one


def test_only_the_payment_api_is_given_it(tmp_path: Path) -> None:
    """As a file: no environment of a process has the secret itself."""
    settings = LocalSettings(state_dir=tmp_path)
    given = {each.name: each.env.get("WEBHOOK_SECRETS_FILE") for each in our_processes(settings)}
    assert {name: file for name, file in given.items() if file} == {
        "payment-api": str(secret_file(settings))
    }


def test_what_it_sends_is_what_the_payment_service_takes() -> None:
    """The path, the body and the signature: neither side imports the other."""
    secret = new_secret()
    sent = cancellation(secret, "one", "B")
    Signatures([secret]).verify(sent.body, sent.headers)
    taken = webhook.MandateCancelled.model_validate(json.loads(sent.body))
    assert (taken.data.payment_id, taken.data.reason_code) == ("one", "B")
    assert abs((datetime.now(UTC) - taken.timestamp).total_seconds()) < 60
    assert webhook.PATH == WEBHOOK_PATH
    assert CANCELLED_BY_PAYER == ReasonCode.CANCELLED_BY_PAYER
    assert cancellation(secret, "one").headers["webhook-id"] != sent.headers["webhook-id"]
