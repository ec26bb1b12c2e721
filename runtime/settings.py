"""The typed environment: each process reads its own, once, and says all that is wrong with it."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    FilePath,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.errors import Misconfigured
from runtime.http.hosts import hosts_in, is_loopback
from runtime.signatures import secrets_of


class Settings(BaseSettings):
    """Read from the environment, once. A variable that is set to nothing is not set."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)


class ProcessSettings(Settings):
    """What every process that writes a log reads."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"


def _can_be_parsed(url: str) -> str:
    parts = urlsplit(url)  # raises ValueError, as does its port
    if not parts.hostname or parts.port == 0:
        raise ValueError("give a host, and a port from 1 to 65535 or none")
    return url


Address = Annotated[
    str, StringConstraints(pattern=r"^https?://[^\s/]+/?$"), AfterValidator(_can_be_parsed)
]
"""Where HTTP is served: a host and perhaps a port, without a path."""

HttpUrl = Annotated[
    str, StringConstraints(pattern=r"^https?://[^\s/]+(/\S*)?$"), AfterValidator(_can_be_parsed)
]
"""Something that HTTP serves: an address, and perhaps a path."""


HOST_NAMES = r"^[A-Za-z0-9._:,*\[\] -]*$"
"""Hosts as their header has them, with commas between them."""


class AwsSettings(ProcessSettings):
    """For a process that calls AWS, or an emulator where the endpoint is set."""

    aws_region: str = Field(pattern=r"^[a-z0-9-]+$")
    aws_endpoint_url: Address | None = None


class HttpSettings(ProcessSettings):
    """For a process that serves HTTP."""

    http_host: str = "127.0.0.1"
    http_port: int = Field(ge=0, le=65535)
    http_max_connections_per_client: int | None = Field(default=None, ge=0)


class ApiSettings(HttpSettings):
    """For the process of an API.

    With `auth` off it serves every client. Beyond loopback that is refused, unless
    `auth_off_beyond_loopback` confirms it.

    `http_allowed_hosts` are the Host headers that it answers to beside loopback's, with commas
    between them; `*` is every one. It is needed where the process listens beyond loopback.
    """

    auth_off_beyond_loopback: bool = False
    auth: Literal["required", "off"] = Field(default="off", validate_default=True)
    auth_issuer: str | None = Field(default=None, validate_default=True)
    auth_audience: str | None = Field(default=None, validate_default=True)
    auth_jwks_url: str | None = Field(
        default=None, pattern=r"^https?://[^\s/]+(/\S*)?$", validate_default=True
    )
    auth_algorithms: str = Field(default="RS256,ES256", pattern=r"^(RS|ES)256(,(RS|ES)256)?$")
    auth_leeway_seconds: int = Field(default=30, ge=0, le=300)
    auth_scope_prefix: str = ""
    http_allowed_hosts: str = Field(default="", pattern=HOST_NAMES, validate_default=True)

    @property
    def auth_audiences(self) -> frozenset[str]:
        """Without spaces; in the variable there are commas between them."""
        found = (each.strip() for each in (self.auth_audience or "").split(","))
        return frozenset(each for each in found if each)

    @field_validator("auth")
    @classmethod
    def _is_not_open_by_accident(cls, auth: str, info: ValidationInfo) -> str:
        host = info.data.get("http_host", "")
        if auth == "off" and not (is_loopback(host) or info.data.get("auth_off_beyond_loopback")):
            raise ValueError(
                f"it is off, and HTTP_HOST={host} is not a loopback address: any client that"
                " reaches it could read and change everything. Set AUTH=required with AUTH_ISSUER,"
                " AUTH_AUDIENCE and AUTH_JWKS_URL, or AUTH_OFF_BEYOND_LOOPBACK=1 to allow it"
            )
        return auth

    @field_validator("auth_issuer", "auth_audience", "auth_jwks_url")
    @classmethod
    def _is_there_where_tokens_are(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("auth") == "required":
            raise ValueError("set it where AUTH=required")
        return value

    @field_validator("auth_jwks_url")
    @classmethod
    def _has_a_host(cls, url: str | None) -> str | None:
        return url and _can_be_parsed(url)

    @field_validator("http_allowed_hosts")
    @classmethod
    def _is_not_open_to_any_name(cls, names: str, info: ValidationInfo) -> str:
        host = info.data.get("http_host", "")
        if not names and not is_loopback(host):
            raise ValueError(
                f"HTTP_HOST={host} is not a loopback address: name the hosts under which clients"
                " ask for this API, with commas between them, or * where they are checked before it"
            )
        return names

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """In lower case; each may have a port."""
        return hosts_in(self.http_allowed_hosts)


class ClientSettings(Settings):
    """For a process that calls APIs which require tokens: the client credentials grant.

    Nothing is set where they require none. The secret is in a variable, or in a file.
    """

    auth_token_url: HttpUrl | None = None
    auth_client_id: str | None = None
    auth_client_secret_file: Path | None = None
    auth_client_secret: SecretStr | None = None
    auth_client_scope: str | None = None

    @property
    def auth_secret(self) -> SecretStr | Path | None:
        return self.auth_client_secret or self.auth_client_secret_file

    @model_validator(mode="after")
    def _is_a_whole_client(self) -> Self:
        if self.auth_client_secret and self.auth_client_secret_file:
            raise ValueError("set AUTH_CLIENT_SECRET or AUTH_CLIENT_SECRET_FILE, not both")
        given = {
            bool(each) for each in (self.auth_token_url, self.auth_client_id, self.auth_secret)
        }
        if len(given) > 1:
            raise ValueError(
                "set AUTH_TOKEN_URL, AUTH_CLIENT_ID and one of AUTH_CLIENT_SECRET and"
                " AUTH_CLIENT_SECRET_FILE, or none of them"
            )
        return self


class WorkerSettings(ProcessSettings):
    """For a process that works in the background and serves only its health."""

    health_host: str = "127.0.0.1"
    health_port: int = Field(ge=0, le=65535)


class ConsumerSettings(WorkerSettings, AwsSettings):
    """For a process that consumes SQS queues.

    `queue_wait_seconds` is how long a receive waits for a message. SQS allows 20 s, but a receive
    cannot be cut short, and the process has 10 s in all to stop.
    """

    queue_wait_seconds: int = Field(default=8, ge=1, le=8)


class MongoSettings(ProcessSettings):
    """For a process that uses MongoDB or DocumentDB; the URI's options decide on TLS.

    Credentials stand in the URI, percent-encoded, or, as they are, in variables beside it. The
    password may be in a file, which is read again when the server refuses what was in it.
    """

    mongodb_uri: str = Field(pattern=r"^mongodb(\+srv)?://[^\s/?]+")
    mongodb_database: str = Field(pattern=r"^[^/\\. \"$*<>:|?\x00]{1,63}$")
    mongodb_username: str | None = None
    mongodb_password_file: FilePath | None = None
    mongodb_password: SecretStr | None = Field(default=None, validate_default=True)

    @field_validator("mongodb_password")
    @classmethod
    def _goes_with_a_username(
        cls, password: SecretStr | None, info: ValidationInfo
    ) -> SecretStr | None:
        if "mongodb_password_file" not in info.data:  # it is wrong, and that is said
            return password
        in_a_file = info.data["mongodb_password_file"] is not None
        if password and in_a_file:
            raise ValueError("set it or MONGODB_PASSWORD_FILE, not both")
        has_one = password is not None or in_a_file
        if has_one != (info.data.get("mongodb_username") is not None):
            raise ValueError("set it and MONGODB_USERNAME, or neither")
        if has_one and re.match(r"[^/]+//[^/?]*@", info.data.get("mongodb_uri", "")):
            raise ValueError("MONGODB_URI has credentials already: set them in one place only")
        return password

    @property
    def mongodb_credentials(self) -> dict[str, Any]:
        """What MongoClient takes beside the URI; nothing where the URI has it, or none is needed.

        A None in it would undo what the URI says. A password's file is read now: raises
        Misconfigured if it cannot be, or is empty.
        """
        if self.mongodb_username is None:
            return {}
        if self.mongodb_password_file is not None:
            password = _content(self.mongodb_password_file, "MONGODB_PASSWORD_FILE")
        elif self.mongodb_password is not None:
            password = self.mongodb_password.get_secret_value()
        return {"username": self.mongodb_username, "password": password}


class WebhookSettings(Settings):
    """For a process that takes signed webhooks, or sends one: the secrets, or a file with them.

    One to three `whsec_…` with commas between; any of them may have signed, the first one signs.
    """

    webhook_secrets_file: FilePath | None = None
    webhook_secrets: SecretStr | None = Field(default=None, validate_default=True)

    @field_validator("webhook_secrets")
    @classmethod
    def _can_sign(cls, secrets: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        file = info.data.get("webhook_secrets_file")
        if file is not None and secrets is not None:
            raise ValueError("set it or WEBHOOK_SECRETS_FILE, not both")
        if file is not None:
            secrets = SecretStr(_content(file, "WEBHOOK_SECRETS_FILE"))
        if secrets is not None:
            secrets_of(secrets.get_secret_value())
        return secrets

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """None where none is set."""
        secrets = self.webhook_secrets
        return () if secrets is None else secrets_of(secrets.get_secret_value())


def _content(file: Path, variable: str) -> str:
    """A secret as editors and orchestrators write it: with a line's end, or without."""
    try:
        text = file.read_text().removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{variable}: {file}: {error}") from error
    if not text:
        raise Misconfigured(f"{variable}: {file} is empty")
    return text


S = TypeVar("S", bound=Settings)


def with_fields(fields: Mapping[str, tuple[Any, Any]]) -> Callable[[type[S]], type[S]]:
    """Add fields that a table names: each name with its type and its default."""

    def extended(settings: type[S]) -> type[S]:
        of_table: dict[str, Any] = dict(fields)
        return create_model(
            settings.__name__,
            __base__=settings,
            __module__=settings.__module__,
            __doc__=settings.__doc__,
            **of_table,
        )

    return extended


def variables(settings: type[Settings]) -> frozenset[str]:
    """Name the environment variables that a class reads, in capitals; a field may have several."""
    named = set()
    for name, field in settings.model_fields.items():
        alias = field.validation_alias or name
        named |= set(alias.choices) if isinstance(alias, AliasChoices) else {alias}
    return frozenset(str(each).upper() for each in named)


def load(settings: type[S]) -> S:
    """Read `settings` from the environment; raises Misconfigured naming every variable at fault."""
    try:
        return settings()
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])).upper()}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise Misconfigured(f"set these environment variables: {problems}") from None
