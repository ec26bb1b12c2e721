"""Bearer tokens for what calls the APIs: the client credentials grant of OAuth 2.0 (RFC 6749, 4.4).

As httpx's `auth`: each request carries a token, which is renewed before its end.
"""

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_plus

import httpx
from pydantic import BaseModel, Field, SecretStr, ValidationError

RENEW_BEFORE = 60.0
"""Seconds before a token's end; of one that lives less than two minutes, half its life."""

NEXT_RENEWAL_AFTER = 5.0
"""Seconds until the issuer is asked again while it is away and the token at hand is valid."""

TOKEN_TIMEOUT = 5.0
"""Seconds for an answer of the issuer."""


class TokenUnavailable(httpx.TransportError):
    """The issuer is away, or does not answer as one: try again later."""


class TokenRefused(httpx.RequestError):
    """The issuer refuses the client or the scope; the message says what to set."""


@dataclass(frozen=True)
class OAuthClient:
    """Who asks for tokens, and where. A secret's file is read for each token: it may be replaced.

    `scope` has spaces between its names; None asks for all that the client may have.
    """

    token_url: str
    client_id: str
    secret: SecretStr | Path
    scope: str | None = None

    def credentials(self) -> httpx.BasicAuth:
        """Both percent-encoded, as RFC 6749, 2.3.1 wants it. Raises TokenUnavailable."""
        secret = self.secret
        if isinstance(secret, Path):
            try:
                text = secret.read_text().strip()
            except OSError as error:
                raise TokenUnavailable(
                    f"no token: the secret of the client {self.client_id} cannot be read from"
                    f" {secret} ({error.strerror})"
                ) from None
        else:
            text = secret.get_secret_value()
        return httpx.BasicAuth(quote_plus(self.client_id), quote_plus(text))


@dataclass(frozen=True)
class AccessToken:
    """Times are of the clock that `ClientCredentials` has."""

    value: str = field(repr=False)
    renew_at: float
    ends_at: float


class ClientCredentials(httpx.Auth):
    """Takes a token, renews it 60 s before its end, and once after a 401. For any thread.

    A request raises TokenUnavailable or TokenRefused where there is no token to send. `clock` has
    seconds.
    """

    def __init__(
        self,
        client: OAuthClient,
        *,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._client, self._clock = client, clock
        self._http = httpx.Client(timeout=TOKEN_TIMEOUT, trust_env=False, transport=transport)
        self._token: AccessToken | None = None
        self._lock = threading.Lock()  # one fetch at a time: who waits has its token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send a request with a token, and once more with another if that one is refused."""
        token = self.token()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            request.headers["Authorization"] = f"Bearer {self.token(instead_of=token)}"
            yield request

    def token(self, *, instead_of: str | None = None) -> str:
        """Give the token at hand if it is valid and not the one that was refused, else a new one.

        Raises TokenUnavailable, TokenRefused.
        """
        with self._lock:
            now, held = self._clock(), self._token
            if held is None or held.value == instead_of or now >= held.ends_at:
                self._token = held = self._fetch()
            elif now >= held.renew_at:
                self._token = held = self._renewed(held)
            return held.value

    def _renewed(self, held: AccessToken) -> AccessToken:
        try:
            return self._fetch()
        except (TokenUnavailable, TokenRefused):  # the one at hand is good for a while
            return AccessToken(held.value, self._clock() + NEXT_RENEWAL_AFTER, held.ends_at)

    def _fetch(self) -> AccessToken:
        asked = self._clock()
        answer = self._ask()
        if answer.status_code in {httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED}:
            raise TokenRefused(_refusal(self._client, answer))
        try:
            answer.raise_for_status()
            granted = _TokenResponse.model_validate_json(answer.content)
        except (httpx.HTTPStatusError, ValidationError):
            raise TokenUnavailable(
                f"no token: {self._client.token_url} answers {answer.status_code} and no token:"
                " is it a token endpoint?"
            ) from None
        _require_scope(self._client, granted.scope)
        life = float(granted.expires_in)
        return AccessToken(
            granted.access_token, asked + life - min(RENEW_BEFORE, life / 2), asked + life
        )

    def _ask(self) -> httpx.Response:
        form = {"grant_type": "client_credentials"}
        if self._client.scope is not None:
            form["scope"] = self._client.scope
        try:
            return self._http.post(
                self._client.token_url, data=form, auth=self._client.credentials()
            )
        except TokenUnavailable:
            raise
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise TokenUnavailable(
                f"no token: the issuer does not answer at {self._client.token_url} ({reason})"
            ) from None


class _TokenResponse(BaseModel):
    """RFC 6749, 5.1; `scope` is there where it is not what was asked for."""

    access_token: str = Field(min_length=1)
    expires_in: int = Field(default=300, ge=1)
    scope: str | None = None


def _refusal(client: OAuthClient, answer: httpx.Response) -> str:
    """Say what the issuer refuses, by its error code (RFC 6749, 5.2)."""
    try:
        found = answer.json()
        code, why = str(found["error"]), str(found.get("error_description", ""))
    except (AttributeError, KeyError, TypeError, ValueError):
        code, why = f"HTTP {answer.status_code}", ""
    repair = {
        "invalid_client": "check its id and its secret",
        "invalid_scope": "ask for less, or have the issuer grant it",
    }.get(code, "check what is set about it")
    said = f"{code}: {why}" if why else code
    return f"no token: the issuer refuses the client {client.client_id} ({said}): {repair}"


def _require_scope(client: OAuthClient, granted: str | None) -> None:
    if client.scope is None or granted is None:
        return
    if lacking := set(client.scope.split()) - set(granted.split()):
        raise TokenRefused(
            f"no token: the issuer does not grant {' '.join(sorted(lacking))} to the client"
            f" {client.client_id}: ask for less, or have the issuer grant it"
        )
