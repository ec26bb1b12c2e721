"""Standard Webhooks: signs and verifies what one system calls another with.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from secrets import token_bytes

from standardwebhooks import Webhook, WebhookVerificationError

PREFIX = "whsec_"
LEAST_BYTES, MOST_BYTES = 24, 64
"""Of a secret, as the specification has it."""

MOST_SECRETS = 3
"""The one in use, the one that follows it in a rotation, and one to spare."""


class InvalidSignature(Exception):
    """A body that no secret signed within the last 300 s; the message says what is wrong."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"{reason}: sign the body as Standard Webhooks says, with a secret of this service's,"
            " and a timestamp within 300 s of its clock"
        )


class Signatures:
    """Verifies bodies against secrets, of which any may have signed."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._webhooks = [Webhook(secret) for secret in secrets]

    def verify(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Raise InvalidSignature unless a secret signed the body, within 300 s of now."""
        reason = ""
        for webhook in self._webhooks:
            try:
                webhook.verify(body, dict(headers), json_parse=False)
            except WebhookVerificationError as error:
                reason = str(error)
            except ValueError:  # the library's own for what it cannot split, or decode
                reason = "Malformed signature, or a body that is not UTF-8"
            else:
                return
        raise InvalidSignature(reason)


def secrets_of(text: str) -> tuple[str, ...]:
    """Read one to three secrets with commas between; raises ValueError without their values.

    The prefix may be missing, as from a generator of passwords that knows none.
    """
    found = tuple(each.strip() for each in text.split(","))
    if len(found) > MOST_SECRETS:
        raise ValueError(f"give at most {MOST_SECRETS} secrets, not {len(found)}")
    for number, secret in enumerate(found, 1):
        if not _is_secret(secret):
            raise ValueError(
                f"secret {number} is malformed: give {PREFIX} and the Base64 of {LEAST_BYTES} to"
                f" {MOST_BYTES} bytes, with commas between secrets"
            )
    return found


def new_secret() -> str:
    return PREFIX + b64encode(token_bytes(LEAST_BYTES)).decode()


def signed_headers(secret: str, body: bytes, *, message_id: str, sent: datetime) -> dict[str, str]:
    """Sign a body in UTF-8. `message_id` is the same each time that a webhook is repeated."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, sent, body.decode()),
    }


def _is_secret(secret: str) -> bool:
    """The library would leave out what is not Base64, and take a short one."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    return LEAST_BYTES <= len(key) <= MOST_BYTES
