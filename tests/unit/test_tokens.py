"""Which tokens are good, and what a bad one is told."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest
from jwt import PyJWK

from runtime.callers import Caller
from runtime.http.auth import InvalidToken
from runtime.http.tokens import MAX_REMEMBERED, TokenVerifier
from tests.token_issuer import (
    AUDIENCE,
    ISSUER,
    a_token,
    public_jwk,
    public_key_as_secret,
    unsigned,
)
from verification.testkit.waiting import eventually


class Keys:
    """Holds keys, and counts who asks."""

    def __init__(self) -> None:
        self.held = {
            "one": PyJWK(public_jwk("one")),
            "curve": PyJWK(public_jwk("curve", "ES256")),
        }
        self.asked: list[str] = []

    async def find(self, kid: str) -> PyJWK | None:
        self.asked.append(kid)
        return self.held.get(kid)

    def check(self) -> None:
        """There are some."""


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def verifier(keys: Keys) -> TokenVerifier:
    return TokenVerifier(
        keys=keys,
        issuer=ISSUER,
        audiences=frozenset({AUDIENCE, "shop-of-cognito"}),
        algorithms=frozenset({"RS256", "ES256"}),
        leeway=30,
    )


def caller(verifier: TokenVerifier, token: str) -> Caller:
    return asyncio.run(verifier.caller(token))


def refusal(verifier: TokenVerifier, token: str) -> str:
    with pytest.raises(InvalidToken) as refused:
        caller(verifier, token)
    assert token[:20] not in str(refused.value)
    return str(refused.value).removeprefix("the token is refused: ")


def test_a_good_token_says_who_calls(verifier: TokenVerifier) -> None:
    """Of either algorithm, for one of several audiences."""
    for how in ({}, {"key": "curve", "algorithm": "ES256"}):
        token = a_token("stock:read payments:read", aud=["another", AUDIENCE], **how)  # type: ignore[arg-type]
        assert caller(verifier, token) == Caller(
            ISSUER, "ada", "shop", frozenset({"stock:read", "payments:read"})
        )


@pytest.mark.parametrize(
    ("scopes", "found"),
    [
        ({"scope": "a b"}, {"a", "b"}),
        ({"scope": ""}, set()),
        ({"scp": "a b"}, {"a", "b"}),
        ({"scp": ["a", "b"]}, {"a", "b"}),
        ({"scp": ["a", 7, None]}, {"a"}),
        ({"scope": 7}, set()),
        ({}, set()),
    ],
)
def test_scopes_are_read_from_scope_or_scp(
    verifier: TokenVerifier, scopes: dict[str, object], found: set[str]
) -> None:
    """As one text or as a list; what is no text allows nothing."""
    assert caller(verifier, a_token(**scopes)).scopes == found  # type: ignore[arg-type]


def test_a_token_of_cognitos_shape_is_good(verifier: TokenVerifier) -> None:
    """No aud but client_id, and each scope behind its resource server's name."""
    token = a_token(
        "streamed/stock:read streamed/subscriptions:read:all openid other/payments:cancel",
        aud=None,
        client_id="shop-of-cognito",
        token_use="access",
        sub="0e1f",
        version=2,
    )
    of_cognito = replace(verifier, scope_prefix="streamed/")
    assert caller(of_cognito, token) == Caller(
        ISSUER, "0e1f", "shop-of-cognito", frozenset({"stock:read", "subscriptions:read:all"})
    )


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ({"exp": 1}, "it has expired (exp): take a new one"),
        ({"exp": None}, "it has no exp"),
        ({"iat": None}, "it has no iat"),
        ({"sub": None}, "it has no sub"),
        ({"sub": ""}, "its subject is empty (sub)"),
        ({"sub": 7}, "its subject is not a string (sub)"),
        ({"iat": 9_999_999_999}, "it is not valid yet (iat, nbf)"),
        ({"nbf": 9_999_999_999}, "it is not valid yet (iat, nbf)"),
        ({"exp": "soon"}, "it is not a JSON Web Token"),
        ({"iss": "https://evil.example"}, "it is another issuer's (iss)"),
        ({"iss": None}, "it is another issuer's (iss)"),
        ({"iss": ""}, "it is another issuer's (iss)"),
        ({"aud": "another"}, "it is for another audience (aud)"),
        ({"aud": None}, "it is for another audience (aud)"),
        ({"aud": [{}]}, "it is for another audience (aud)"),
        ({"aud": "another", "client_id": AUDIENCE}, "it is for another audience (aud)"),
        (
            {"aud": None, "token_use": "access", "client_id": "another"},
            "it is for another audience (client_id)",
        ),
        (
            {"aud": None, "token_use": "access", "client_id": [AUDIENCE, 1], "sub": ""},
            "its subject is empty (sub)",
        ),
        ({"token_use": "id"}, "it is an ID token: send the access token"),
        ({"nonce": "n"}, "it is an ID token: send the access token"),
        ({"at_hash": "h"}, "it is an ID token: send the access token"),
        ({"header": {"typ": "logout+jwt"}}, "its type is not that of an access token (typ)"),
        ({"header": {"kid": ""}}, "it names no key (kid)"),
        ({"header": {"kid": "unknown"}}, "the issuer publishes no such key (kid)"),
        ({"header": {"kid": "curve"}}, "its algorithm is not its key's (alg)"),
        ({"key": "stranger", "header": {"kid": "one"}}, "its signature is not the issuer's"),
        ({"header": {"crit": ["exp"]}}, "it is not a JSON Web Token"),
    ],
    ids=str,
)
def test_a_bad_token_is_refused_with_its_reason(
    verifier: TokenVerifier, token: dict[str, Any], reason: str
) -> None:
    """In words of ours, that name the claim and show nothing of the token."""
    assert refusal(verifier, a_token(**token)) == reason


