"""MongoDB's credentials: in the URI or in two variables beside it, and never in an output."""

from pathlib import Path

import pytest

from runtime.errors import Misconfigured
from runtime.mongodb import Mongo, connect
from runtime.settings import MongoSettings, load

URI = "mongodb://cluster.example.com:27017/?replicaSet=rs0&tls=true"
PASSWORD = "hunter2/@:%"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A URI without credentials, and both variables."""
    monkeypatch.setenv("MONGODB_URI", URI)
    monkeypatch.setenv("MONGODB_DATABASE", "payments")
    monkeypatch.setenv("MONGODB_USERNAME", "payments-service")
    monkeypatch.setenv("MONGODB_PASSWORD", PASSWORD)
    return monkeypatch


def test_credentials_beside_the_uri_are_the_clients() -> None:
    """As they are: nothing has to be percent-encoded, and the URI's options hold."""
    settings = load(MongoSettings)
    with connect(settings.mongodb_uri, settings.mongodb_credentials) as client:
        credentials = client.options._options  # what the driver keeps of URI and arguments
        assert credentials["username"] == "payments-service"
        assert credentials["password"] == PASSWORD
        assert credentials["tls"] is True


def test_without_them_the_uri_says_it_all(environment: pytest.MonkeyPatch) -> None:
    """Variables that are empty are not set, and the URI's own credentials stay."""
    environment.setenv("MONGODB_USERNAME", "")
    environment.setenv("MONGODB_PASSWORD", "")
    environment.setenv("MONGODB_URI", "mongodb://user:secret@127.0.0.1:1")
    settings = load(MongoSettings)
    assert settings.mongodb_credentials == {}
    with connect(settings.mongodb_uri, settings.mongodb_credentials) as client:
        assert client._resolve_srv_info["username"] == "user"
        assert client._resolve_srv_info["password"] == "secret"


NEITHER = "set these environment variables: MONGODB_PASSWORD: .*set it and MONGODB_USERNAME, or n"
TWICE = "MONGODB_URI has credentials already"


@pytest.mark.parametrize(
    ("changes", "said", "unsaid"),
    [
        ({"USERNAME": None}, NEITHER, "MONGODB_URI"),
        ({"PASSWORD": None}, NEITHER, "MONGODB_URI"),
        ({"USERNAME": None, "PASSWORD": None, "PASSWORD_FILE": "file"}, NEITHER, "MONGODB_URI"),
        ({"URI": "mongodb://user:secret@host/?tls=true"}, TWICE, "secret"),
        ({"URI": "mongodb+srv://user@host"}, TWICE, "user@"),
        ({"URI": "mongodb://u:secret@a,b"}, TWICE, "secret"),
        ({"URI": "postgres://user:secret@host"}, "MONGODB_URI: ", "MONGODB_PASSWORD"),
        ({"PASSWORD_FILE": "file"}, "set it or MONGODB_PASSWORD_FILE, not both", "MONGODB_URI"),
        (
            {"PASSWORD": None, "PASSWORD_FILE": "nowhere"},
            "MONGODB_PASSWORD_FILE: ",
            "MONGODB_USERNAME",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(
    environment: pytest.MonkeyPatch,
    tmp_path: Path,
    changes: dict[str, str | None],
    said: str,
    unsaid: str,
) -> None:
    """What is wrong is named, and nothing else; no secret is repeated.

    A password without a username, or in two places; a URI that cannot be read judges none of it.
    """
    (tmp_path / "file").touch()
    environment.chdir(tmp_path)
    for name, value in changes.items():
        if value is None:
            environment.delenv(f"MONGODB_{name}")
        else:
            environment.setenv(f"MONGODB_{name}", value)
    with pytest.raises(Misconfigured, match=said) as refusal:
        load(MongoSettings)
    assert not [each for each in (unsaid, "secret", PASSWORD) if each in str(refusal.value)]


def test_an_at_sign_in_an_option_is_no_credential(environment: pytest.MonkeyPatch) -> None:
    """Only what stands before the hosts is."""
    environment.setenv("MONGODB_URI", "mongodb://host/?appName=a@b")
    assert load(MongoSettings).mongodb_credentials["username"] == "payments-service"


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_password_may_be_in_a_file(
    environment: pytest.MonkeyPatch, tmp_path: Path, ending: str
) -> None:
    """It is read each time that it is asked for: what is in it may change."""
    file = tmp_path / "password"
    file.write_bytes(f" {PASSWORD}{ending}".encode())
    environment.delenv("MONGODB_PASSWORD")
    environment.setenv("MONGODB_PASSWORD_FILE", str(file))
    settings = load(MongoSettings)
    assert settings.mongodb_credentials == {
        "username": "payments-service",
        "password": f" {PASSWORD}",
    }
    file.write_text("another")
    assert settings.mongodb_credentials["password"] == "another"


def test_an_empty_file_is_said(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """At start; later, what was in it before stays until something is."""
    (tmp_path / "password").touch()
    environment.delenv("MONGODB_PASSWORD")
    environment.setenv("MONGODB_PASSWORD_FILE", str(tmp_path / "password"))
    with pytest.raises(Misconfigured, match=r"MONGODB_PASSWORD_FILE: .* is empty"):
        Mongo.of(load(MongoSettings))


def test_the_password_is_not_shown() -> None:
    """Settings may be printed by mistake."""
    settings = load(MongoSettings)
    assert PASSWORD not in repr(settings)
    assert PASSWORD not in str(settings)
    assert PASSWORD not in settings.model_dump_json()
