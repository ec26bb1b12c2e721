"""Who asks for something: what a verified access token says of its bearer."""

import hashlib
import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """`subject` is a name that its issuer gives to one caller; `client` the program it uses.

    `scopes` are what the token allows, without the issuer's prefix.
    """

    issuer: str
    subject: str
    client: str | None
    scopes: frozenset[str]

    @property
    def owner(self) -> str:
        """What stands on the caller's rows: 64 hexadecimal digits that tell nobody who it is."""
        return hashlib.sha256(self.named().encode()).hexdigest()

    def named(self, *more: str) -> str:
        """Write the issuer, the subject and `more` as compact JSON: no two lists have one text.

        It is ASCII: other characters are escaped, as JSON allows.
        """
        return json.dumps([self.issuer, self.subject, *more], separators=(",", ":"))
