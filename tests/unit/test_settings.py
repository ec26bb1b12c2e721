"""Settings: read once from the environment, or refused with every name that is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import Misconfigured
from runtime.settings import ApiSettings, AwsSettings, ConsumerSettings, MongoSettings, load

COMPLETE = {
    "AWS_REGION": "eu-west-1",
    "HEALTH_PORT": "8080",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
}


@pytest.fixture(autouse=True)
def _complete(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PORT", "HTTP_HOST", "LOG_LEVEL", "MONGODB_URI", "MONGODB_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)


def test_settings_come_typed_with_their_defaults() -> None:
    """What is set is read, what may be left out has its default."""
    settings = load(ConsumerSettings)
    assert (settings.aws_region, settings.health_port) == ("eu-west-1", 8080)
    assert (settings.log_level, settings.log_format) == ("INFO", "json")
    assert (settings.health_host, settings.queue_wait_seconds) == ("127.0.0.1", 8)


def test_settings_cannot_be_changed() -> None:
    """A process has one configuration for as long as it lives."""
    with pytest.raises(ValueError, match="frozen"):
        load(ConsumerSettings).log_level = "DEBUG"  # type: ignore[misc]


def test_every_missing_or_malformed_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once and in one line, so that one look is enough."""
    for name in COMPLETE:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    with pytest.raises(Misconfigured) as refusal:
        load(ConsumerSettings)
    missing = "AWS_REGION: Field required", "HEALTH_PORT: Field required"
    named = str(refusal.value).removeprefix("set these environment variables: ").split("; ")
    assert {*missing} < {*named}
    assert [each.partition(":")[0] for each in named if each not in missing] == ["LOG_LEVEL"]
    assert "\n" not in str(refusal.value)


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files and shells leave empty ones behind: a default holds, a required one lacks."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    monkeypatch.setenv("LOG_LEVEL", "")
    settings = load(AwsSettings)
    assert (settings.aws_endpoint_url, settings.log_level) == (None, "INFO")
    monkeypatch.setenv("AWS_REGION", "")
    with pytest.raises(Misconfigured, match="AWS_REGION: Field required"):
        load(AwsSettings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_REGION", "EU west"),
        ("AWS_ENDPOINT_URL", "localhost:4566"),
        ("AWS_ENDPOINT_URL", "ftp://localhost"),
        ("AWS_ENDPOINT_URL", "http://:4566"),
        ("AWS_ENDPOINT_URL", "http://localhost:0"),
        ("HEALTH_PORT", "65536"),
        ("HEALTH_PORT", "-1"),
        ("LOG_LEVEL", "info"),
        ("LOG_FORMAT", "text"),
        ("QUEUE_WAIT_SECONDS", "9"),
        ("QUEUE_WAIT_SECONDS", "0"),
    ],
)
def test_a_malformed_setting_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The rule it broke, and not what it was: it may be a secret."""
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured) as refusal:
        load(ConsumerSettings)
    assert str(refusal.value).startswith(f"set these environment variables: {name}: ")
    assert value not in str(refusal.value)


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://127.0.0.1:27017/?replicaSet=rs0&retryWrites=false",
        "mongodb+srv://user:secret@cluster.example.com/?tls=true",
    ],
)
def test_a_mongodb_uri_is_accepted(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    """Both schemes, options and credentials included."""
    monkeypatch.setenv("MONGODB_URI", uri)
    monkeypatch.setenv("MONGODB_DATABASE", "payments")
    assert load(MongoSettings).mongodb_uri == uri


@pytest.mark.parametrize(
    ("uri", "database"),
    [("postgres://u:p@x", "payments"), ("mongodb://", "payments"), ("mongodb://h", "a.b")],
)
def test_a_mongodb_that_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, uri: str, database: str
) -> None:
    """No host, another scheme, a name that no database has; and the URI is not shown."""
    monkeypatch.setenv("MONGODB_URI", uri)
    monkeypatch.setenv("MONGODB_DATABASE", database)
    with pytest.raises(Misconfigured, match="MONGODB_") as refusal:
        load(MongoSettings)
    assert uri not in str(refusal.value)


@given(st.integers(0, 65535))
def test_any_port_is_a_port(port: int) -> None:
    """0 asks the system for a free one."""
    assert ApiSettings(http_port=port).http_port == port
