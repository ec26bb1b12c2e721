"""The local issuer grants what a client may have, to whoever knows its secret, and no more."""

from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from infra.local_system.auth import AUDIENCE, CLIENTS, secret_file
from local.issuer.app import create_app
from local.issuer.keys import KeyFile
from local.issuer.tokens import LocalIssuer
from runtime.errors import Misconfigured
from tests.console import Seconds
from tests.system import ask

URL = "http://127.0.0.1:8009"
NOW = 1_800_000_000.0


@pytest.fixture
def clock() -> Seconds:
    return Seconds(NOW)


@pytest.fixture
def issuer(tmp_path: Path, clock: Seconds) -> LocalIssuer:
    made = LocalIssuer(URL, tmp_path / "issuer", token_seconds=300, clock=clock)
    made.prepare()
    return made


def request(issuer: LocalIssuer, client: str = "demo", **form: str) -> httpx.Response:
    """Ask for a token, with the client's own secret unless another is in the form."""
    secret = secret_file(issuer.folder, client).read_text() if client in CLIENTS else "x"
    body = {"grant_type": "client_credentials", **form}
    auth = None if "client_secret" in form else (client, secret)
    return ask(create_app(issuer), "POST", "/token", data=body, auth=auth)


def keys(issuer: LocalIssuer) -> dict[str, dict[str, Any]]:
    """What is published, by id."""
    found = ask(create_app(issuer), "GET", "/.well-known/jwks.json").json()["keys"]
    return {each["kid"]: each for each in found}


def claims(issuer: LocalIssuer, token: str) -> dict[str, Any]:
    """Check a token as a service does, but for its time, and return what it says."""
    key = keys(issuer)[jwt.get_unverified_header(token)["kid"]]
    found: dict[str, Any] = jwt.decode(
        token,
        jwt.PyJWK(key),
        algorithms=["ES256"],
        audience=AUDIENCE,
        issuer=URL,
        options={"verify_exp": False, "verify_iat": False},
    )
    return found


def test_a_token_says_who_for_whom_and_until_when(issuer: LocalIssuer) -> None:
    """All that the client may have, for 300 s, signed by the key that is published."""
    answer = request(issuer)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    granted = answer.json()
    assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 300)
    found = claims(issuer, granted["access_token"])
    assert found.pop("jti")
    assert set(found.pop("scope").split()) == CLIENTS["demo"]
    assert found == {
        "iss": URL,
        "sub": "demo",
        "client_id": "demo",
        "aud": AUDIENCE,
        "iat": NOW,
        "exp": NOW + 300,
    }


def test_a_client_may_ask_for_less(issuer: LocalIssuer) -> None:
    """And gets just that."""
    granted = request(issuer, scope="stock:read").json()
    assert granted["scope"] == claims(issuer, granted["access_token"])["scope"] == "stock:read"


def test_a_scope_that_the_client_may_not_have_is_refused_by_its_name(issuer: LocalIssuer) -> None:
    """Beside one that it may have, too."""
    answer = request(issuer, scope="stock:read subscriptions:erase")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    assert "subscriptions:erase" in answer.json()["error_description"]


@pytest.mark.parametrize("client", ["demo", "nobody", "../keys.json", ""])
def test_a_wrong_secret_and_an_unknown_client_are_refused_alike(
    issuer: LocalIssuer, client: str
) -> None:
    """No one learns which of the two it was; what is no client's name is no file's either."""
    answer = request(issuer, client, client_id=client, client_secret="wrong")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")
    other = request(issuer, "other", client_id="other", client_secret="")
    assert answer.json() == other.json()


def test_the_secret_may_be_in_the_form(issuer: LocalIssuer) -> None:
    """As RFC 6749, 2.3.1 allows."""
    secret = secret_file(issuer.folder, "demo").read_text()
    assert request(issuer, client_id="demo", client_secret=secret).status_code == 200


@pytest.mark.parametrize(
    ("content", "media_type", "error"),
    [
        (b"grant_type=password&username=a", "application/x-www-form-urlencoded", "grant_type"),
        (b"", "application/x-www-form-urlencoded", "grant_type"),
        (b'{"grant_type": "client_credentials"}', "application/json", "x-www-form-urlencoded"),
        (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded", "more than once"),
        (b"grant_type=%ff", "application/x-www-form-urlencoded", "UTF-8"),
        (b"\xff=a", "application/x-www-form-urlencoded", "UTF-8"),
        (b"a=b&" * 30, "application/x-www-form-urlencoded", "is not a form"),
    ],
)
def test_what_is_no_token_request_is_refused_with_the_reason(
    issuer: LocalIssuer, content: bytes, media_type: str, error: str
) -> None:
    """An error of RFC 6749, whatever was sent."""
    headers = {"Content-Type": media_type}
    answer = ask(create_app(issuer), "POST", "/token", content=content, headers=headers)
    assert answer.status_code == 400
    assert error in answer.json()["error_description"]


@pytest.mark.parametrize("value", ["Bearer x", "Basic ?", "Basic", "Basic /w==", "Basic eA=="])
def test_a_broken_authorization_is_a_wrong_secret(issuer: LocalIssuer, value: str) -> None:
    """Not an error of the issuer's."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": value}
    form = b"grant_type=client_credentials"
    answer = ask(create_app(issuer), "POST", "/token", content=form, headers=headers)
    assert answer.status_code == 401


def test_discovery_names_the_endpoints(issuer: LocalIssuer) -> None:
    """Any OpenID Connect client finds keys and tokens from the issuer's address."""
    found = ask(create_app(issuer), "GET", "/.well-known/openid-configuration").json()
    assert found["issuer"] == URL
    assert found["jwks_uri"] == f"{URL}/.well-known/jwks.json"
    assert found["token_endpoint"] == f"{URL}/token"


def test_a_key_that_was_replaced_is_published_for_as_long_as_a_token_may_live(
    issuer: LocalIssuer, clock: Seconds
) -> None:
    """So that no token is refused before its end; no private part is ever published."""
    old = request(issuer).json()["access_token"]
    replaced = set(keys(issuer))
    KeyFile(issuer.folder, clock=clock).rotate()
    new = request(issuer).json()["access_token"]
    assert claims(issuer, old)["sub"] == claims(issuer, new)["sub"] == "demo"
    assert jwt.get_unverified_header(new)["kid"] not in replaced
    assert all("d" not in each for each in keys(issuer).values())
    clock.now += 3599
    assert len(keys(issuer)) == 2
    clock.now += 1
    assert not replaced & set(keys(issuer))
    KeyFile(issuer.folder, clock=clock).rotate()
    assert '"replaced"' in (issuer.folder / "keys.json").read_text()
    assert len(keys(issuer)) == 2


def test_what_is_there_is_kept_by_the_next_start(issuer: LocalIssuer) -> None:
    """Tokens and secrets of before a restart are good after it."""
    before = files(issuer)
    issuer.prepare()
    assert files(issuer) == before
    assert before.keys() == {"keys.json", *CLIENTS}


def files(issuer: LocalIssuer) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in issuer.folder.rglob("*") if each.is_file()}


def test_a_key_file_that_cannot_be_read_says_what_to_do(issuer: LocalIssuer) -> None:
    """Half of one, or another program's."""
    (issuer.folder / "keys.json").write_text("{}")
    with pytest.raises(Misconfigured, match=r"keys\.json has no keys.*remove it"):
        issuer.keys.published()
