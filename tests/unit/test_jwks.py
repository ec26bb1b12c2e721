"""The issuer's keys: refreshed behind the requests, and held while the issuer is away."""

import asyncio
from collections.abc import Iterator
from functools import partial

import pytest

from runtime.errors import Unavailable
from runtime.http.jwks import (
    LONGEST_RETRY_SECONDS,
    MAX_KEY_SET_BYTES,
    REFRESH_SECONDS,
    STALE_SECONDS,
    UNKNOWN_KEY_SECONDS,
    KeySet,
    fetch_keys,
)
from tests.token_issuer import KeyServer, public_jwk
from verification.testkit.waiting import eventually

ALGORITHMS = frozenset({"RS256", "ES256"})

pytestmark = pytest.mark.usefixtures("quiet")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer() -> Iterator[KeyServer]:
    with KeyServer().serving() as issuer:
        yield issuer


@pytest.fixture
def keys(issuer: KeyServer, clock: Clock) -> KeySet:
    """Not refreshed in the background: the test says when."""
    return KeySet(partial(fetch_keys, issuer.url, ALGORITHMS), clock=clock)


@pytest.fixture
def refreshed(keys: KeySet) -> Iterator[KeySet]:
    """Refreshed in the background, and reached once."""
    keys.start()
    eventually(lambda: holds(keys), what="the first keys")
    yield keys
    keys.stop()


def holds(keys: KeySet) -> bool:
    try:
        keys.check()
    except Unavailable:
        return False
    return True


def finds(keys: KeySet, *kids: str) -> list[bool]:
    """Which of these keys there are, asked for at once."""

    async def ask() -> list[bool]:
        return [each is not None for each in await asyncio.gather(*map(keys.find, kids))]

    return asyncio.run(ask())


def test_before_the_first_key_it_is_unavailable(keys: KeySet, issuer: KeyServer) -> None:
    """Not a bad token: nobody can tell yet. A failed fetch changes nothing."""
    issuer.away = True
    for _ in "12":
        with pytest.raises(Unavailable, match="the issuer of tokens is unavailable"):
            finds(keys, "one")
        keys.refresh()


def test_a_key_is_held_while_the_issuer_is_away_for_a_day_and_no_longer(
    keys: KeySet, issuer: KeyServer, clock: Clock
) -> None:
    """Its tokens are good as long as they live; what is older than a day may long be revoked."""
    keys.refresh()
    issuer.away = True
    clock.now += STALE_SECONDS
    keys.refresh()
    assert finds(keys, "one") == [True]
    clock.now += 1
    with pytest.raises(Unavailable, match="too old"):
        finds(keys, "one")
    issuer.away = False
    keys.refresh()
    assert finds(keys, "one") == [True]


def test_a_key_that_is_no_longer_published_is_gone(keys: KeySet, issuer: KeyServer) -> None:
    """With the next refresh: that is how an issuer revokes one."""
    keys.refresh()
    issuer.keys = [public_jwk("two")]
    keys.refresh()
    assert finds(keys, "two", "one") == [True, False]


def test_a_new_key_is_found_by_its_first_tokens(refreshed: KeySet, issuer: KeyServer) -> None:
    """All requests that name it wait for the one fetch."""
    issuer.keys.append(public_jwk("two"))
    assert finds(refreshed, *["two"] * 50) == [True] * 50
    assert issuer.fetches == 2


def test_a_flood_of_unknown_keys_is_one_fetch_in_thirty_seconds(
    refreshed: KeySet, issuer: KeyServer, clock: Clock
) -> None:
    """Whoever invents names makes us ask no more often, and waits for nothing."""
    for rounds in (1, 2):
        for name in range(100):
            assert finds(refreshed, f"unknown-{name}", f"other-{name}") == [False, False]
        clock.now += UNKNOWN_KEY_SECONDS - 0.1
        assert finds(refreshed, "unknown") == [False]
        assert issuer.fetches == 1 + rounds
        clock.now += 0.1


def test_an_unknown_key_with_the_issuer_away_is_unknown(
    refreshed: KeySet, issuer: KeyServer
) -> None:
    """The others are as good as before."""
    issuer.away = True
    assert finds(refreshed, "unknown", "one") == [False, True]


def test_refreshes_are_minutes_apart_and_sooner_after_a_failure(
    keys: KeySet, issuer: KeyServer
) -> None:
    """Retries slow down to twice a minute."""
    keys.refresh()
    assert keys._pause() == REFRESH_SECONDS == 300
    issuer.away = True
    keys.refresh()
    assert 0 < keys._pause() <= 0.5
    for _ in range(10):
        keys.refresh()
    assert LONGEST_RETRY_SECONDS / 2 <= keys._pause() <= LONGEST_RETRY_SECONDS


def test_the_background_reaches_an_issuer_that_comes_later(keys: KeySet, issuer: KeyServer) -> None:
    """A service may start before its issuer."""
    issuer.away = True
    keys.start()
    eventually(lambda: issuer.fetches > 1, what="a second try")
    assert not holds(keys)
    issuer.away = False
    eventually(lambda: holds(keys), what="the first keys")
    keys.stop()


@pytest.mark.parametrize(
    "unusable",
    [
        public_jwk("one", kid=None),
        public_jwk("one", use="enc"),
        public_jwk("one", alg="RS512"),
        public_jwk("one", n="AQAB"),
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "kid": "one"},
        {"kty": "RSA", "kid": "one"},
        {"kid": "one"},
        "one",
    ],
    ids=["no kid", "for encryption", "RS512", "3 bytes", "symmetric", "empty", "no kty", "text"],
)
def test_a_key_that_no_token_may_be_signed_with_is_left_out(
    issuer: KeyServer, unusable: dict[str, object]
) -> None:
    """One beside it is held; a set with no other is refused."""
    issuer.keys = [unusable, public_jwk("two", "ES256")]
    assert list(fetch_keys(issuer.url, ALGORITHMS)) == ["two"]
    issuer.keys = [unusable]
    with pytest.raises(Exception, match=r"(?i)no key|usable"):
        fetch_keys(issuer.url, ALGORITHMS)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"keys": 1}',
        b"\xff",
        b"[" * 100_000,
        b" " * (MAX_KEY_SET_BYTES + 1),
    ],
    ids=["empty", "html", "list", "no keys", "number", "not UTF-8", "deep", "long"],
)
def test_an_answer_that_is_no_key_set_leaves_the_keys_as_they_were(
    keys: KeySet, issuer: KeyServer, body: bytes
) -> None:
    """Whatever a proxy or a broken deployment may answer in the issuer's place."""
    keys.refresh()
    issuer.body = body
    keys.refresh()
    assert keys._failures == 1
    assert finds(keys, "one") == [True]
