"""A system whose APIs require tokens, as its clients meet it."""

import os
import subprocess
import sys

import httpx
import jwt

from infra.local_system.auth import client_tokens, issuer_folder
from infra.local_system.settings import ROOT
from runtime.http.client_credentials import ClientCredentials
from tests.e2e.world import World
from verification.testkit.waiting import eventually


def test_the_demo_finds_out_by_itself(enforced: World) -> None:
    """Nobody tells it that tokens are required, nor where to take one."""
    given = enforced.settings.model_dump(exclude_none=True, exclude={"breakable", "auth"})
    done = subprocess.run(
        [sys.executable, "-m", "local.demo"],
        env={**os.environ, **{name.upper(): str(value) for name, value in given.items()}},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "using the system that is already up" in done.stdout
    assert "subscription cancelled" in done.stdout


def test_a_client_outlives_its_tokens(enforced: World) -> None:
    """The first one is refused from its end on, to the second; the client has another by then."""
    subscription_id = enforced.subscribe()
    first = taken(enforced.http)

    def refused() -> bool:
        answer = httpx.get(
            f"{enforced.addresses['subscription']}/subscriptions/{subscription_id}",
            headers={"Authorization": f"Bearer {first}"},
            trust_env=False,
        )
        return answer.status_code == httpx.codes.UNAUTHORIZED

    eventually(refused, timeout=60, what="the end of the first token", every=0.5)
    enforced.until("subscription", subscription_id, "active")
    assert taken(enforced.http) != first


def test_a_new_key_stops_no_client(enforced: World) -> None:
    """Tokens of the old key are good until their end, and those of the new one at once."""
    subscription_id = enforced.subscribe()
    old = taken(enforced.http)
    subprocess.run(
        [sys.executable, "-m", "local.issuer", "rotate"],
        env={**os.environ, "ISSUER_FOLDER": str(issuer_folder(enforced.settings))},
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=60,
    )
    tokens = client_tokens("demo", enforced.settings)
    assert tokens is not None
    assert jwt.get_unverified_header(tokens.token()) != jwt.get_unverified_header(old)
    for auth in (tokens, enforced.http.auth):
        answer = httpx.get(
            f"{enforced.addresses['subscription']}/subscriptions/{subscription_id}",
            auth=auth,
            trust_env=False,
            timeout=30,
        )
        assert answer.status_code == httpx.codes.OK, answer.text


def taken(http: httpx.Client) -> str:
    """The token that a client would send now."""
    assert isinstance(http.auth, ClientCredentials)
    return http.auth.token()