@pytest.mark.parametrize("algorithm", ["none", "None", "", "HS256", "RS512", None, ["RS256"]])
def test_another_algorithm_is_refused_before_a_key_is_looked_for(
    verifier: TokenVerifier, keys: Keys, algorithm: object
) -> None:
    """The token does not choose how it is verified."""
    token = unsigned({"alg": algorithm, "kid": "one", "typ": "JWT"})
    assert refusal(verifier, token) == "its algorithm is not ES256 or RS256"
    assert keys.asked == []


def test_the_public_key_is_no_secret_to_sign_with(verifier: TokenVerifier) -> None:
    """HS256 with the public key's bytes, which anybody has."""
    assert refusal(verifier, public_key_as_secret()) == "its algorithm is not ES256 or RS256"


@pytest.mark.parametrize(
    "token", ["", "a", "a.b", "a.b.c", "....", "e30.e30.", "e30.W10.e30", f"{'W' * 9000}.a.b"]
)
def test_what_is_no_token_is_refused(verifier: TokenVerifier, keys: Keys, token: str) -> None:
    """Whatever is wrong with it: nothing but InvalidToken leaves."""
    with pytest.raises(InvalidToken):
        caller(verifier, token)
    assert keys.asked == []


def test_another_issuers_token_makes_nobody_ask_for_its_key(
    verifier: TokenVerifier, keys: Keys
) -> None:
    """It is told apart by its looks."""
    token = a_token(iss="https://evil.example", header={"kid": "unknown"})
    assert refusal(verifier, token) == "it is another issuer's (iss)"
    assert keys.asked == []


def test_clocks_may_differ_by_the_leeway(verifier: TokenVerifier) -> None:
    """Thirty seconds to either side."""
    now = int(time.time())
    assert caller(verifier, a_token(exp=now - 20, iat=now + 20, nbf=now + 20))
    assert "expired" in refusal(verifier, a_token(exp=now - 40))
    assert "not valid yet" in refusal(verifier, a_token(iat=now + 60))


def test_a_token_that_is_remembered_ends_with_its_time(
    verifier: TokenVerifier,
) -> None:
    """It is verified again, and refused."""
    token = a_token(exp=int(time.time()) + 2 - verifier.leeway)
    assert caller(verifier, token) is caller(verifier, token)

    def is_over() -> bool:
        try:
            return not caller(verifier, token)
        except InvalidToken as error:
            return "expired" in str(error)

    eventually(is_over, what="the token's end")


def test_a_token_that_is_remembered_ends_with_its_key(verifier: TokenVerifier, keys: Keys) -> None:
    """Whether the issuer withdraws the key, or publishes another under its name."""
    token = a_token()
    caller(verifier, token)
    keys.held["one"] = PyJWK(public_jwk("another", kid="one"))
    assert refusal(verifier, token) == "its signature is not the issuer's"
    del keys.held["one"]
    assert refusal(verifier, token) == "the issuer publishes no such key (kid)"


def test_only_good_tokens_are_remembered_and_not_too_many(verifier: TokenVerifier) -> None:
    """Whoever sends bad ones fills nothing; the oldest makes room. None is in the text of it."""
    with pytest.raises(InvalidToken):
        caller(verifier, a_token(exp=1))
    assert not verifier._remembered
    tokens = [
        a_token(key="curve", algorithm="ES256", jti=str(n)) for n in range(MAX_REMEMBERED + 1)
    ]
    for token in tokens:
        caller(verifier, token)
    assert list(verifier._remembered) == tokens[1:]
    assert tokens[-1] not in repr(verifier)
