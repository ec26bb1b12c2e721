"""Access tokens (JSON Web Tokens, RFC 7519 and RFC 9068): which are valid, and whose."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import jwt
from jwt import PyJWK
from jwt.exceptions import InvalidSubjectError

from runtime.callers import Caller
from runtime.http.auth import InvalidToken
from runtime.http.jwks import KeySet, fetch_keys
from runtime.http.settings import ApiSettings

_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_OF_ID_TOKENS = frozenset({"at_hash", "c_hash", "nonce"})
_ACCESS = "access"
_SCOPES = ("scope", "scp")

MAX_REMEMBERED = 1000
"""Tokens, of 1 KB each. A client sends one for minutes: to verify it each time took 14 % of the CPU
of a POST, to remember it takes nothing that can be measured."""

_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (jwt.ExpiredSignatureError, "it has expired (exp): take a new one"),
    (jwt.ImmatureSignatureError, "it is not valid yet (iat, nbf)"),
    (jwt.InvalidIssuerError, "it is another issuer's (iss)"),
    (InvalidSubjectError, "its subject is not a string (sub)"),
    (jwt.InvalidAlgorithmError, "its algorithm is not its key's (alg)"),
    (jwt.InvalidSignatureError, "its signature is not the issuer's"),
)


def verifying(settings: ApiSettings) -> "TokenVerifier":
    """Make the verifier of an API with AUTH=required, and fetch the issuer's keys from now on."""
    issuer, url = str(settings.auth_issuer), str(settings.auth_jwks_url)  # None is refused there
    algorithms = frozenset(settings.auth_algorithms.split(","))
    keys = KeySet(partial(fetch_keys, url, algorithms))
    keys.start()
    return TokenVerifier(
        keys=keys,
        issuer=issuer,
        audiences=settings.auth_audiences,
        algorithms=algorithms,
        leeway=settings.auth_leeway_seconds,
        scope_prefix=settings.auth_scope_prefix,
    )


class FindsKeys(Protocol):
    """The issuer's public keys; a KeySet."""

    async def find(self, kid: str, /) -> PyJWK | None:
        """Find a key by its id. Raises Unavailable."""
        ...

    def check(self) -> None:
        """Raise Unavailable while there are none."""
        ...


@dataclass(frozen=True)
class _Verified:
    """A valid token; it is valid until `end` (seconds since 1970), while its key is published."""

    caller: Caller
    kid: str
    key: PyJWK
    end: float


@dataclass(frozen=True)
class TokenVerifier:
    """Verifies one issuer's tokens for one API, and remembers the valid ones.

    `audiences` are what `aud` may name, or `client_id` in a token of Cognito's, which has no `aud`.
    `leeway` is in seconds. `scope_prefix` stands before this API's scopes and is taken off; where
    there is one, a scope without it is another API's.
    """

    keys: FindsKeys
    issuer: str
    audiences: frozenset[str]
    algorithms: frozenset[str]
    leeway: int
    scope_prefix: str = ""
    _remembered: dict[str, _Verified] = field(default_factory=dict, init=False, repr=False)

    async def caller(self, token: str) -> Caller:
        """Return the token's caller. Raises InvalidToken, which says why, and Unavailable."""
        found = self._remembered.get(token)
        if found and time.time() < found.end and await self.keys.find(found.kid) is found.key:
            return found.caller
        verified = await self._verify(token)
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.pop(next(iter(self._remembered)))  # the oldest
        self._remembered[token] = verified
        return verified.caller

    async def _verify(self, token: str) -> _Verified:
        kid, key = await self._key(token)
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[*self.algorithms],
                issuer=self.issuer,
                leeway=self.leeway,
                options={"require": ["iss", "exp", "iat", "sub"], "verify_aud": False},
            )
        except jwt.PyJWTError as error:
            raise InvalidToken(_reason(error)) from error
        self._check_use(claims)
        caller = Caller(
            issuer=self.issuer,
            subject=claims["sub"],
            client=next(iter(_texts(claims.get("client_id", claims.get("azp")))), None),
            scopes=frozenset(self._scopes(claims)),
        )
        return _Verified(caller, kid, key, int(claims["exp"]) + self.leeway)

    def check(self) -> None:
        """Raise Unavailable while no token can be verified."""
        self.keys.check()

    async def _key(self, token: str) -> tuple[str, PyJWK]:
        """Find the key that the token names, by its `kid`.

        What can be refused without a key is refused first: it must not make us ask the issuer.
        """
        try:
            unverified = jwt.decode_complete(token, options={"verify_signature": False})
        except jwt.PyJWTError as error:
            raise InvalidToken(_reason(error)) from error
        header = unverified["header"]
        if str(header.get("alg")) not in self.algorithms:
            raise InvalidToken(f"its algorithm is not {' or '.join(sorted(self.algorithms))}")
        if str(header.get("typ", "JWT")).lower() not in _TYPES:
            raise InvalidToken("its type is not that of an access token (typ)")
        if unverified["payload"].get("iss") != self.issuer:
            raise InvalidToken("it is another issuer's (iss)")
        if not (kid := header.get("kid")):
            raise InvalidToken("it names no key (kid)")
        if (key := await self.keys.find(kid)) is None:
            raise InvalidToken("the issuer publishes no such key (kid)")
        return kid, key

    def _check_use(self, claims: Mapping[str, Any]) -> None:
        if not claims["sub"]:
            raise InvalidToken("its subject is empty (sub)")
        if _is_id_token(claims):
            raise InvalidToken("it is an ID token: send the access token")
        if "aud" not in claims and claims.get("token_use") == _ACCESS:
            named, claim = claims.get("client_id"), "client_id"
        else:
            named, claim = claims.get("aud"), "aud"
        if not any(each in self.audiences for each in _texts(named)):
            raise InvalidToken(f"it is for another audience ({claim})")

    def _scopes(self, claims: Mapping[str, Any]) -> Iterator[str]:
        for name in _SCOPES:
            for text in _texts(claims.get(name)):
                for scope in text.split():
                    if scope.startswith(self.scope_prefix):
                        yield scope.removeprefix(self.scope_prefix)


def _is_id_token(claims: Mapping[str, Any]) -> bool:
    """Cognito says so; else it has what OpenID Connect puts into ID tokens alone, and no scope."""
    if "token_use" in claims:
        return bool(claims["token_use"] != _ACCESS)
    return not _OF_ID_TOKENS.isdisjoint(claims) and claims.keys().isdisjoint(_SCOPES)


def _texts(claim: object) -> list[str]:
    """Read a claim that is one text or a list of them; whatever else is in it is left out."""
    found = claim if isinstance(claim, list) else [claim]
    return [each for each in found if isinstance(each, str)]


def _reason(error: Exception) -> str:
    """Name the reason without PyJWT's message, which may hold parts of the token."""
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"it has no {error.claim}"
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    return "it is not a JSON Web Token"
