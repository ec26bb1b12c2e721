"""A token of Cognito's shape passes an API with the settings that a stage gives it."""

import asyncio
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt import PyJWK
from jwt.algorithms import RSAAlgorithm

from infra.stages import Issuer
from runtime.http.auth import InvalidToken
from runtime.http.tokens import TokenVerifier

KID, CLIENT = "cognito-key", "1example23456789"
POOL = Issuer.model_validate(
    {
        "url": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_example",
        "audiences": ["another-client", CLIENT],
        "scopePrefix": "streamed-events/",
    }
)
PRIVATE_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
JWK = {**RSAAlgorithm.to_jwk(PRIVATE_KEY.public_key(), as_dict=True), "alg": "RS256", "kid": KID}

OF_A_CUSTOMER = {
    "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "iss": POOL.url,
    "version": 2,
    "client_id": CLIENT,
    "origin_jti": "aaaaaaaa-bbbb-cccc-dddd-example00000",
    "token_use": "access",
    "scope": "streamed-events/subscriptions:read streamed-events/subscriptions:write",
    "jti": "aaaaaaaa-bbbb-cccc-dddd-example11111",
    "username": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
}
"""An access token's claims as Cognito has them: no `aud`.
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
"""

OF_A_PROGRAM = {
    "sub": CLIENT,
    "iss": POOL.url,
    "version": 2,
    "client_id": CLIENT,
    "token_use": "access",
    "scope": "streamed-events/payments:read",
    "jti": "aaaaaaaa-bbbb-cccc-dddd-example22222",
}
"""By client credentials: the client is its own subject."""


class Keys:
    """The pool's one key."""

    async def find(self, kid: str) -> PyJWK | None:
        return PyJWK.from_dict(JWK) if kid == KID else None

    def check(self) -> None:
        return None


@pytest.fixture
def verifier() -> TokenVerifier:
    environment = POOL.environment
    return TokenVerifier(
        keys=Keys(),
        issuer=environment["AUTH_ISSUER"],
        audiences=frozenset(environment["AUTH_AUDIENCE"].split(",")),
        algorithms=frozenset({"RS256"}),
        leeway=30,
        scope_prefix=environment["AUTH_SCOPE_PREFIX"],
    )


def signed(claims: dict[str, Any], **changed: Any) -> str:
    now = int(time.time())
    stamped = {"auth_time": now, "iat": now, "exp": now + 3600, **claims, **changed}
    return jwt.encode(stamped, PRIVATE_KEY, algorithm="RS256", headers={"kid": KID})


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        (OF_A_CUSTOMER, {"subscriptions:read", "subscriptions:write"}),
        (OF_A_PROGRAM, {"payments:read"}),
    ],
    ids=["customer", "program"],
)
def test_an_access_token_passes_by_its_client_and_its_prefixed_scopes(
    verifier: TokenVerifier, claims: dict[str, Any], scopes: set[str]
) -> None:
    """The client's id stands for the audience, and scopes lose their resource server."""
    caller = asyncio.run(verifier.caller(signed(claims)))
    assert (caller.subject, caller.client) == (claims["sub"], CLIENT)
    assert caller.scopes == scopes


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"client_id": "a-client-of-another-system"}, "another audience"),
        ({"token_use": "id", "aud": CLIENT}, "an ID token"),
        ({"iss": f"{POOL.url}2"}, "another issuer"),
    ],
    ids=["another client", "id token", "another pool"],
)
def test_another_clients_or_pools_token_is_refused(
    verifier: TokenVerifier, changed: dict[str, Any], why: str
) -> None:
    """As is an ID token, which says who the user is and not what may be done."""
    with pytest.raises(InvalidToken, match=why):
        asyncio.run(verifier.caller(signed(OF_A_CUSTOMER, **changed)))


def test_a_scope_without_the_prefix_is_another_apis(verifier: TokenVerifier) -> None:
    """Nobody gets further by a resource server of the same pool with the same scopes."""
    scopes = "payments:read other-server/payments:cancel aws.cognito.signin.user.admin"
    caller = asyncio.run(verifier.caller(signed(OF_A_CUSTOMER, scope=scopes)))
    assert caller.scopes == set()
