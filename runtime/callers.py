"""The caller of a use case, as a verified access token names it."""

import hashlib
import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """`subject` is unique within `issuer`; `client` is the OAuth client, where the token has one.

    `scopes` are without AUTH_SCOPE_PREFIX.
    """

    issuer: str
    subject: str
    client: str | None
    scopes: frozenset[str]

    @property
    def owner(self) -> str:
        """The `owner` of the caller's rows: SHA-256 of issuer and subject, in hexadecimal."""
        return hashlib.sha256(self.named().encode()).hexdigest()

    def named(self, *more: str) -> str:
        """Write issuer, subject and `more` as a compact JSON list: plain joining could collide.

        Characters that are not ASCII are escaped.
        """
        return json.dumps([self.issuer, self.subject, *more], separators=(",", ":"))
