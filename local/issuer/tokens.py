"""What the issuer decides: who a client is, which scopes it gets, and what is in its token."""

import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.parse import unquote_plus

import jwt

from infra.local_system.auth import AUDIENCE, CLIENTS, secret_file
from local.issuer.keys import ALGORITHM, KeyFile, write_private


class GrantRefused(Exception):
    """An error of RFC 6749, 5.2: its code, and what to do about it."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error, self.description = error, description


@dataclass(frozen=True)
class LocalIssuer:
    """`folder` has its keys and its clients' secrets; a token lives `token_seconds`."""

    url: str
    folder: Path
    token_seconds: int
    clock: Callable[[], float] = time.time

    @property
    def keys(self) -> KeyFile:
        return KeyFile(self.folder, clock=self.clock)

    def prepare(self) -> None:
        """Make what a first start finds missing: a key, and each client's secret."""
        self.keys.ensure()
        for client in CLIENTS:
            file = secret_file(self.folder, client)
            if not file.exists():
                write_private(file, token_urlsafe(32))

    def grant(self, form: Mapping[str, str], authorization: str) -> dict[str, Any]:
        """Answer a token request (RFC 6749, 4.4.2 and 5.1). Raises GrantRefused."""
        if form.get("grant_type") != "client_credentials":
            raise GrantRefused("unsupported_grant_type", "grant_type must be client_credentials")
        client = self._authenticated(form, authorization)
        scopes = _granted(client, form.get("scope", ""))
        return {
            "access_token": self._token(client, scopes),
            "token_type": "Bearer",
            "expires_in": self.token_seconds,
            "scope": scopes,
        }

    def _authenticated(self, form: Mapping[str, str], authorization: str) -> str:
        """By HTTP Basic, or by the form (RFC 6749, 2.3.1)."""
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        if authorization:
            client, secret = _basic(authorization)
        held = secret_file(self.folder, client).read_text().strip() if client in CLIENTS else ""
        if not held or not compare_digest(held.encode(), secret.encode()):
            raise GrantRefused(
                "invalid_client",
                f"the client is unknown or its secret is wrong: the secrets of {', '.join(CLIENTS)}"
                f" are in {self.folder}/clients",
            )
        return client

    def _token(self, client: str, scope: str) -> str:
        """The claims are those of RFC 9068; a client is its own subject."""
        key, now = self.keys.published()[0], int(self.clock())
        claims = {
            "iss": self.url,
            "sub": client,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + self.token_seconds,
            "jti": token_urlsafe(16),
            "client_id": client,
            "scope": scope,
        }
        headers = {"kid": key.kid, "typ": "at+jwt"}
        return jwt.encode(claims, key.private(), ALGORITHM, headers=headers)


def _granted(client: str, asked: str) -> str:
    """All that the client may have where nothing is asked for. Raises GrantRefused for more."""
    may_have = CLIENTS[client]
    wanted = set(asked.split()) or may_have
    if beyond := wanted - may_have:
        raise GrantRefused("invalid_scope", f"{client} may not have {' '.join(sorted(beyond))}")
    return " ".join(sorted(wanted))


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        pair = b64decode(encoded, validate=True).decode() if scheme.lower() == "basic" else ""
    except ValueError:
        pair = ""
    client, _, secret = pair.partition(":")
    return unquote_plus(client), unquote_plus(secret)
