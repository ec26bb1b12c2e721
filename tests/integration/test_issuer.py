"""The issuer as a process: what it refuses, its rotation, and who may read its files."""

import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest
from pydantic import SecretStr

from infra.local_system.auth import AUDIENCE, JWKS_PATH, TOKEN_PATH, secret_file
from runtime.http.client_credentials import ClientCredentials, OAuthClient, TokenRefused
from verification.testkit.launcher import LaunchedProcess, run_to_end, running
from verification.testkit.waiting import eventually


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "issuer"


@pytest.fixture
def issuer(tmp_path: Path, folder: Path) -> Iterator[LaunchedProcess]:
    with running(tmp_path, "local.issuer", "", settings(folder), port_name="HTTP_PORT") as process:
        process.until_ready()
        yield process


def settings(folder: Path) -> dict[str, str]:
    return {"ISSUER_FOLDER": str(folder), "ISSUER_URL": "http://issuer.example"}


def tokens(
    issuer: LaunchedProcess, secret: SecretStr | Path, scope: str | None = None
) -> ClientCredentials:
    return ClientCredentials(OAuthClient(issuer.url + TOKEN_PATH, "customer", secret, scope))


def subject(issuer: LaunchedProcess, token: str) -> str:
    """Whose token it is, by the keys that are published now. Raises jwt.PyJWTError."""
    keys = jwt.PyJWKSet.from_dict(httpx.get(issuer.url + JWKS_PATH, trust_env=False).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    found = jwt.decode(token, key, audience=AUDIENCE, issuer="http://issuer.example")
    return str(found["sub"])


def test_only_its_owner_reads_its_keys_and_secrets(issuer: LaunchedProcess, folder: Path) -> None:
    """Files are 0600 and folders 0700, whatever the umask; none is in the log."""
    found = [folder, *folder.rglob("*")]
    modes = {stat.S_IMODE(each.stat().st_mode) for each in found if each.is_file()}
    assert modes == {0o600}
    assert {stat.S_IMODE(each.stat().st_mode) for each in found if each.is_dir()} == {0o700}
    token = tokens(issuer, secret_file(folder, "customer")).token()
    eventually(lambda: "/token" in issuer.output.read_text(), what="the line of the request")
    logged = issuer.output.read_text()
    for secret in (token, secret_file(folder, "customer").read_text()):
        assert secret not in logged


def test_a_wrong_secret_gets_no_token(issuer: LaunchedProcess) -> None:
    """The answer says where the right one is."""
    with pytest.raises(TokenRefused, match=r"refuses the client customer \(invalid_client"):
        tokens(issuer, SecretStr("guessed")).token()


def test_a_scope_beyond_the_clients_is_refused(issuer: LaunchedProcess, folder: Path) -> None:
    """A customer is no staff."""
    secret = secret_file(folder, "customer")
    with pytest.raises(TokenRefused, match="customer may not have subscriptions:read:all"):
        tokens(issuer, secret, "subscriptions:read subscriptions:read:all").token()


def test_a_new_key_signs_while_tokens_of_the_old_one_are_still_good(
    issuer: LaunchedProcess, folder: Path, tmp_path: Path
) -> None:
    """`python -m local.issuer rotate`, beside the process that serves, which is not restarted."""
    taken = tokens(issuer, secret_file(folder, "customer"))
    old = taken.token()
    code, said = run_to_end(tmp_path, "local.issuer", "rotate", settings(folder))
    assert code == 0
    new = taken.token(instead_of=old)
    assert jwt.get_unverified_header(new)["kid"] == said.split()[-1]
    assert jwt.get_unverified_header(old)["kid"] != said.split()[-1]
    assert subject(issuer, old) == subject(issuer, new) == "customer"


def test_rotation_without_an_issuer_says_what_to_start(tmp_path: Path, folder: Path) -> None:
    """No file is made in a folder of another name."""
    code, said = run_to_end(tmp_path, "local.issuer", "rotate", settings(folder))
    assert code == 2
    assert "AUTH=1" in said
    assert not folder.exists()
