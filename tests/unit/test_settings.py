"""Settings: read once from the environment, or refused with every name that is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import Misconfigured
from runtime.http.hosts import is_loopback
from runtime.http.settings import ApiSettings
from runtime.settings import AwsSettings, ConsumerSettings, MongoSettings, load

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


ISSUER = {
    "AUTH_ISSUER": "https://issuer.example/pool",
    "AUTH_AUDIENCE": "streamed-events, shop",
    "AUTH_JWKS_URL": "https://issuer.example/pool/jwks.json",
}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment of an API."""
    monkeypatch.setenv("HTTP_PORT", "8001")
    return monkeypatch


def set_all(environment: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_tokens_are_off_on_loopback_unless_said(api: pytest.MonkeyPatch, host: str) -> None:
    """The first curl of README needs none."""
    api.setenv("HTTP_HOST", host)
    assert load(ApiSettings).auth == "off"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "api.example"])
@pytest.mark.parametrize("auth", [{}, {"AUTH": "off"}], ids=["unset", "off"])
def test_tokens_cannot_be_off_elsewhere_by_accident(
    api: pytest.MonkeyPatch, host: str, auth: dict[str, str]
) -> None:
    """It takes a second setting that says so, and the refusal says what there is to set."""
    set_all(api, {"HTTP_HOST": host, "HTTP_ALLOWED_HOSTS": "*", **auth})
    with pytest.raises(Misconfigured, match=r"AUTH: .*AUTH=required.*AUTH_OFF_BEYOND_LOOPBACK=1"):
        load(ApiSettings)
    api.setenv("AUTH_OFF_BEYOND_LOOPBACK", "1")
    assert load(ApiSettings).auth == "off"
    api.delenv("AUTH_OFF_BEYOND_LOOPBACK")
    set_all(api, {"AUTH": "required", **ISSUER})
    assert load(ApiSettings).auth == "required"


@pytest.mark.parametrize("missing", [(*ISSUER,), *((each,) for each in ISSUER)], ids=" ".join)
def test_what_required_tokens_need_is_named(
    api: pytest.MonkeyPatch, missing: tuple[str, ...]
) -> None:
    """Each of the three, where it is missing; with AUTH=off none is needed."""
    given = {name: value for name, value in ISSUER.items() if name not in missing}
    set_all(api, {"AUTH": "required", **given})
    with pytest.raises(Misconfigured) as refusal:
        load(ApiSettings)
    for name in ISSUER:
        assert (f"{name}: Value error, set it where AUTH=required" in str(refusal.value)) == (
            name in missing
        )


def test_the_issuer_is_read_with_its_defaults(api: pytest.MonkeyPatch) -> None:
    """Three settings are enough; audiences have commas between them."""
    set_all(api, {"AUTH": "required", **ISSUER})
    settings = load(ApiSettings)
    assert settings.auth_audiences == {"streamed-events", "shop"}
    assert (settings.auth_algorithms, settings.auth_leeway_seconds) == ("RS256,ES256", 30)
    assert settings.auth_scope_prefix == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTH", "on"),
        ("AUTH_JWKS_URL", "issuer.example/jwks.json"),
        ("AUTH_JWKS_URL", "file:///etc/passwd"),
        ("AUTH_JWKS_URL", "https://issuer.example:0/jwks.json"),
        ("AUTH_ALGORITHMS", "HS256"),
        ("AUTH_ALGORITHMS", "none"),
        ("AUTH_ALGORITHMS", "RS256,HS256"),
        ("AUTH_LEEWAY_SECONDS", "-1"),
        ("AUTH_LEEWAY_SECONDS", "301"),
    ],
)
def test_a_setting_of_tokens_that_cannot_be_is_named(
    api: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """No secret algorithm, no other protocol, no clock that is minutes off."""
    set_all(api, {"AUTH": "required", **ISSUER, name: value})
    with pytest.raises(Misconfigured, match=f"{name}: "):
        load(ApiSettings)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.8.9.1", True), ("[::1]", True), ("0.0.0.0", False), ("localhost.example", False)],
)
def test_loopback_is_what_no_other_machine_reaches(host: str, expected: bool) -> None:
    """A name that merely looks like it is none."""
    assert is_loopback(host) is expected


@given(st.integers(0, 65535))
def test_any_port_is_a_port(port: int) -> None:
    """0 asks the system for a free one."""
    assert ApiSettings(http_port=port).http_port == port
